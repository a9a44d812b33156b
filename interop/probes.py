# Compares what both sides made of each value in each field: probes.py PYMODMS-DB MODMS-DB LUA
# Each difference must be one of interop/differences.json, and each of those must be seen as often
# as it says, so that one more within it is found.
import collections
import json
import os
import sys

import bson
from bson import json_util
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from bson.son import SON
from pymongo import MongoClient

EXTENDED = ('$oid', '$date', '$numberDecimal', '$binary', '$regularExpression', '$code',
            '$timestamp', '$minKey')
HERE = os.path.dirname(os.path.abspath(__file__))
ORDERED = CodecOptions(document_class=SON, uuid_representation=UuidRepresentation.UNSPECIFIED)


def stored(client, database):
    probe = client[database].get_collection('probe', CodecOptions(document_class=RawBSONDocument))
    return {document['_id']: document.raw for document in probe.find()}


def outcome(pymodm, modm):
    if pymodm == modm:
        return None
    return 'PyMODM refuses' if pymodm is None else 'modm refuses' if modm is None else 'differ'


def shown(raw):
    if raw is None:
        return 'refuses it'
    value = bson.decode(raw, ORDERED)['x']
    return 'stores ' + json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)


def sort_of(value):
    """The sort of a value as data.json has it."""
    if isinstance(value, dict):
        first = next(iter(value), '')
        if first.startswith('$number') and value != {'$numberDecimal': value.get('$numberDecimal')}:
            return 'any number'
        return ('any instance' if first == '@embedded' else
                'any value' if first in EXTENDED else 'any document')
    names = {str: 'any text', bool: 'any boolean', int: 'any number', list: 'any list'}
    return names.get(type(value), 'null')


def fits(difference, field, names, seen):
    return (difference['outcome'] == seen and field in difference['fields']
            and not names.isdisjoint(difference['values'])
            and difference.get('only', sys.argv[3]) == sys.argv[3])


def read(name):
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return json.load(file)


def main():
    client = MongoClient(os.environ['MODM_TEST_URI'])
    pymodm, modm = (stored(client, name) for name in sys.argv[1:3])
    differences = [d for d in read('differences.json')['differences']
                   if d.get('only', sys.argv[3]) == sys.argv[3]]
    sorts = {v['name']: {v['name'], sort_of(v['value'])} for v in read('data.json')['values']}
    met, bad = collections.Counter(), 0
    for case in sorted(pymodm.keys() | modm.keys()):
        seen = outcome(pymodm.get(case), modm.get(case))
        field, value = case.split(' <- ', 1)
        known = seen and [n for n, d in enumerate(differences)
                          if fits(d, field, sorts[value], seen)]
        met.update(known or ())
        if seen and not known:
            bad += 1
            print('NOT THE SAME: %s: PyMODM %s, modm %s'
                  % (case, shown(pymodm.get(case)), shown(modm.get(case))))
    for n, difference in enumerate(differences):
        times = difference['times']
        if met[n] != (times if isinstance(times, int) else times[sys.argv[3]]):
            bad += 1
            print('not ok: seen %d times: %s' % (met[n], difference))
    print('%d passed, %d failed' % (len(pymodm.keys() | modm.keys()) + len(differences) - bad, bad))


main()
