"""The file of a test, run in FiftyOne with a MongoDB in memory (mongomock) for its database.

    python fiftyone_in_memory.py SCRIPT

FiftyOne itself is as it was installed; what is replaced are the client of the database, which would
want a server, and the page that would open at the end.
"""

import os
import runpy
import sys

os.environ |= {
    "FIFTYONE_DATABASE_URI": "mongodb://nowhere",
    "FIFTYONE_DATABASE_VALIDATION": "false",
    "FIFTYONE_DATABASE_ADMIN": "false",
    "FIFTYONE_DO_NOT_TRACK": "true",
}

import mongoengine
import mongomock
import mongomock.gridfs
import pymongo

STORE = mongomock.store.ServerStore()
connect = mongoengine.connect


class Client(mongomock.MongoClient):
    """All of them look into one store."""

    _closed = False

    def __init__(self, *arguments, appname=None, **options):
        super().__init__(*arguments, _store=STORE, **options)

    def close(self):
        pass


def connected(name, **options):
    return connect(name, mongo_client_class=Client, uuidRepresentation="standard")


pymongo.MongoClient, mongoengine.connect = Client, connected
mongomock.gridfs.enable_gridfs_integration()

import fiftyone  # noqa: E402

fiftyone.launch_app = lambda dataset: None
runpy.run_path(sys.argv[1])
