# Prints each document of a database: its canonical extended JSON with keys in order, and its bytes.
import os
import sys

import bson
from bson import json_util
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from bson.son import SON
from pymongo import MongoClient

RAW = CodecOptions(document_class=RawBSONDocument)
ORDERED = CodecOptions(document_class=SON, uuid_representation=UuidRepresentation.UNSPECIFIED)


def main():
    database = MongoClient(os.environ['MODM_TEST_URI'])[sys.argv[1]]
    for name in sorted(database.list_collection_names()):
        for document in database.get_collection(name, RAW).find().sort('_id', 1):
            text = json_util.dumps(
                bson.decode(document.raw, ORDERED), json_options=json_util.CANONICAL_JSON_OPTIONS)
            print(name, text, document.raw.hex())


main()
