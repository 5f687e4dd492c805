"""Who owes the information of RGPD 14, in MongoDB: names on the rows of `grants`, found by party and date through one index.

A verdict writes the names (`rows.grant_row`), a reported notice takes its sender's away; a reported transfer stands for its receiver
until something settles it (`owed`). A list of what is overdue reads as many rows as it shows: nothing scans history.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, ReplaceOne, UpdateMany

from services.rights_handler.domain import Instant
from services.rights_handler.ports import Obligation
from services.rights_handler.reported import Notice
from services.rights_handler.rows import obligation_row, transfer_id
from shared.mongo import Client, Document, database


@dataclass(frozen=True, slots=True)
class Owing:
    """A record whose person a party has not informed, as far as the index knows."""

    record: str
    received_at: Instant


class MongoNotices:
    """The rows that matter to RGPD 14."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        rights = database(client, name)
        self._grants, self._transfers, self._obligations = rights["grants"], rights["transfers"], rights["obligations"]

    async def prepare(self) -> None:
        """Create the two indexes."""
        await self._grants.create_index([("owes", ASCENDING), ("received_at", ASCENDING), ("_id", ASCENDING)])
        await self._transfers.create_index(
            [("to", ASCENDING), ("at", ASCENDING), ("record", ASCENDING)], partialFilterExpression={"owed": True}
        )

    async def given(self, notices: Sequence[Notice]) -> None:
        """Their senders have informed these persons; two calls. Of records not there yet, the notice itself remains."""
        by_source: dict[str, list[str]] = {}
        for notice in notices:
            by_source.setdefault(notice.source, []).append(notice.record)
        if by_source:
            await self._grants.bulk_write(
                [
                    UpdateMany(
                        {"_id": {"$in": sorted(records)}, "vid": {"$exists": True}},
                        {"$pull": {"owes": source}, "$addToSet": {"informed": source}},
                    )
                    for source, records in sorted(by_source.items())
                ],
                ordered=False,
            )
            await self._settled([transfer_id(notice.record, notice.source) for notice in notices])

    async def released(self, party: str, records: Collection[str]) -> None:
        """These it does not owe any more, or never did: the person stopped it for good, or it was never told."""
        if records:
            await self._grants.update_many({"_id": {"$in": sorted(records)}}, {"$pull": {"owes": party}})

    async def transfers_released(self, party: str, records: Collection[str]) -> None:
        """The same of persons that it knows by a transfer only."""
        if records:
            await self._settled([transfer_id(record, party) for record in sorted(records)])

    async def _settled(self, transfers: Sequence[str]) -> None:
        await self._transfers.update_many({"_id": {"$in": list(transfers)}}, {"$unset": {"owed": ""}})

    async def transferred(
        self, party: str, until: Instant, after: tuple[Instant, str] | None, limit: int
    ) -> list[Owing]:
        """Records transferred to it at `until` or before, the oldest first, from a cursor on, where nothing settled them."""
        query: Document = {"to": party, "owed": True, "at": {"$lte": until}}
        if after is not None:
            at, record = after
            query["$or"] = [{"at": {"$gt": at}}, {"at": at, "record": {"$gt": record}}]
            query["at"] = {"$gte": at, "$lte": until}
        found = self._transfers.find(query, {"at": 1, "record": 1}).sort([("at", ASCENDING), ("record", ASCENDING)])
        return [Owing(row["record"], row["at"]) async for row in found.limit(limit)]

    async def owing(self, party: str, until: Instant, after: tuple[Instant, str] | None, limit: int) -> list[Owing]:
        """Records received at `until` or before, the oldest first, from a cursor on."""
        query: Document = {"owes": party, "received_at": {"$lte": until}}
        if after is not None:
            received, record = after
            query["$or"] = [{"received_at": {"$gt": received}}, {"received_at": received, "_id": {"$gt": record}}]
            query["received_at"] = {"$gte": received, "$lte": until}
        order = [("received_at", ASCENDING), ("_id", ASCENDING)]
        found = self._grants.find(query, {"received_at": 1}).sort(order).limit(limit)
        return [Owing(row["_id"], row["received_at"]) async for row in found]

    async def show(self, obligations: Sequence[Obligation], none_of: Collection[str], now: Instant) -> None:
        """One obligation a party, as it is now; those of parties that owe nothing are closed."""
        rows = [obligation_row(one) for one in obligations]
        if rows:
            await self._obligations.bulk_write(
                [ReplaceOne({"_id": r["_id"]}, r, upsert=True) for r in rows], ordered=False
            )
        if none_of:
            await self._obligations.update_many(
                {"_id": {"$in": sorted(none_of)}, "closed_at": None}, {"$set": {"closed_at": now, "next_at": None}}
            )
