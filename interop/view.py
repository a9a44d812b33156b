# Prints what a program reads of an instance, a line for each value; interop/view.lua does the same.
import datetime
import re
import uuid

from bson.binary import Binary
from bson.code import Code
from bson.decimal128 import Decimal128
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from pymodm import EmbeddedMongoModel, MongoModel

EPOCH = datetime.datetime(1970, 1, 1)
MILLISECOND = datetime.timedelta(milliseconds=1)


def text(value):
    return ''.join(chr(b) if 32 <= b < 127 else '\\%02x' % b for b in value.encode())


def number(value):
    exact = isinstance(value, int) and abs(value) > 2 ** 53
    return str(value) if exact else '%.17g' % value


def pattern(value):
    flags = ''.join(flag for flag, bit in zip('ilmsux', (re.I, re.L, re.M, re.S, re.U, re.X))
                    if value.flags & bit)
    return text(value.pattern) + ' ' + flags


def binary(value):
    return '%d %s' % (getattr(value, 'subtype', 0), value.hex())


# The first class that a value is of decides; Code is a str, and bool an int.
SCALARS = (
    (type(None), lambda value: 'null'),
    (bool, lambda value: 'bool ' + str(value).lower()),
    (Code, lambda value: 'code ' + text(value)),
    (str, lambda value: 'string ' + text(value)),
    ((int, float), lambda value: 'number ' + number(value)),
    (datetime.datetime, lambda value: 'date %d' % ((value - EPOCH) // MILLISECOND)),
    (ObjectId, lambda value: 'ObjectId %s' % value),
    (Decimal128, lambda value: 'decimal %s' % value),
    (uuid.UUID, lambda value: 'UUID %s' % value),
    ((Binary, bytes), lambda value: 'binary ' + binary(value)),
    ((re.Pattern, Regex), lambda value: 'regex ' + pattern(value)),
    (Timestamp, lambda value: 'timestamp %d %d' % (value.time, value.inc)),
    (MinKey, lambda value: 'MinKey'),
    (MaxKey, lambda value: 'MaxKey'),
)


def name_of(instance):
    return type(instance).__module__ + '.' + type(instance).__name__


def scalar(value):
    for kind, shown in SCALARS:
        if isinstance(value, kind):
            return shown(value)
    raise TypeError(type(value))


def show_fields(path, instance):
    for name in sorted(instance):
        show_value(path + '.' + name, getattr(instance, name))


def show_value(path, value):
    if isinstance(value, MongoModel):
        show_value(path + ' -> ' + name_of(value), value.pk)
    elif isinstance(value, EmbeddedMongoModel):
        print(path, name_of(value))
        show_fields(path, value)
    elif value in ([], {}):
        print(path, 'empty')
    elif isinstance(value, dict):
        print(path, 'document', len(value))
        for key in sorted(value, key=str.encode):
            show_value(path + '.' + text(key), value[key])
    elif isinstance(value, list):
        print(path, 'list', len(value))
        for n, item in enumerate(value):
            show_value('%s[%d]' % (path, n), item)
    else:
        print(path, scalar(value))
        if isinstance(value, Code) and value.scope is not None:
            show_value(path + ' scope', value.scope)


def show(instance):
    """Prints the fields of a document that are set."""
    show_value(name_of(instance), instance.pk)
    show_fields(' ', instance)
