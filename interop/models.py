# The models of PyMODM's side; interop/models.lua declares the same ones for modm.
from decimal import Decimal

from bson.codec_options import CodecOptions
from bson.binary import STANDARD
from pymodm import EmbeddedMongoModel, MongoModel, fields
from pymodm.errors import ValidationError
from pymongo import IndexModel, ReadPreference
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern


# ---- every kind of field, without options ----

class Kinds(MongoModel):
    key = fields.CharField(primary_key=True)
    char = fields.CharField()
    integer = fields.IntegerField()
    big = fields.BigIntegerField()
    float = fields.FloatField()
    boolean = fields.BooleanField()
    object_id = fields.ObjectIdField()
    date_time = fields.DateTimeField()
    decimal = fields.Decimal128Field()
    binary = fields.BinaryField()
    uuid = fields.UUIDField()
    regex = fields.RegularExpressionField()
    code = fields.JavaScriptField()
    timestamp = fields.TimestampField()
    email = fields.EmailField()
    url = fields.URLField()
    address = fields.GenericIPAddressField()
    dict = fields.DictField()
    ordered = fields.OrderedDictField()
    any_list = fields.ListField()
    point = fields.PointField()
    line = fields.LineStringField()
    polygon = fields.PolygonField()
    points = fields.MultiPointField()
    lines = fields.MultiLineStringField()
    polygons = fields.MultiPolygonField()
    geometries = fields.GeometryCollectionField()
    chars = fields.ListField(fields.CharField())
    integers = fields.ListField(fields.IntegerField())
    bigs = fields.ListField(fields.BigIntegerField())
    floats = fields.ListField(fields.FloatField())
    dates = fields.ListField(fields.DateTimeField())
    dicts = fields.ListField(fields.DictField())
    grid = fields.ListField(fields.ListField(fields.IntegerField()))
    cube = fields.ListField(fields.ListField(fields.ListField(fields.CharField())))


# ---- options of fields ----

def shouts(text):
    if text != text.upper():
        raise ValidationError('must shout.')


class Options(MongoModel):
    key = fields.IntegerField(primary_key=True, mongo_name='_id', verbose_name='the key')
    short = fields.CharField(min_length=2, max_length=4)
    percent = fields.IntegerField(min_value=0, max_value=100)
    big = fields.BigIntegerField(min_value=-5000000000, max_value=5000000000)
    ratio = fields.FloatField(min_value=-1, max_value=1.5)
    price = fields.Decimal128Field(min_value=0, max_value=Decimal('99.99'))
    blob = fields.BinaryField(subtype=128)
    ipv4 = fields.GenericIPAddressField(protocol=fields.GenericIPAddressField.IPV4)
    ipv6 = fields.GenericIPAddressField(protocol=fields.GenericIPAddressField.IPV6)
    required = fields.CharField(required=True)
    blank = fields.CharField(blank=True)
    blank_list = fields.ListField(fields.CharField(), blank=True)
    blank_dict = fields.DictField(blank=True)
    blank_ordered = fields.OrderedDictField(blank=True)
    blank_date = fields.DateTimeField(blank=True)
    blank_items = fields.ListField(fields.CharField(blank=True))
    role = fields.CharField(choices=('reader', 'author'), default='reader')
    level = fields.IntegerField(choices=((1, 'low'), (2, 'high')))
    loud = fields.CharField(validators=[shouts])
    renamed = fields.CharField(mongo_name='r')
    answer = fields.IntegerField(default=lambda: 42)
    zero = fields.IntegerField(default=0)
    no = fields.BooleanField(default=False)
    no_list = fields.ListField(fields.CharField(), default=None)
    words = fields.ListField(fields.CharField(), default=lambda: ['a', 'b'])
    facts = fields.DictField(default=lambda: {'a': 1})


class StandardUUID(MongoModel):
    key = fields.UUIDField(primary_key=True)
    other = fields.ListField(fields.UUIDField())

    class Meta:
        codec_options = CodecOptions(uuid_representation=STANDARD)


# ---- options of Meta ----

class Setting(MongoModel):
    name = fields.CharField(primary_key=True)
    value = fields.CharField(mongo_name='v')

    class Meta:
        final = True
        collection_name = 'the.settings'
        write_concern = WriteConcern(w=1, j=True)
        read_preference = ReadPreference.PRIMARY_PREFERRED
        read_concern = ReadConcern('local')


class HTTPServerLog(MongoModel):
    text = fields.CharField()

    class Meta:
        ignore_unknown_fields = True


class Collated(MongoModel):
    name = fields.CharField(primary_key=True)

    class Meta:
        collation = {'locale': 'en', 'strength': 2}


