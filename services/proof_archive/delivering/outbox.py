"""Deliveries on their way to the log: kept in MongoDB before the proof is answered, published a moment later.

A proof must be available when Kafka is not: what is written here (majority, journal) is published when it comes back, and only
then removed. At least once: a crash between the two publishes the same event again, under the same id.

outbox {_id: delivery, facts, at, by, settle} — `by`: the instance that publishes it first; another takes over after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.proof_archive.delivering.event import Delivered, outgoing
from shared.clock import Clock
from shared.instants import format_instant
from shared.kafka.batch import INFRASTRUCTURE
from shared.kafka.publisher import Publisher
from shared.metrics import Metrics
from shared.mongo import Client, Document, database

BATCH = 500
IDLE_S = 1.0
"""How long the publisher sleeps where nothing was handed over."""
BACKOFF_MOST_S = 10.0
TAKE_OVER = timedelta(seconds=60)
"""Age from which an instance publishes what another has left behind."""
LATE = timedelta(minutes=5)
"""Age from which a delivery that is not in the log is an obligation."""

Settle = Callable[[Sequence[Document]], Awaitable[None]]
"""Given the rows that were published, before they are removed: must be idempotent."""


class Outbox:
    """The deliveries of one deployment that are not in the log yet."""

    def __init__(self, client: Client, publisher: Publisher, clock: Clock, metrics: Metrics, log: Any) -> None:
        self._rows = database(client, "archive").outbox
        self._publisher, self._clock, self._metrics, self._log = publisher, clock, metrics, log
        self._me = uuid.uuid4().hex
        self._new = asyncio.Event()
        self.settle: list[Settle] = []

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index([("by", 1), ("at", 1)])
        await self._rows.create_index("at")

    async def keep(self, delivered: Delivered) -> None:
        """Keep a delivery, durably: once this returns, it will be in the log. Raises what MongoDB raises."""
        row = {"_id": delivered.id, "facts": delivered.facts(), "at": delivered.at, "by": self._me}
        await self._rows.insert_one(row)
        self._metrics.proofs_delivered.labels(delivered.format, delivered.audience.scope).inc()
        self._new.set()

    async def publish(self) -> int:
        """Publish what waits, oldest first; returns how many. Raises what the engines raise: then nothing is removed."""
        left = self._clock.now() - TAKE_OVER
        query = {"$or": [{"by": self._me}, {"at": {"$lt": left}}]}
        rows = await self._rows.find(query).sort("at", 1).limit(BATCH).to_list()
        if rows:
            await self._publisher.send_all([outgoing(row["facts"]) for row in rows])
            for settle in self.settle:
                await settle(rows)
            await self._rows.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
        self._metrics.outbox.set(await self._rows.count_documents({}, limit=10 * BATCH))
        return len(rows)

    async def run(self) -> None:
        """Publish for ever. An engine that is away is waited for, with jittered back-off."""
        delay = IDLE_S
        while True:
            self._new.clear()
            try:
                published = await self.publish()
            except INFRASTRUCTURE as error:
                self._log.warning("deliveries of proofs wait to be archived", seconds=delay, exc_info=error)
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                delay = min(BACKOFF_MOST_S, delay * 2)
                continue
            delay = IDLE_S
            if published < BATCH:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_S * 30):
                        await self._new.wait()
                await asyncio.sleep(IDLE_S / 4)  # several deliveries, one batch

    async def owed(self) -> list[dict[str, Any]]:
        """The deliveries that should be in the log by now, as one obligation."""
        late = {"at": {"$lt": self._clock.now() - LATE}}
        oldest = await self._rows.find_one(late, sort=[("at", 1)])
        if oldest is None:
            return []
        at: datetime = oldest["at"]
        return [
            {
                "id": "proof.delivered:outbox", "kind": "proof.unarchived", "owner": "operator",
                "cause": "proofs were delivered that are not in the log yet: Kafka does not take them",
                "opened_at": format_instant(at), "due_at": format_instant(at + LATE), "next_at": format_instant(self._clock.now()),
                "refs": {"deliveries": await self._rows.count_documents(late, limit=10 * BATCH)},
            }
        ]  # fmt: skip
