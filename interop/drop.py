# Drops the databases of a run, whose names begin with its name: drop.py NAME
import os
import sys

from pymongo import MongoClient

client = MongoClient(os.environ['MODM_TEST_URI'])
for name in client.list_database_names():
    if name.startswith(sys.argv[1]):
        client.drop_database(name)