class Indexed(MongoModel):
    name = fields.CharField(mongo_name='n')
    when = fields.DateTimeField()
    where = fields.PointField()
    text = fields.CharField()
    count = fields.IntegerField(mongo_name='c')

    class Meta:
        indexes = [
            IndexModel([('n', 1), ('c', -1)]),
            IndexModel([('n', 1)], unique=True, sparse=True),
            IndexModel([('when', 1)], expireAfterSeconds=3600),
            IndexModel([('where', '2dsphere')]),
            IndexModel([('text', 'text')], name='words', default_language='none'),
            IndexModel([('c', 1)], partialFilterExpression={'c': {'$gt': 5}}),
            IndexModel([('n', -1)], name='folded', collation={'locale': 'en', 'strength': 2}),
            IndexModel([('c', 'hashed')]),
        ]


# ---- inheritance ----

class Animal(MongoModel):
    name = fields.CharField(primary_key=True)
    age = fields.IntegerField()
    sound = fields.CharField(mongo_name='s')


class Dog(Animal):
    good = fields.BooleanField(default=True)
    age = fields.FloatField()  # overridden, and so moved to this place


class Puppy(Dog):
    months = fields.IntegerField()


class Cat(Animal):
    lives = fields.IntegerField(default=9)

    class Meta:
        collection_name = 'cats'


# ---- embedded models ----

class Shape(EmbeddedMongoModel):
    name = fields.CharField()


class Circle(Shape):
    radius = fields.FloatField(mongo_name='r', required=True)


class Pair(EmbeddedMongoModel):
    left = fields.IntegerField()
    right = fields.IntegerField()

    class Meta:
        final = True


class Part(EmbeddedMongoModel):
    serial = fields.IntegerField()
    number = fields.IntegerField(primary_key=True)
    shape = fields.EmbeddedDocumentField(Shape)
    spares = fields.EmbeddedDocumentListField('Pair')


class Drawing(MongoModel):
    title = fields.CharField(primary_key=True)
    shape = fields.EmbeddedDocumentField(Shape)
    shapes = fields.EmbeddedDocumentListField(Shape)
    pair = fields.EmbeddedDocumentField(Pair, mongo_name='p')
    couples = fields.ListField(fields.EmbeddedDocumentField(Pair))
    rows = fields.ListField(fields.ListField(fields.EmbeddedDocumentField(Shape)))
    part = fields.EmbeddedDocumentField(Part)
    parts = fields.EmbeddedDocumentListField(Part)
    blank_parts = fields.EmbeddedDocumentListField(Part, blank=True)


# ---- references, to keys of several kinds ----

class User(MongoModel):
    email = fields.EmailField(primary_key=True)
    name = fields.CharField()


class Admin(User):
    rank = fields.IntegerField()


class IntegerKey(MongoModel):
    key = fields.IntegerField(primary_key=True)


class BigKey(MongoModel):
    key = fields.BigIntegerField(primary_key=True)


class DateKey(MongoModel):
    key = fields.DateTimeField(primary_key=True)


class UUIDKey(MongoModel):
    key = fields.UUIDField(primary_key=True)


class PairKey(MongoModel):
    key = fields.EmbeddedDocumentField(Pair, primary_key=True)


class Comment(EmbeddedMongoModel):
    author = fields.ReferenceField(User)
    text = fields.CharField()
    readers = fields.ListField(fields.ReferenceField('User'))


class Post(MongoModel):
    title = fields.CharField()
    author = fields.ReferenceField(User)
    answers = fields.ReferenceField('Post')
    editors = fields.ListField(fields.ReferenceField(User), mongo_name='e')
    related = fields.ListField(fields.ReferenceField('Post'))
    pinned = fields.EmbeddedDocumentField(Comment)
    comments = fields.EmbeddedDocumentListField(Comment)
    integer_key = fields.ReferenceField(IntegerKey)
    big_key = fields.ReferenceField(BigKey)
    date_key = fields.ReferenceField(DateKey)
    uuid_key = fields.ReferenceField(UUIDKey)
    pair_key = fields.ReferenceField(PairKey)


class Cascading(MongoModel):
    title = fields.CharField(primary_key=True)
    author = fields.ReferenceField(User)

    class Meta:
        cascade = True


# ---- files ----

class Folder(MongoModel):
    name = fields.CharField(primary_key=True)
    file = fields.FileField()
    image = fields.ImageField()


# ---- delete rules ----

class Shop(MongoModel):
    name = fields.CharField(primary_key=True)


class Staff(MongoModel):
    name = fields.CharField(primary_key=True)
    shop = fields.ReferenceField(Shop, on_delete=fields.ReferenceField.CASCADE)
    boss = fields.ReferenceField('Staff')


class Shift(MongoModel):
    day = fields.CharField(primary_key=True)
    lead = fields.ReferenceField(Staff, on_delete=fields.ReferenceField.DENY)
    team = fields.ListField(fields.ReferenceField(Staff, on_delete=fields.ReferenceField.PULL))
    deputy = fields.ReferenceField(Staff, on_delete=fields.ReferenceField.NULLIFY)
    guest = fields.ReferenceField(Staff)


