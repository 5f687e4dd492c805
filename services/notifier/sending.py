"""Sends what is due: claim, open, hand to the transport of its channel, note the outcome. Opened content lives here only."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from pydantic import ValidationError

from services.notifier.domain import Failed, Outcome, Row, after, closed, expired
from services.notifier.outbox import Outbox, later
from services.notifier.transports.port import Transport
from shared.clock import Clock
from shared.contracts.person_messages import KIND, Content
from shared.crypto.sealing import RecordKey, unseal
from shared.errors import IntegrityError
from shared.instants import format_instant
from shared.metrics import Metrics

LEASE = timedelta(minutes=5)
"""Longer than a batch can take: each message is bounded by the send time-out, and they go side by side."""
BATCH = 8


class Keys(Protocol):
    """Where record keys are read (the vault)."""

    async def read(self, record_ids: set[str]) -> dict[str, RecordKey]:
        """The keys that still exist."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """The loop that sends."""

    outbox: Outbox
    keys: Keys
    transports: Mapping[str, Transport]
    clock: Clock
    every: timedelta
    first_retry: timedelta
    give_up: timedelta
    timeout: float
    metrics: Metrics
    log: Any
    jitter: Callable[[], float] = random.random

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            if await self.sweep() < BATCH:
                await asyncio.sleep(self.every.total_seconds())

    async def sweep(self) -> int:
        """Send what is due now; how many rows were claimed."""
        now = self._now()
        claim, rows = await self.outbox.claim(now, later(now, LEASE), BATCH)
        if rows:
            keys = await self.keys.read({row.owner for row in rows})
            await asyncio.gather(*(self._one(row, keys.get(row.owner), claim) for row in rows))
        return len(rows)

    async def _one(self, row: Row, key: RecordKey | None, claim: str) -> None:
        done = await self._done(row, key)
        if not await self.outbox.release(done, claim):
            self.log.warning("a claim ran out before its message was noted", message=row.id)
        self.metrics.messages.labels(row.channel, done.state if done.state != "waiting" else "deferred").inc()
        if done.state == "failed":
            self.log.warning("message failed", message=row.id, template=row.template, code=done.code)

    async def _done(self, row: Row, key: RecordKey | None) -> Row:
        now = self._now()
        if expired(row, now):
            return closed(row, "expired", "EXPIRED", now)
        if key is None:
            return closed(row, "erased", "OWNER-ERASED", now)
        outcome = await self._sent(row, key)
        return after(row, outcome, self._now(), first=self.first_retry, give_up=self.give_up, jitter=self.jitter())

    async def _sent(self, row: Row, key: RecordKey) -> Outcome:
        try:
            content = opened(row, key)
        except IntegrityError:
            return Failed("SEAL", permanent=True)
        try:
            async with asyncio.timeout(self.timeout):
                return await self.transports[row.channel].send(row, content)
        except TimeoutError:
            return Failed("TIMEOUT", permanent=False)
        except Exception as error:  # one bad message must not stop its neighbours
            self.log.error("a transport failed unexpectedly", message=row.id, exc_info=error)
            return Failed("UNEXPECTED", permanent=False)

    def _now(self) -> str:
        return format_instant(self.clock.now())


def opened(row: Row, key: RecordKey) -> Content:
    """The content of a row. Raises IntegrityError where it is another message's, or does not open."""
    try:
        content = Content.model_validate(unseal(key, KIND, row.owner, row.sealed or b""), strict=False)
    except ValidationError:
        raise IntegrityError("the sealed part is no content of a message") from None
    if (content.id, content.channel) != (row.id, row.channel):
        raise IntegrityError("the sealed part belongs to another message")
    return content
