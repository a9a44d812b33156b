# The works in MongoEngine: in_mongoengine.py WORK N. Models can be inherited, as modm's: `_cls`.
import bson
import mongoengine as me

import people
from people import key_of, sum_all, sum_three

me.connect(host=people.uri())


def meta(collection):
    return {"collection": collection, "allow_inheritance": True, "auto_create_index": False,
            "index_cls": False}


class Address(me.EmbeddedDocument):
    street = me.StringField()
    city = me.StringField()
    zip = me.StringField()
    meta = {"allow_inheritance": True}


class Person(me.Document):
    name = me.StringField(required=True)
    nick = me.StringField(max_length=30)
    email = me.EmailField()
    age = me.IntField(min_value=0)
    visits = me.LongField()
    score = me.FloatField()
    active = me.BooleanField()
    joined = me.DateTimeField()
    team = me.ObjectIdField()
    address = me.EmbeddedDocumentField(Address)
    tags = me.ListField(me.StringField())
    level = me.IntField()
    meta = meta("people")


class Author(me.Document):
    name = me.StringField()
    group = me.IntField()
    meta = meta("authors")


class Book(me.Document):
    title = me.StringField()
    pages = me.IntField()
    author = me.ReferenceField(Author)
    meta = meta("books")


def new_person(i):
    return people.build(Person, Address, i)


def new_valid_person(i):
    p = new_person(i)
    p.validate()
    return p


def read_all(_, count):
    return sum(sum_all(p) for p in Person.objects.limit(count))


def read_three(_, count):
    return sum(sum_three(p) for p in Person.objects.limit(count))


def encode(start, count):
    return sum(len(bson.encode(new_valid_person(i).to_mongo()))
               for i in range(start, start + count))


def bulk_insert(start, count):
    return sum(len(Person.objects.insert(batch, load_bulk=False))
               for batch in people.batches(start, count, new_valid_person))


def save_each(start, count):
    for i in range(start, start + count):
        new_person(i).save()
    return count


def change_one_setup(start, count):
    return [Person.objects.get(id=key_of(i)) for i in range(start, start + count)]


def change_one(_, count, loaded):
    for p in loaded:
        p.age += 1
        p.save()
    return sum(p.age for p in loaded)


def get_by_key(start, count):
    return sum(sum_three(Person.objects.get(id=key_of(i))) for i in range(start, start + count))


def references(_, count):
    books = Book.objects.limit(count).select_related()
    return sum(book.pages + len(book.author.name) + book.author.group for book in books)


people.measure(globals())
