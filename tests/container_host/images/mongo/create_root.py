#!/usr/bin/python3
"""Create the root user named by the environment, through mongod's localhost exception."""

import os

import pymongo

pymongo.MongoClient("mongodb://127.0.0.1:27018").admin.command(
    "createUser",
    os.environ["MONGO_INITDB_ROOT_USERNAME"],
    pwd=os.environ["MONGO_INITDB_ROOT_PASSWORD"],
    roles=["root"],
)
