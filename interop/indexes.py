# Prints the indexes of the model Indexed in a database, as the server lists them.
import os
import sys

from bson import json_util
from pymongo import MongoClient


def main():
    database = MongoClient(os.environ['MODM_TEST_URI'])[sys.argv[1]]
    for index in database.command('listIndexes', 'indexed')['cursor']['firstBatch']:
        print(json_util.dumps(index, sort_keys=True))


main()
