# The cases of both sides: interop/data.json and generated documents, stored for them in a database.
import datetime
import json
import os
import random
import sys
import uuid

from bson import json_util
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.son import SON
from pymongo import MongoClient

GENERATED = 150
HERE = os.path.dirname(os.path.abspath(__file__))
LETTERS = 'abcXYZ 019_-.$\u00e9\u65e5\U0001f600'


class Random(random.Random):
    """Draws values of fields, in the several forms that they are taken in."""

    def text(self, least=1):
        return ''.join(self.choice(LETTERS) for _ in range(self.randint(least, 12)))

    def whole(self):
        bits = self.choice((4, 31, 32, 33, 53, 62))
        return self.randint(-2 ** bits, 2 ** bits)

    def integer(self):
        n = self.whole()
        return self.choice((n, str(n), Int64(n)))

    def number(self):
        x = self.choice((self.uniform(-10, 10), self.uniform(-1e300, 1e300),
                         float(self.whole() >> 20)))
        return self.choice((x, repr(x), int(self.uniform(-99, 99))))

    def date(self):
        ms = self.randint(-10 ** 13, 10 ** 14)
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
        return self.choice((when, when.isoformat(), when.strftime('%Y-%m-%d %H:%M'), ms // 1000))

    def decimal(self):
        digits = str(self.randint(1, 10 ** self.randint(1, 34) - 1))
        return self.choice((digits, Decimal128(digits + 'E%d' % self.randint(-6000, 6000))))

    def identity(self):
        return ObjectId(bytes(self.randrange(256) for _ in range(12)))

    def key(self):
        return ''.join(self.choice('abcdefgh') for _ in range(self.randint(0, 4)))

    def anything(self, depth=0):
        kinds = [self.text, self.whole, self.number, self.date, self.identity, self.decimal,
                 lambda: None, lambda: self.random() < 0.5]
        if depth < 4:
            kinds += [lambda: [self.anything(depth + 1) for _ in range(self.randrange(4))],
                      lambda: self.mapping(depth + 1, 0)] * 2
        return self.choice(kinds)()

    def mapping(self, depth=0, least=1):
        size = self.randint(least, 4)
        return SON((self.key() + str(n), self.anything(depth)) for n in range(size))

    def list_of(self, draw):
        return [draw() for _ in range(self.randint(1, 5))]

    def pair(self):
        return [self.number_plain(), self.number_plain()]

    def number_plain(self):
        return self.choice((self.randint(-180, 180), self.uniform(-180, 180)))

    def ring(self):
        points = self.list_of(self.pair)
        return points + [points[0]]

    def geometry(self, name, coordinates):
        return self.choice((coordinates, SON([('type', name), ('coordinates', coordinates)])))

    def fields(self):
        identifier = uuid.UUID(int=self.getrandbits(128))
        return {
            'char': self.text(), 'integer': self.integer(), 'big': self.integer(),
            'float': self.number(), 'boolean': self.random() < 0.5,
            'object_id': self.choice((self.identity(), str(self.identity()))),
            'date_time': self.date(), 'decimal': self.decimal(),
            'uuid': self.choice((str(identifier), identifier.hex, identifier.urn)),
            'code': self.text(), 'dict': self.mapping(), 'ordered': self.mapping(),
            'any_list': self.list_of(self.anything), 'point': self.geometry('Point', self.pair()),
            'line': self.geometry('LineString', self.list_of(self.pair)),
            'polygon': self.geometry('Polygon', self.list_of(self.ring)),
            'chars': self.list_of(self.text), 'integers': self.list_of(self.integer),
            'bigs': self.list_of(self.integer), 'floats': self.list_of(self.number),
            'dates': self.list_of(self.date), 'dicts': self.list_of(self.mapping),
            'grid': self.list_of(lambda: self.list_of(self.integer)),
            'cube': [[self.list_of(self.text)]],
        }

    def document(self, n):
        values = SON(key='random %d' % n)
        for name, value in self.fields().items():
            if self.random() < 0.6:
                values[name] = value
        return SON(label=values['key'], model='Kinds', values=values)


def load(seed):
    with open(os.path.join(HERE, 'data.json'), encoding='utf-8') as file:
        cases = json.load(file, object_pairs_hook=lambda pairs: json_util.object_pairs_hook(
            pairs, json_util.JSONOptions(document_class=SON, tz_aware=False)))
    draw = Random(seed)
    cases['documents'] += [draw.document(n) for n in range(GENERATED)]
    return cases


def main():
    database = MongoClient(os.environ['MODM_TEST_URI'])[sys.argv[1]]
    for name, items in load(int(sys.argv[2])).items():
        if isinstance(items, list):
            # As a command, since the driver's insert refuses keys like $set in what is but data.
            documents = [SON(_id=n, case=item) for n, item in enumerate(items)]
            database.command('insert', name, documents=documents)


main()
