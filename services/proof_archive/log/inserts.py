"""Inserts that may meet what an earlier, unfinished batch left: the same bytes are fine, others are a contradiction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from pymongo.errors import BulkWriteError

from shared.mongo import Collection, Document, duplicates


async def insert(collection: Collection, rows: list[Document], compared: str | None) -> set[tuple[int, int]]:
    """Insert rows, some of which may be there already. Returns the keys of those whose field `compared` differs there."""
    if not rows:
        return set()
    try:
        await collection.insert_many(rows, ordered=False)
    except BulkWriteError as error:
        again = [rows[index] for index in duplicates(error)]
        if compared is None:
            return set()
        wanted = {tuple(row["_id"].values()): bytes(row[compared]) for row in again}
        found = collection.find({"_id": {"$in": [row["_id"] for row in again]}})
        stored = {tuple(row["_id"].values()): row[compared] async for row in found}
        return {key for key, value in stored.items() if bytes(value) != wanted[key]}
    return set()


async def together(*steps: Awaitable[set[tuple[int, int]]]) -> set[tuple[int, int]]:
    """What all of these steps found."""
    return set[tuple[int, int]]().union(*await at_once(*steps))


async def at_once(*steps: Awaitable[Any]) -> list[Any]:
    """Await all, then raise the first failure: a step that is abandoned half-way would close its connection."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
