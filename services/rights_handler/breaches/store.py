"""Breaches in MongoDB (database `rights`), and how many records and persons a breach affects, from the index alone."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING

from services.rights_handler.breaches.model import Breach, Scope, breach_of, row_of
from services.rights_handler.domain import Instant
from services.rights_handler.index import NOT_ERASED, insert_new
from shared.mongo import Client, Document, database

LISTED_MOST = 1000


class MongoBreaches:
    """Rows of `breaches`; counts over `grants`."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        rights = database(client, name)
        self._rows, self._grants = rights["breaches"], rights["grants"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index(
            [("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )
        await self._rows.create_index([("noticed_at", DESCENDING)])
        await self._grants.create_index([("collector", ASCENDING), ("received_at", ASCENDING)])

    async def add(self, breach: Breach) -> bool:
        """Store it; False where one of this id is there."""
        return not await insert_new(self._rows, [row_of(breach)])

    async def get(self, identity: str) -> Breach | None:
        """One breach."""
        row = await self._rows.find_one({"_id": identity})
        return None if row is None else breach_of(row)

    async def save(self, breach: Breach) -> bool:
        """Write it over its `rev - 1`; False where it changed meanwhile."""
        result = await self._rows.replace_one({"_id": breach.id, "rev": breach.rev - 1}, row_of(breach))
        return result.matched_count == 1

    async def listed(self, *, closed: bool) -> list[Breach]:
        """The newest first; those open, or all."""
        found = self._rows.find({} if closed else {"closed_at": None}).sort("noticed_at", DESCENDING).limit(LISTED_MOST)
        return [breach_of(row) async for row in found]

    async def due(self, now: Instant, limit: int) -> list[Breach]:
        """Those to look at now."""
        found = self._rows.find({"next_at": {"$type": "string", "$lte": now}}).sort("next_at", ASCENDING).limit(limit)
        return [breach_of(row) async for row in found]

    async def affected(self, scope: Scope, collectors: list[str]) -> tuple[int, int, dict[str, dict[str, int]]]:
        """Records, persons, and both by party that may hold them. `collectors`: everyone, where the scope names none.

        No contact is read: a person is told apart by the least of the keyed hashes of the record.
        """
        stages: list[Document] = [
            {"$match": _matching(scope, collectors)},
            {"$project": {"party": _PARTIES, "person": _PERSON}},
        ]
        all_: list[Document] = [
            {"$group": {"_id": "$person", "n": {"$sum": 1}}},
            {"$group": {"_id": None, "records": {"$sum": "$n"}, "persons": {"$sum": 1}}},
        ]
        each: list[Document] = [
            {"$unwind": "$party"},
            {"$group": {"_id": {"party": "$party", "person": "$person"}, "n": {"$sum": 1}}},
            {"$group": {"_id": "$_id.party", "records": {"$sum": "$n"}, "persons": {"$sum": 1}}},
        ]
        total = await (await self._grants.aggregate([*stages, *all_], allowDiskUse=True)).to_list()
        rows = await (await self._grants.aggregate([*stages, *each], allowDiskUse=True)).to_list()
        by_party = {row["_id"]: {"records": row["records"], "persons": row["persons"]} for row in rows}
        if not total:
            return 0, 0, {}
        return total[0]["records"], total[0]["persons"], dict(sorted(by_party.items()))


_NAMED: Document = {
    "$filter": {
        "input": "$lines",
        "cond": {"$and": [{"$ne": ["$$this.value", "refused"]}, {"$ne": ["$$this.recipient", None]}]},
    }
}
_PARTIES: Document = {"$setUnion": [["$collector"], "$via", {"$map": {"input": _NAMED, "in": "$$this.recipient"}}]}
_PERSON: Document = {"$ifNull": [{"$min": "$cks"}, "$_id"]}


def _matching(scope: Scope, collectors: list[str]) -> dict[str, Any]:
    query: dict[str, Any] = dict(NOT_ERASED)
    if scope.records:
        query["_id"] = {"$in": list(scope.records)}
    else:
        query["collector"] = {"$in": list(scope.collectors) or collectors}
        between = {"$gte": scope.received_from, "$lt": scope.received_until}
        query["received_at"] = {name: value for name, value in between.items() if value is not None} or {"$gt": ""}
    if scope.recipients:
        query["lines.recipient"] = {"$in": list(scope.recipients)}
    return query
