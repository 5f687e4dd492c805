"""MongoDB through PyMongo's own asynchronous API (why not Motor: docs/decisions/0001)."""

from __future__ import annotations

from typing import Any

from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import ConfigurationError
from shared.settings import Settings

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]

DUPLICATE_KEY = 11000
"""Server error code of a unique index violation."""
UNAUTHORIZED = 13
"""Server error code of what the user's roles do not grant."""


def duplicates(error: BulkWriteError) -> list[int]:
    """Indexes of the operations refused for a key that is taken. Raises the error again where it is about anything else."""
    errors = error.details.get("writeErrors", [])
    if error.details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in errors):
        raise error
    return [one["index"] for one in errors]


def connect(settings: Settings, name: str) -> Client:
    """A client for one event loop. Nothing is sent before the first call: an absent database delays no start."""
    return AsyncMongoClient(
        settings.mongodb_uri,
        **_credentials(settings),
        appname=f"opposable-{name}",
        tz_aware=True,
        serverSelectionTimeoutMS=settings.mongo_timeout_ms,
        connectTimeoutMS=settings.mongo_timeout_ms,
        socketTimeoutMS=30_000,
        retryWrites=True,
    )


def _credentials(settings: Settings) -> dict[str, Any]:
    """User and password, where the settings name them; else what the URI says. Raises ConfigurationError naming what lacks."""
    if settings.mongodb_username is None:
        return {}
    if settings.mongodb_password_file is None:
        raise ConfigurationError("OPPOSABLE_MONGODB_USERNAME is set: set OPPOSABLE_MONGODB_PASSWORD_FILE too")
    try:
        password = settings.mongodb_password_file.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"OPPOSABLE_MONGODB_PASSWORD_FILE cannot be read ({error.strerror})") from None
    return {"username": settings.mongodb_username, "password": password, "authSource": "admin"}


def database(client: Client, name: str) -> Database:
    """A database whose writes wait for a majority and the journal, and whose reads see majority-committed data.

    This is what makes "write mine, then read yours" (promise P3) safe: a read on the primary with majority concern sees
    every write that was acknowledged before it began.
    """
    return client.get_database(
        name,
        codec_options=CodecOptions(tz_aware=True),
        read_preference=ReadPreference.PRIMARY,
        read_concern=ReadConcern("majority"),
        write_concern=WriteConcern(w="majority", j=True),
    )
