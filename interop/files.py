# Prints the GridFS of a database: each file without ids, times and MD5 sums, and its chunks.
import hashlib
import os
import sys

from bson import json_util
from bson.son import SON
from pymongo import MongoClient

# PyMongo 3 stores an MD5 sum, which GridFS has given up since, and modm none.
LEFT_OUT = ('_id', 'uploadDate', 'md5')


def main():
    database = MongoClient(os.environ['MODM_TEST_URI'], document_class=SON)[sys.argv[1]]
    for file in database['fs.files'].find().sort('filename', 1):
        told = SON((key, value) for key, value in file.items() if key not in LEFT_OUT)
        print(json_util.dumps(told, json_options=json_util.CANONICAL_JSON_OPTIONS))
        for chunk in database['fs.chunks'].find({'files_id': file['_id']}).sort('n', 1):
            print('  chunk', list(chunk), type(chunk['n']).__name__, chunk['n'], len(chunk['data']),
                  hashlib.sha256(chunk['data']).hexdigest())
    for name in ('fs.files', 'fs.chunks'):
        for index in database[name].list_indexes():
            print(name, json_util.dumps(index, sort_keys=True))


main()
