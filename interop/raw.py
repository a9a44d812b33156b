# Stores the raw documents of data.json in a database: raw.py DATABASE known|all
# As another program might, with fields that the models do not know; "known" leaves these out.
import os
import sys

from bson import json_util
from bson.son import SON
from pymongo import MongoClient

import models

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIONS = json_util.JSONOptions(document_class=SON)


def main():
    database = MongoClient(os.environ['MODM_TEST_URI'])[sys.argv[1]]
    with open(os.path.join(HERE, 'data.json'), encoding='utf-8') as file:
        rows = json_util.loads(file.read(), json_options=OPTIONS)['raw']
    for row in rows:
        document = row['known']
        if sys.argv[2] == 'all':
            document.update(row['unknown'])
        name = getattr(models, row['model'])._mongometa.collection_name
        database[name].insert_one(document)


main()
