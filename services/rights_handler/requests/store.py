"""Requests in MongoDB (collection `rights.requests`): found by id or by their next moment, changed by comparing `rev`.

A request that is read names its person by its sealed part only (`gathering.fresh`).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

from bson.binary import Binary
from pymongo import ASCENDING, UpdateOne

from services.rights_handler.domain import Instant
from services.rights_handler.index import insert_new
from services.rights_handler.requests.model import Letter, Request
from shared.mongo import Client, Document, database

_NAMES = ("contact_keys", "subject_key")
"""Names of the person under the pepper: worked out from the sealed part when they are needed, so that none outlives a rotation."""
_PLAIN = tuple(f.name for f in fields(Request) if f.name not in ("id", "sealed", "letters", "history", *_NAMES))
_TUPLES = ("erased",)


class MongoRequests:
    """`ports.RequestStore` on MongoDB."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        self._rows = database(client, name)["requests"]

    async def prepare(self) -> None:
        """Create the indexes; only rows that wait stand in that of the scheduler."""
        await self._rows.create_index(
            [("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )
        await self._rows.create_index([("closed_at", ASCENDING), ("due_at", ASCENDING)])

    async def put(self, requests: Sequence[Request]) -> None:
        """Insert those that are new."""
        await insert_new(self._rows, [request_row(request) for request in requests])

    async def get(self, ids: Collection[str]) -> list[Request]:
        """By id."""
        return [request_of_row(row) async for row in self._rows.find({"_id": {"$in": sorted(ids)}})] if ids else []

    async def due(self, now: Instant, limit: int) -> list[Request]:
        """Oldest first."""
        found = self._rows.find({"next_at": {"$type": "string", "$lte": now}}).sort("next_at", ASCENDING).limit(limit)
        return [request_of_row(row) async for row in found]

    async def save(self, requests: Sequence[Request]) -> set[str]:
        """Compare-and-set on `rev` in one call; a mark of this call tells which were won when not all were."""
        if not requests:
            return set()
        mark = secrets.token_hex(8)
        changes = []
        for request in requests:
            row = request_row(request)
            changes.append(UpdateOne({"_id": row.pop("_id"), "rev": request.rev - 1}, {"$set": {**row, "by": mark}}))
        result = await self._rows.bulk_write(changes, ordered=False)
        ids = {request.id for request in requests}
        if result.matched_count == len(ids):
            return ids
        return {row["_id"] async for row in self._rows.find({"_id": {"$in": sorted(ids)}, "by": mark}, {"_id": 1})}

    async def listed(self, *, open_only: bool, limit: int) -> list[Request]:
        """The first due first."""
        query: Document = {"closed_at": None} if open_only else {}
        found = self._rows.find(query).sort("due_at", ASCENDING).limit(limit)
        return [request_of_row(row) async for row in found]


def request_row(request: Request) -> Document:
    """The row of a request."""
    row: Document = {name: getattr(request, name) for name in _PLAIN}
    row.update((name, list(row[name])) for name in _TUPLES)
    row["_id"] = request.id
    row["sealed"] = None if request.sealed is None else Binary(request.sealed)
    row["letters"] = [
        {
            "template": one.template, "sealed": Binary(one.sealed), "sha256": one.sha256, "at": one.at, "sent": one.sent,
            "facts": dict(one.facts),
        }
        for one in request.letters
    ]  # fmt: skip
    row["history"] = [dict(entry) for entry in request.history]
    return row


def request_of_row(row: Mapping[str, Any]) -> Request:
    """The request of a row."""
    values = {name: row[name] for name in _PLAIN}
    values.update((name, tuple(values[name])) for name in _TUPLES)
    return Request(
        id=row["_id"],
        sealed=None if row["sealed"] is None else bytes(row["sealed"]),
        letters=tuple(
            Letter(**{**one, "sealed": bytes(one["sealed"]), "facts": tuple(sorted(one["facts"].items()))})
            for one in row["letters"]
        ),
        history=tuple(row["history"]),
        **values,
    )
