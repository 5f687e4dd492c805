"""The durable queue in MongoDB (database `webhook_relay`), and what is known of each endpoint.

`deliveries`: one row an event and party, `_id` = `<party>/<webhook-id>`, so that an event read twice waits once. `state`:
`queued` (with its sealed body), `delivered` (body gone; forgotten after a day), `given_up` (body gone; until replayed).
`endpoints`: one row a party: who sends for it (a lease), its breaker, whether it is disabled. Times are BSON dates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.webhook_relay.domain import Breaker
from shared.mongo import Client, Document, database, duplicates

QUEUED, DELIVERED, GIVEN_UP = "queued", "delivered", "given_up"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event that waits for its party. `thread`: events of one thread are sent in the order of `place`."""

    id: str
    party: str
    message: str
    kind: str
    key: str
    type: str
    thread: str
    place: int
    first_at: datetime
    due_at: datetime
    next_at: datetime
    body: bytes
    attempts: int = 0
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is known of a party's endpoint. `disabled`: the address that answered 410."""

    breaker: Breaker = field(default_factory=Breaker)
    disabled: str | None = None


class Store:
    """Each method is a constant number of database calls."""

    def __init__(self, client: Client, name: str = "webhook_relay") -> None:
        self._db = database(client, name)
        self._rows, self._endpoints = self._db["deliveries"], self._db["endpoints"]

    async def prepare(self, keep_delivered: float) -> None:
        """Create the indexes."""
        await self._rows.create_index(
            [("state", ASCENDING), ("party", ASCENDING), ("next_at", ASCENDING), ("place", ASCENDING)]
        )
        await self._rows.create_index(
            [("party", ASCENDING), ("thread", ASCENDING)], partialFilterExpression={"state": QUEUED}
        )
        await self._rows.create_index([("first_at", ASCENDING)], partialFilterExpression={"state": QUEUED})
        await self._forget_after(int(keep_delivered))

    async def _forget_after(self, seconds: int) -> None:
        name = "forget"
        found = (await self._rows.index_information()).get(name)
        if found is not None and found.get("expireAfterSeconds") != seconds:
            await self._rows.drop_index(name)
        await self._rows.create_index([("done_at", ASCENDING)], expireAfterSeconds=seconds, name=name)

    async def put(self, rows: Sequence[Waiting]) -> int:
        """Queue the events that were not; returns how many. In order, so that a reader sees a prefix of them."""
        if not rows:
            return 0
        try:
            await self._rows.insert_many([_document(row) for row in rows], ordered=False)
        except BulkWriteError as error:
            return len(rows) - len(duplicates(error))
        return len(rows)

    async def put_again(self, rows: Sequence[Waiting]) -> int:
        """Queue events whatever became of them before (a replay)."""
        if rows:
            await self._rows.bulk_write(
                [ReplaceOne({"_id": row.id}, _document(row), upsert=True) for row in rows], ordered=True
            )
        return len(rows)

    async def due(self, party: str, now: datetime, limit: int) -> list[Waiting]:
        """Events that may be tried now, in the order in which they came."""
        query = {"state": QUEUED, "party": party, "next_at": {"$lte": now}}
        found = self._rows.find(query).sort([("next_at", ASCENDING), ("place", ASCENDING)]).limit(limit)
        return [_waiting(row) async for row in found]

    async def threads(self, party: str, threads: Collection[str]) -> dict[str, list[tuple[int, str, datetime]]]:
        """Everything queued on these threads, whether due or not, first place first: (place, id, when it is due)."""
        query = {"party": party, "thread": {"$in": list(threads)}, "state": QUEUED}
        found: dict[str, list[tuple[int, str, datetime]]] = {}
        async for row in self._rows.find(query, {"thread": 1, "place": 1, "next_at": 1}):
            found.setdefault(row["thread"], []).append((row["place"], row["_id"], row["next_at"]))
        return {thread: sorted(rows) for thread, rows in found.items()}

    async def next_due(self, party: str) -> datetime | None:
        """When the first event of a party may be tried; None where none waits."""
        query = {"state": QUEUED, "party": party}
        row = await self._rows.find_one(query, {"next_at": 1}, sort=[("next_at", ASCENDING)])
        return None if row is None else row["next_at"]

    async def next_by_party(self) -> dict[str, datetime]:
        """The same of every party that has any: one index step a party, whatever waits."""
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"state": QUEUED}},
            {"$sort": {"state": 1, "party": 1, "next_at": 1, "place": 1}},
            {"$group": {"_id": "$party", "next": {"$first": "$next_at"}}},
        ]
        return {row["_id"]: row["next"] async for row in await self._rows.aggregate(pipeline)}

    async def waiting(self, party: str, most: int) -> int:
        """How many events of a party wait, counted up to `most`."""
        return await self._rows.count_documents({"state": QUEUED, "party": party}, limit=most)

    async def settle(
        self, delivered: Sequence[tuple[str, str, datetime]], again: Sequence[tuple[Waiting, datetime, str, bool]]
    ) -> None:
        """Write outcomes in one call. `delivered`: (id, code, when); `again`: (row, next, cause, whether it was tried)."""
        operations: list[UpdateOne] = [
            UpdateOne(
                {"_id": identity},
                {
                    "$set": {"state": DELIVERED, "code": code, "done_at": at},
                    "$unset": {"body": "", "next_at": ""},
                    "$inc": {"attempts": 1},
                },
            )
            for identity, code, at in delivered
        ]
        operations += [
            UpdateOne(
                {"_id": row.id, "state": QUEUED},
                {"$set": {"next_at": at, "code": cause}, "$inc": {"attempts": 1 if tried else 0}},
            )
            for row, at, cause, tried in again
        ]
        if operations:
            await self._rows.bulk_write(operations, ordered=False)

    async def pull_forward(self, party: str, now: datetime) -> None:
        """The endpoint works again: what waited for it is due, but for events that it refused for themselves."""
        query = {
            "state": QUEUED,
            "party": party,
            "next_at": {"$gt": now},
            "code": {"$not": {"$in": list(_EVENT_CODES)}},
        }
        await self._rows.update_many(query, {"$set": {"next_at": now}})

    async def give_up(self, first_before: datetime) -> int:
        """Give up what is too old; its content goes, its name stays until it is replayed."""
        result = await self._rows.update_many(
            {"state": QUEUED, "first_at": {"$lt": first_before}},
            {"$set": {"state": GIVEN_UP}, "$unset": {"body": "", "next_at": ""}},
        )
        return result.modified_count

    async def of_state(self, state: str, party: str | None, limit: int) -> list[Waiting]:
        """Rows for who looks at them, without their bodies; of one party or of all."""
        query = {"state": state, **({"party": party} if party is not None else {})}
        found = self._rows.find(query, {"body": 0}).sort([("next_at", ASCENDING), ("place", ASCENDING)]).limit(limit)
        return [_waiting(row) async for row in found]

    async def endpoint(self, party: str) -> Endpoint:
        """What is known of one endpoint."""
        return _endpoint(await self._endpoints.find_one({"_id": party}) or {})

    async def endpoints(self) -> dict[str, Endpoint]:
        """What is known of all."""
        return {row["_id"]: _endpoint(row) async for row in self._endpoints.find()}

    async def keep(self, party: str, endpoint: Endpoint) -> None:
        """Remember an endpoint's state."""
        b = endpoint.breaker
        state = {
            "disabled": endpoint.disabled, "failures": b.failures, "opened": b.opened, "until": b.until,
            "cause": b.cause, "since": b.since,
        }  # fmt: skip
        await self._endpoints.update_one({"_id": party}, {"$set": state}, upsert=True)

    async def lease(self, party: str, owner: str, now: datetime, seconds: float) -> bool:
        """Become, or stay, the one instance that sends to a party."""
        free = {"$or": [{"owner": owner}, {"owner": None}, {"held_until": {"$lt": now}}]}
        held = {"$set": {"owner": owner, "held_until": now + timedelta(seconds=seconds)}}
        try:
            result = await self._endpoints.update_one({"_id": party, **free}, held, upsert=True)
        except DuplicateKeyError:
            return False  # someone else's
        return bool(result.matched_count or result.upserted_id)

    async def release(self, party: str, owner: str) -> None:
        """Let others have it."""
        await self._endpoints.update_one({"_id": party, "owner": owner}, {"$set": {"owner": None}})


_EVENT_CODES = ("400", "409", "413", "415", "422")


def _document(row: Waiting) -> Document:
    return {
        "_id": row.id, "state": QUEUED, "party": row.party, "message": row.message, "kind": row.kind, "key": row.key,
        "type": row.type, "thread": row.thread, "place": row.place, "first_at": row.first_at, "due_at": row.due_at,
        "next_at": row.next_at, "attempts": row.attempts, "code": row.code, "body": row.body,
    }  # fmt: skip


def _waiting(row: Mapping[str, Any]) -> Waiting:
    return Waiting(
        id=row["_id"], party=row["party"], message=row["message"], kind=row["kind"], key=row["key"], type=row["type"],
        thread=row["thread"], place=row["place"], first_at=row["first_at"], due_at=row["due_at"],
        next_at=row.get("next_at", row["due_at"]), body=row.get("body", b""), attempts=row["attempts"], code=row["code"],
    )  # fmt: skip


def _endpoint(row: Mapping[str, Any]) -> Endpoint:
    breaker = Breaker(
        row.get("failures", 0), row.get("opened", 0), row.get("until"), row.get("cause"), row.get("since")
    )  # fmt: skip
    return Endpoint(breaker, row.get("disabled"))
