"""Deliveries and obligations in MongoDB (database `rights`). No row is ever taken by two instances: changes compare `rev`."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any

from pymongo import ASCENDING, UpdateOne

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Instant
from services.rights_handler.index import insert_new
from services.rights_handler.ports import Obligation
from services.rights_handler.rows import changing_values, delivery_of, delivery_row, obligation_of, obligation_row
from shared.mongo import Client, Document, database

STANDING_MOST = 100_000
"""Open orders that are counted: beyond, the counts are of these."""


class MongoLedger:
    """`ports.Ledger` on MongoDB."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        rights = database(client, name)
        self._deliveries, self._obligations = rights["deliveries"], rights["obligations"]

    async def prepare(self) -> None:
        """Create the indexes. Only open rows stand in the one of the scheduler."""
        await self._deliveries.create_index([("stop", ASCENDING)])
        await self._deliveries.create_index(
            [("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )
        await self._deliveries.create_index(
            [("party", ASCENDING), ("ack_due_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )
        await self._obligations.create_index([("closed_at", ASCENDING), ("due_at", ASCENDING)])

    async def open_deliveries(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Insert; of rows that were there (whose orders are returned), raise `may_hold` where a permission may be out."""
        collided = await insert_new(self._deliveries, [delivery_row(delivery) for delivery in deliveries])
        holding = [row["_id"] for row in collided if row["may_hold"]]
        if holding:
            await self._deliveries.update_many(
                {"_id": {"$in": holding}, "may_hold": False}, {"$set": {"may_hold": True}, "$inc": {"rev": 1}}
            )
        return {row["_id"] for row in collided}

    async def unpublished(self, orders: Collection[str]) -> list[Delivery]:
        """By order, where not published."""
        return await self._find({"_id": {"$in": list(orders)}, "published": False}) if orders else []

    async def mark_published(self, orders: Collection[str]) -> None:
        """One update. It counts as a change, so that an answer read just before cannot undo it."""
        if orders:
            await self._deliveries.update_many(
                {"_id": {"$in": list(orders)}, "published": False}, {"$set": {"published": True}, "$inc": {"rev": 1}}
            )

    async def deliveries(self, orders: Collection[str]) -> list[Delivery]:
        """By order."""
        return await self._find({"_id": {"$in": list(orders)}}) if orders else []

    async def deliveries_of_stop(self, stop: str) -> list[Delivery]:
        """By stop."""
        return await self._find({"stop": stop})

    async def due_deliveries(self, now: Instant, limit: int) -> list[Delivery]:
        """Oldest first."""
        query = {"next_at": {"$type": "string", "$lte": now}}
        found = self._deliveries.find(query).sort("next_at", ASCENDING).limit(limit)
        return [delivery_of(row) async for row in found]

    async def waiting_deliveries(self, party: str | None, limit: int) -> list[Delivery]:
        """Open rows, the first due first; of one party or of all."""
        query: Document = {"next_at": {"$type": "string"}, **({"party": party} if party is not None else {})}
        found = self._deliveries.find(query).sort("ack_due_at", ASCENDING).limit(limit)
        return [delivery_of(row) async for row in found]

    async def standing(self, now: Instant) -> dict[str, Any]:
        """Counts of open rows and of the stops they are of, of `STANDING_MOST` rows at most."""
        late = {"$lt": ["$ack_due_at", now]}
        stages: list[Document] = [
            {"$match": {"next_at": {"$type": "string"}}},
            {"$limit": STANDING_MOST},
            {"$group": {"_id": "$stop", "open": {"$sum": 1}, "late": {"$sum": {"$cond": [late, 1, 0]}}}},
            {"$group": {
                "_id": None, "stops_open": {"$sum": 1}, "orders_open": {"$sum": "$open"}, "orders_late": {"$sum": "$late"},
                "stops_late": {"$sum": {"$cond": [{"$gt": ["$late", 0]}, 1, 0]}},
            }},
        ]  # fmt: skip
        found = await (await self._deliveries.aggregate(stages)).to_list()
        counts = dict.fromkeys(("stops_open", "stops_late", "orders_open", "orders_late"), 0)
        counts |= {name: int(count) for name, count in (found[0] if found else {}).items() if name in counts}
        return {**counts, "complete": counts["orders_open"] < STANDING_MOST}

    async def save_deliveries(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Compare-and-set on `rev` in one call; a mark of this call tells which were won when not all were."""
        if not deliveries:
            return set()
        mark = secrets.token_hex(8)
        result = await self._deliveries.bulk_write([_replacement(d, mark) for d in deliveries], ordered=False)
        orders = {delivery.order for delivery in deliveries}
        if result.matched_count == len(orders):
            return orders
        return {
            row["_id"] async for row in self._deliveries.find({"_id": {"$in": list(orders)}, "by": mark}, {"_id": 1})
        }

    async def open_obligations(self, obligations: Sequence[Obligation]) -> None:
        """Insert those that are new."""
        await insert_new(self._obligations, [obligation_row(obligation) for obligation in obligations])

    async def obligation(self, obligation_id: str) -> Obligation | None:
        """By id."""
        row = await self._obligations.find_one({"_id": obligation_id})
        return None if row is None else obligation_of(row)

    async def close_obligations(self, ids: Collection[str], at: Instant) -> None:
        """One update."""
        if ids:
            await self._obligations.update_many(
                {"_id": {"$in": list(ids)}, "closed_at": None}, {"$set": {"closed_at": at, "next_at": None}}
            )

    async def obligations(self, owner: str | None, limit: int) -> list[Obligation]:
        """Open ones, the first due first; of one owner or of all."""
        query: Document = {"closed_at": None, **({"owner": owner} if owner is not None else {})}
        found = self._obligations.find(query).sort("due_at", ASCENDING).limit(limit)
        return [obligation_of(row) async for row in found]

    async def _find(self, query: dict[str, Any]) -> list[Delivery]:
        return [delivery_of(row) async for row in self._deliveries.find(query)]


def _replacement(delivery: Delivery, mark: str) -> UpdateOne:
    """What may change of a row; its order, its stop and their scope never do."""
    return UpdateOne(
        {"_id": delivery.order, "rev": delivery.rev - 1}, {"$set": {**changing_values(delivery), "by": mark}}
    )