Staff.register_delete_rule(Staff, 'boss', fields.ReferenceField.NULLIFY)


# Rules that reach the end of their cascade, through references with a mongo_name. PyMODM's rules
# know these by that name only.
class Region(MongoModel):
    name = fields.CharField(primary_key=True)


class Town(MongoModel):
    name = fields.CharField(primary_key=True)
    region = fields.ReferenceField(Region, on_delete=fields.ReferenceField.CASCADE)


class House(MongoModel):
    number = fields.IntegerField(primary_key=True)
    town = fields.ReferenceField(Town, mongo_name='t')


Town.register_delete_rule(House, 't', fields.ReferenceField.CASCADE)


class Walk(MongoModel):
    name = fields.CharField(primary_key=True)
    start = fields.ReferenceField(Town, mongo_name='from')
    stops = fields.ListField(fields.ReferenceField(Town), mongo_name='s')
    houses = fields.ListField(fields.ReferenceField(House, on_delete=fields.ReferenceField.PULL))


Town.register_delete_rule(Walk, 'from', fields.ReferenceField.NULLIFY)
Town.register_delete_rule(Walk, 's', fields.ReferenceField.PULL)


class Tour(MongoModel):
    name = fields.CharField(primary_key=True)
    towns = fields.ListField(fields.ReferenceField(Town, on_delete=fields.ReferenceField.NULLIFY))


# ---- keys that are made ----

class Note(MongoModel):
    text = fields.CharField()
    count = fields.IntegerField(mongo_name='n')


# ---- a field of each kind, for the values of each kind ----

PROBES = {
    'CharField': fields.CharField(),
    'IntegerField': fields.IntegerField(),
    'BigIntegerField': fields.BigIntegerField(),
    'FloatField': fields.FloatField(),
    'BooleanField': fields.BooleanField(),
    'ObjectIdField': fields.ObjectIdField(),
    'DateTimeField': fields.DateTimeField(),
    'Decimal128Field': fields.Decimal128Field(),
    'BinaryField': fields.BinaryField(),
    'UUIDField': fields.UUIDField(),
    'RegularExpressionField': fields.RegularExpressionField(),
    'JavaScriptField': fields.JavaScriptField(),
    'TimestampField': fields.TimestampField(),
    'EmailField': fields.EmailField(),
    'URLField': fields.URLField(),
    'GenericIPAddressField': fields.GenericIPAddressField(),
    'DictField': fields.DictField(),
    'OrderedDictField': fields.OrderedDictField(),
    'PointField': fields.PointField(),
    'LineStringField': fields.LineStringField(),
    'PolygonField': fields.PolygonField(),
    'MultiPointField': fields.MultiPointField(),
    'MultiLineStringField': fields.MultiLineStringField(),
    'MultiPolygonField': fields.MultiPolygonField(),
    'GeometryCollectionField': fields.GeometryCollectionField(),
    'ListField': fields.ListField(),
    'CharField of 2 to 4': fields.CharField(min_length=2, max_length=4),
    'IntegerField from 1 to 5': fields.IntegerField(min_value=1, max_value=5),
    'BigIntegerField from 1 to 5': fields.BigIntegerField(min_value=1, max_value=5),
    'FloatField from 1 to 5': fields.FloatField(min_value=1, max_value=5),
    'Decimal128Field from 1 to 5': fields.Decimal128Field(min_value=1, max_value=5),
    'CharField of choices': fields.CharField(choices=['text', '5']),
    'IntegerField of choices': fields.IntegerField(choices=[(5, 'five'), (1, 'one')]),
    'CharField, blank': fields.CharField(blank=True),
    'IntegerField, blank': fields.IntegerField(blank=True),
    'ListField, blank': fields.ListField(blank=True),
    'DictField, blank': fields.DictField(blank=True),
    'IPv4': fields.GenericIPAddressField(protocol=0),
    'IPv6': fields.GenericIPAddressField(protocol=1),
    'list of CharField': fields.ListField(fields.CharField()),
    'list of IntegerField': fields.ListField(fields.IntegerField()),
    'list of lists of IntegerField': fields.ListField(fields.ListField(fields.IntegerField())),
    'list of DictField': fields.ListField(fields.DictField()),
    'embedded Pair': fields.EmbeddedDocumentField(Pair),
    'embedded Shape': fields.EmbeddedDocumentField(Shape),
    'embedded list of Pair': fields.EmbeddedDocumentListField(Pair),
    'list of embedded Pair': fields.ListField(fields.EmbeddedDocumentField(Pair)),
    'reference to IntegerKey': fields.ReferenceField(IntegerKey),
    'reference to Post': fields.ReferenceField(Post),
    'reference to DateKey': fields.ReferenceField(DateKey),
    'list of references to Post': fields.ListField(fields.ReferenceField(Post)),
}
