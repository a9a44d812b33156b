# The works in PyMODM: in_pymodm.py WORK N. Models are final, since its classes have dotted names.
import bson
from pymodm import EmbeddedMongoModel, MongoModel, connect, fields

import people
from people import key_of, sum_all, sum_three

connect(people.uri())


class Address(EmbeddedMongoModel):
    street = fields.CharField()
    city = fields.CharField()
    zip = fields.CharField()

    class Meta:
        final = True


class Person(MongoModel):
    name = fields.CharField(required=True)
    nick = fields.CharField(max_length=30)
    email = fields.EmailField()
    age = fields.IntegerField(min_value=0)
    visits = fields.BigIntegerField()
    score = fields.FloatField()
    active = fields.BooleanField()
    joined = fields.DateTimeField()
    team = fields.ObjectIdField()
    address = fields.EmbeddedDocumentField(Address)
    tags = fields.ListField(fields.CharField())
    level = fields.IntegerField()

    class Meta:
        collection_name = "people"
        final = True


class Author(MongoModel):
    name = fields.CharField()
    group = fields.IntegerField()

    class Meta:
        collection_name = "authors"
        final = True


class Book(MongoModel):
    title = fields.CharField()
    pages = fields.IntegerField()
    author = fields.ReferenceField(Author)

    class Meta:
        collection_name = "books"
        final = True


def new_person(i):
    return people.build(Person, Address, i)


def read_all(_, count):
    return sum(sum_all(p) for p in Person.objects.all().limit(count))


def read_three(_, count):
    return sum(sum_three(p) for p in Person.objects.all().limit(count))


def encode(start, count):
    total = 0
    for i in range(start, start + count):
        p = new_person(i)
        p.full_clean()
        total += len(bson.BSON.encode(p.to_son())) + people.CLASS_BYTES
    return total


def bulk_insert(start, count):
    return sum(len(Person.objects.bulk_create(batch, full_clean=True))
               for batch in people.batches(start, count, new_person))


def save_each(start, count):
    for i in range(start, start + count):
        new_person(i).save()
    return count


def change_one_setup(start, count):
    return [Person.objects.get({"_id": key_of(i)}) for i in range(start, start + count)]


def change_one(_, count, loaded):
    for p in loaded:
        p.age += 1
        p.save()
    return sum(p.age for p in loaded)


def get_by_key(start, count):
    return sum(sum_three(Person.objects.get({"_id": key_of(i)}))
               for i in range(start, start + count))


def references(_, count):
    books = Book.objects.all().limit(count).select_related("author")
    return sum(book.pages + len(book.author.name) + book.author.group for book in books)


people.measure(globals())
