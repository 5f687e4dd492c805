"""Holds in MongoDB (database `rights`, collection `holds`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from pymongo import ASCENDING, ReturnDocument

from services.rights_handler.domain import Instant
from services.rights_handler.erasing.holds import Hold, HoldReason, ScopeKind
from services.rights_handler.index import insert_new
from shared.mongo import Client, Document, database

ON: Document = {"released_at": None}


class MongoHolds:
    """The rows of holds."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        self._rows = database(client, name)["holds"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index([("scope", ASCENDING), ("released_at", ASCENDING)])
        await self._rows.create_index([("released_at", ASCENDING), ("review_at", ASCENDING)])

    async def add(self, hold: Hold) -> bool:
        """Store it; False where one of this id is there."""
        row = {**asdict(hold), "kind": hold.kind.value, "reason": hold.reason.value}
        row["_id"] = row.pop("id")
        return not await insert_new(self._rows, [row])

    async def on(self, scopes: Collection[str]) -> list[Hold]:
        """The holds in force that name any of these scopes."""
        query = {"scope": {"$in": sorted(scopes)}, **ON}
        return [hold_of(row) async for row in self._rows.find(query)] if scopes else []

    async def all(self, *, released: bool) -> list[Hold]:
        """Holds, the first to review first; those in force, or also the released ones."""
        return [hold_of(row) async for row in self._rows.find({} if released else ON).sort("review_at", ASCENDING)]

    async def get(self, hold_id: str) -> Hold | None:
        """One hold."""
        row = await self._rows.find_one({"_id": hold_id})
        return None if row is None else hold_of(row)

    async def review(self, hold_id: str, review_at: Instant, at: Instant) -> Hold | None:
        """It goes on until another date; None where it is not in force."""
        return await self._change(hold_id, {"review_at": review_at, "reviewed_at": at})

    async def release(self, hold_id: str, at: Instant) -> Hold | None:
        """It is over; None where it is not in force."""
        return await self._change(hold_id, {"released_at": at})

    async def _change(self, hold_id: str, values: Document) -> Hold | None:
        row = await self._rows.find_one_and_update(
            {"_id": hold_id, **ON}, {"$set": values}, return_document=ReturnDocument.AFTER
        )
        return None if row is None else hold_of(row)


def hold_of(row: Mapping[str, Any]) -> Hold:
    """The hold of a row."""
    values = {name: value for name, value in row.items() if name not in ("_id", "kind", "reason")}
    if not isinstance(values["scope"], str):  # two names of one contact, while the pepper is rotated
        values["scope"] = values["scope"][0]
    return Hold(id=row["_id"], kind=ScopeKind(row["kind"]), reason=HoldReason(row["reason"]), **values)
