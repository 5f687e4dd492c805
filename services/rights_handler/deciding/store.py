"""Open reviews and decisions in MongoDB (database `rights`): an index holds only the records that have a line in review."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from bson.binary import Binary
from pymongo import ASCENDING, UpdateOne

from services.rights_handler.deciding.model import Made
from services.rights_handler.domain import Grant, Instant
from services.rights_handler.index import insert_new
from services.rights_handler.rows import REVIEWING, grant_of
from shared.contracts.reviews import DecisionReason, Outcome
from shared.mongo import Client, Document, database

OPEN: Document = {"$type": "string"}
COUNTED_MOST = 10_000
"""Open reviews counted at most: beyond, the answer is "that many or more"."""


class MongoDecisions:
    """Rows of `grants` that wait for a person, and rows of `decisions`."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        rights = database(client, name)
        self._grants, self._decisions = rights["grants"], rights["decisions"]

    async def prepare(self) -> None:
        """Create the indexes."""
        for fields in ([REVIEWING, "_id"], ["collector", REVIEWING, "_id"]):
            await self._grants.create_index(
                [(field, ASCENDING) for field in fields], partialFilterExpression={REVIEWING: OPEN}
            )
        await self._decisions.create_index([("record", ASCENDING), ("decided_at", ASCENDING)])
        await self._decisions.create_index([("decided_at", ASCENDING)])
        await self._decisions.create_index(
            [("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )

    async def waiting(
        self, collector: str | None, after: tuple[Instant, str] | None, limit: int
    ) -> list[tuple[Instant, Grant]]:
        """Records with a line in review and since when, the longest first, from a cursor on; without their sealed part."""
        query: Document = {REVIEWING: OPEN, **({"collector": collector} if collector else {})}
        if after is not None:
            since, record = after
            query[REVIEWING] = {**OPEN, "$gte": since}
            query["$or"] = [{REVIEWING: {"$gt": since}}, {"_id": {"$gt": record}}]
        order = [(REVIEWING, ASCENDING), ("_id", ASCENDING)]
        rows = self._grants.find(query, {"sealed": 0}).sort(order).limit(limit)
        return [(row[REVIEWING], grant_of({**row, "cks": (), "aks": ()})) async for row in rows]

    async def since(self, record: str) -> Instant | None:
        """Since when a record waits; None where it does not."""
        row = await self._grants.find_one({"_id": record}, {REVIEWING: 1})
        return None if row is None else row.get(REVIEWING)

    async def count(self, collector: str | None) -> int:
        """How many wait, up to `COUNTED_MOST`."""
        query: Document = {REVIEWING: OPEN, **({"collector": collector} if collector else {})}
        return int(await self._grants.count_documents(query, limit=COUNTED_MOST))

    async def put(self, made: Sequence[Made], note: bytes | None) -> set[str]:
        """Store decisions; returns the ids of those that are new. `note`: the sealed words of who decided."""
        rows = [
            {
                "_id": one.id, "record": one.record, "recipient": one.recipient, "lines": [list(n) for n in one.lines],
                "outcome": one.outcome.value, "reason": one.reason.value, "author": one.author, "codes": list(one.codes),
                "decided_at": one.decided_at, "commitment": one.commitment, "next_at": one.decided_at, "tries": 0,
                "verdict_at": None, "note": None if note is None else Binary(note),
            }
            for one in made
        ]  # fmt: skip
        taken = {row["_id"] for row in await insert_new(self._decisions, rows)}
        return {one.id for one in made} - taken

    async def of(self, record: str, limit: int = 200) -> list[Document]:
        """The decisions about a record, the newest first."""
        return await self._decisions.find({"record": record}).sort("decided_at", -1).limit(limit).to_list()

    async def latest(self, limit: int) -> list[Document]:
        """The newest decisions."""
        return await self._decisions.find({}, {"note": 0}).sort("decided_at", -1).limit(limit).to_list()

    async def due(self, now: Instant, limit: int) -> list[Document]:
        """Decisions whose new verdict was not asked for, or has not come."""
        query = {"next_at": {"$type": "string", "$lte": now}}
        return await self._decisions.find(query, {"note": 0}).sort("next_at", ASCENDING).limit(limit).to_list()

    async def again(self, ids: Collection[str], at: Instant) -> None:
        """They are looked at again at a moment; their facts stand on the topic."""
        await self._decisions.update_many(
            {"_id": {"$in": sorted(ids)}, "next_at": OPEN},
            {"$set": {"next_at": at, "archived": True}, "$inc": {"tries": 1}},
        )

    async def answered(self, ids: Collection[str], at: Instant) -> None:
        """Their verdict is there (or their record is gone: nothing is asked any more)."""
        await self._decisions.bulk_write(
            [UpdateOne({"_id": one, "verdict_at": None}, {"$set": {"verdict_at": at, "next_at": None}}) for one in sorted(ids)],
            ordered=False,
        )  # fmt: skip


def made_of(row: Document) -> Made:
    """The decision of a row."""
    lines: tuple[Any, ...] = tuple(tuple(name) for name in row["lines"])
    return Made(
        row["_id"], row["record"], row["recipient"], lines, Outcome(row["outcome"]), DecisionReason(row["reason"]),
        row["author"], tuple(row["codes"]), row["decided_at"], row["commitment"],
    )  # fmt: skip
