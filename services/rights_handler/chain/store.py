"""Volumes and delays in MongoDB (database `rights`): two calls a batch; a page reads edges, never history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, UpdateOne

from services.rights_handler.chain.volumes import Added, Place, percentile
from services.rights_handler.chain.volumes import added as added_by
from services.rights_handler.decoding import Internal
from services.rights_handler.index import insert_new
from shared.instants import format_instant, parse_instant
from shared.kafka.record import Record
from shared.mongo import Client, Document, database

COUNTS = ("consents", "valid", "review", "invalid")
EDGES_MOST = 2000
ORDERS_MOST = 2000
"""Orders that a party's delays are measured on: the newest of the period."""
PERIOD = timedelta(days=30)
WAITING_MOST = 100_000
WAITING: Document = {"$type": "string"}


class MongoChain:
    """Rows of `chain`, and what `deliveries` say of delays."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        rights = database(client, name)
        self._chain, self._deliveries = rights["chain"], rights["deliveries"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._chain.create_index([("collector", ASCENDING)])
        await self._chain.create_index([("recipient", ASCENDING)])
        await self._deliveries.create_index([("party", ASCENDING), ("ordered_at", DESCENDING)])

    async def after_verdicts(self, batch: Sequence[tuple[Record, Internal]]) -> None:
        """Count a batch of verdicts: one read and one write, whatever its size."""
        await self.count(added_by((record.partition, record.offset, event.facts) for record, event in batch))

    async def count(self, added: Mapping[Place, Added]) -> None:
        """Add volumes, each record once: what an edge was counted up to is compared in the same write."""
        if not added:
            return
        by_id = {place.id: (place, one) for place, one in added.items()}
        upto = {row["_id"]: row["upto"] async for row in self._chain.find({"_id": {"$in": sorted(by_id)}}, {"upto": 1})}
        await insert_new(self._chain, [_row(p, a) for name, (p, a) in by_id.items() if name not in upto])
        changes = [
            UpdateOne(
                {"_id": name, "upto": upto[name]},
                {"$inc": dict(more), "$set": {"upto": one.end}, "$max": {"last_at": one.last_at}},
            )
            for name, (_, one) in by_id.items()
            if name in upto and (more := one.beyond(upto[name]))
        ]
        if changes:
            await self._chain.bulk_write(changes, ordered=False)

    async def edges(self, collector: str | None, recipient: str | None) -> list[Document]:
        """The edges of the chain, the largest first, at most `EDGES_MOST`."""
        named = (("collector", collector), ("recipient", recipient))
        key = {"collector": "$collector", "list": "$list", "recipient": "$recipient"}
        pipeline: list[Document] = [
            {"$match": {name: value for name, value in named if value}},
            {"$group": {"_id": key, "last_at": {"$max": "$last_at"}, **{n: {"$sum": f"${n}"} for n in COUNTS}}},
            {"$sort": {"consents": DESCENDING, "_id": ASCENDING}},
            {"$limit": EDGES_MOST},
        ]
        found = await self._chain.aggregate(pipeline)
        return [{**row.pop("_id"), **row} async for row in found]

    async def late(self, now: str) -> dict[str, int]:
        """Orders that wait past their due time, by party."""
        pipeline: list[Document] = [
            {"$match": {"next_at": WAITING, "ack_due_at": {"$lt": now}}},
            {"$limit": WAITING_MOST},
            {"$group": {"_id": "$party", "n": {"$sum": 1}}},
        ]
        return {row["_id"]: row["n"] async for row in await self._deliveries.aggregate(pipeline)}

    async def levels(self, party: str, now: datetime) -> dict[str, Any]:
        """How soon a party answered the orders of the last 30 days: the newest `ORDERS_MOST` of them. Seconds."""
        since, at = format_instant(now - PERIOD), format_instant(now)
        fields = {"ordered_at": 1, "ack_due_at": 1, "state": 1, "history": 1}
        query = {"party": party, "ordered_at": {"$gte": since}}
        rows = await self._deliveries.find(query, fields).sort("ordered_at", -1).limit(ORDERS_MOST).to_list()
        delays, late, waiting = [], 0, 0
        for row in rows:
            answered = next((e["at"] for e in row["history"] if e["what"] == "acknowledged"), None)
            waiting += row["state"] != "closed"
            if answered is not None:
                delays.append((parse_instant(answered) - parse_instant(row["ordered_at"])).total_seconds())
            late += (answered or at) > row["ack_due_at"]
        return {
            "party": party, "since": since, "orders": len(rows), "sampled": len(rows) == ORDERS_MOST,
            "answered": len(delays), "waiting": waiting, "late": late,
            "p50_s": percentile(delays, 0.5), "p99_s": percentile(delays, 0.99), "worst_s": max(delays, default=None),
        }  # fmt: skip


def _row(place: Place, one: Added) -> Document:
    counts = one.beyond(-1)
    return {
        "_id": place.id, "collector": place.collector, "list": place.list, "recipient": place.recipient,
        "upto": one.end, "last_at": one.last_at, **{name: counts[name] for name in COUNTS},
    }  # fmt: skip
