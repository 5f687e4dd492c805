"""Rows of this folder (database `archive`): decisions by record, and rounds of reassessment with how far each got."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, UpdateOne

from shared.mongo import Client, Document, database


class Reassessments:
    """`decisions` (what persons decided, as the question carries it) and `reassessing` (one row a round)."""

    def __init__(self, client: Client) -> None:
        archive = database(client, "archive")
        self._decisions, self._rounds = archive["decisions"], archive["reassessing"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._decisions.create_index([("record", ASCENDING)])
        await self._rounds.create_index(
            [("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )

    async def keep(self, record: str, decisions: Sequence[Mapping[str, Any]]) -> None:
        """Store decisions; one that is there stays as it is."""
        if decisions:
            changes = [
                UpdateOne({"_id": one["id"]}, {"$setOnInsert": {"record": record, "decision": dict(one)}}, upsert=True)
                for one in decisions
            ]
            await self._decisions.bulk_write(changes, ordered=False)

    async def decisions(self, records: Collection[str]) -> dict[str, list[Mapping[str, Any]]]:
        """What was decided about these records, by record; only those that have any."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        if records:
            async for row in self._decisions.find({"record": {"$in": sorted(records)}}):
                found.setdefault(row["record"], []).append(row["decision"])
        return found

    async def begin(self, identity: str, party: str, at: str) -> Document:
        """Open a round; the same id again changes nothing."""
        row: Document = {
            "party": party, "asked_at": at, "next_at": at, "done_at": None, "places": [], "looked_at": 0, "asked": 0,
        }  # fmt: skip
        await self._rounds.update_one({"_id": identity}, {"$setOnInsert": row}, upsert=True)
        return await self.round(identity) or row

    async def round(self, identity: str) -> Document | None:
        """One round."""
        return await self._rounds.find_one({"_id": identity})

    async def claim(self, now: str, until: str) -> Document | None:
        """A round that is due, leased until a moment: an instance that dies holding it is replaced then."""
        due = {"next_at": {"$type": "string", "$lte": now}}
        return await self._rounds.find_one_and_update(due, {"$set": {"next_at": until}}, sort=[("next_at", 1)])

    async def moved(self, identity: str, values: Mapping[str, Any]) -> None:
        """How far a round got."""
        await self._rounds.update_one({"_id": identity}, {"$set": dict(values)})

    async def open(self, limit: int) -> list[Document]:
        """Rounds under way, the oldest first."""
        found = self._rounds.find({"next_at": {"$type": "string"}}).sort("next_at", ASCENDING).limit(limit)
        return await found.to_list()
