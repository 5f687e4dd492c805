"""The outbox in MongoDB (database `notifier`, collection `messages`): sealed at rest, one row per message id.

A row is claimed for a lease by compare-and-set before it is sent, and released by whoever holds the claim: two instances
never send one message at the same time. A process that dies between the transport's "taken" and our own note leaves the
claim to run out, and the message is then sent once more, with the same Message-ID (at least once).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

from bson.binary import Binary
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from services.notifier.domain import STUCK_AFTER, Row
from shared.instants import format_instant, parse_instant
from shared.mongo import Client, Document, database, duplicates

KEPT = timedelta(days=90)
"""How long a row that is done stays: longer than the topic (30 days), so that a replay never sends again."""


class Outbox:
    """Messages to send and what became of them."""

    def __init__(self, client: Client, name: str = "notifier") -> None:
        self._rows = database(client, name)["messages"]

    async def prepare(self) -> None:
        """Create the indexes. Only rows that wait stand in the one of the sender."""
        await self._rows.create_index(
            [("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )
        await self._rows.create_index([("state", ASCENDING), ("ordered_at", ASCENDING)])
        await self._rows.create_index("purge_at", expireAfterSeconds=0, sparse=True)

    async def add(self, rows: Sequence[Row]) -> None:
        """Insert those that are new, in one call; one that is there stays as it is."""
        if not rows:
            return
        try:
            await self._rows.insert_many([_document(row) for row in rows], ordered=False)
        except BulkWriteError as error:
            duplicates(error)

    async def claim(self, now: str, until: str, limit: int) -> tuple[str, list[Row]]:
        """Take what is due, the oldest first, until a moment: (claim, rows). Three calls, whatever the number."""
        claim = secrets.token_hex(8)
        due = self._rows.find({"next_at": {"$type": "string", "$lte": now}}, {"next_at": 1})
        seen = await due.sort("next_at", ASCENDING).limit(limit).to_list()
        if not seen:
            return claim, []
        await self._rows.bulk_write(
            [
                UpdateOne({"_id": row["_id"], "next_at": row["next_at"]},
                          {"$set": {"next_at": until, "claim": claim}, "$inc": {"attempts": 1}})
                for row in seen
            ],
            ordered=False,
        )  # fmt: skip
        mine = self._rows.find({"_id": {"$in": [row["_id"] for row in seen]}, "claim": claim})
        return claim, [_row(row) async for row in mine]

    async def release(self, row: Row, claim: str) -> bool:
        """Write a claimed row back; False where the claim ran out and another instance has it."""
        document = _document(row)
        name = document.pop("_id")
        result = await self._rows.update_one({"_id": name, "claim": claim}, _replacing(document, "claim"))
        return result.matched_count == 1

    async def replace(self, before: Row, row: Row) -> bool:
        """Write a row that nobody holds; False where it changed meanwhile."""
        document = _document(row)
        name = document.pop("_id")
        known = {"_id": name, "state": before.state, "history": {"$size": len(before.history)}}
        return (await self._rows.update_one(known, _replacing(document, "claim"))).matched_count == 1

    async def get(self, message: str) -> Row | None:
        """One message by id."""
        row = await self._rows.find_one({"_id": message})
        return None if row is None else _row(row)

    async def owed(self, limit: int) -> list[Row]:
        """What needs somebody: failed, bounced, or waiting after several attempts; the oldest first."""
        wanted = {"$or": [{"state": {"$in": ["failed", "bounced"]}},
                          {"state": "waiting", "attempts": {"$gte": STUCK_AFTER}}]}  # fmt: skip
        found = self._rows.find(wanted, {"sealed": 0}).sort("ordered_at", ASCENDING).limit(limit)
        return [_row({**row, "sealed": None}) async for row in found]

    async def owed_counts(self) -> dict[str, int]:
        """How many of them there are: `failed`, `bounced`, and `stuck` (waiting after several attempts)."""
        stuck = await self._rows.count_documents({"state": "waiting", "attempts": {"$gte": STUCK_AFTER}})
        return {**await self.counts(("failed", "bounced")), "stuck": stuck}

    async def counts(self, states: Collection[str]) -> dict[str, int]:
        """How many rows stand in each of these states."""
        return {state: await self._rows.count_documents({"state": state}) for state in states}


def _document(row: Row) -> Document:
    document: Document = {field.name: getattr(row, field.name) for field in fields(Row)}
    document["_id"] = document.pop("id")
    document["refs"] = dict(row.refs)
    document["sealed"] = None if row.sealed is None else Binary(row.sealed)
    document["history"] = [dict(entry) for entry in row.history]
    if row.closed_at is not None:
        document["purge_at"] = parse_instant(row.closed_at) + KEPT
    return document


def _replacing(document: Document, *gone: str) -> dict[str, Any]:
    unset = {name: "" for name in (*gone, "purge_at") if name not in document}
    return {"$set": document, "$unset": unset}


def _row(row: Mapping[str, Any]) -> Row:
    values: dict[str, Any] = {field.name: row.get(field.name) for field in fields(Row) if field.name != "id"}
    values["refs"] = tuple(sorted(row["refs"].items()))
    values["history"] = tuple(row["history"])
    values["sealed"] = None if row["sealed"] is None else bytes(row["sealed"])
    return Row(id=row["_id"], **values)


def later(now: str, by: timedelta) -> str:
    """An instant some time after another."""
    return format_instant(parse_instant(now) + by)
