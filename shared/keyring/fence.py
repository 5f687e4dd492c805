"""A condition that the database itself puts on new rows: from the moment it is set, no process can write an older form.

It is a MongoDB validator, so it is in order with every insert: those before it are seen by whoever reads after it, those
after it are refused (error 121). A process that did not know yet is told by the refusal, looks again, and repeats its batch.
Level `moderate`: rows that are already of the older form may still be changed or deleted.
"""

from __future__ import annotations

import contextlib
from typing import Any

from pymongo.errors import BulkWriteError, CollectionInvalid

from shared.errors import Unavailable
from shared.mongo import Database, Document

REFUSED_BY_FENCE = 121
"""Server error code of a document that does not meet its collection's validator."""


async def set_fence(database: Database, collection: str, condition: Document) -> None:
    """Require a condition of every row written from now on; returns when a majority holds it. `{}` requires nothing."""
    with contextlib.suppress(CollectionInvalid):  # it is there, as nearly always
        await database.create_collection(collection)
    await database.command(
        "collMod", collection, validator=condition, validationLevel="moderate", validationAction="error",
        writeConcern={"w": "majority"},
    )  # fmt: skip


async def fence_of(database: Database, collection: str) -> Document:
    """The condition in force."""
    async for found in await database.list_collections(filter={"name": collection}):
        validator: Document = found.get("options", {}).get("validator", {})
        return validator
    return {}


def raise_if_fenced(error: BulkWriteError, what: str) -> None:
    """Raise Unavailable where the fence refused a row: the batch is done again, with the newer version."""
    errors: list[dict[str, Any]] = (error.details or {}).get("writeErrors", [])
    if any(e.get("code") == REFUSED_BY_FENCE for e in errors):
        raise Unavailable(f"{what} is being rotated: this is written again under its new version") from None
