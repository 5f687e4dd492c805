"""The deliveries of one party: a bounded number at once, in order where order matters, written down in groups.

Order is kept per thread (a record's permissions, one order and its reminders, one request, one event's receipts): an event
is sent when those before it on its thread were delivered or given up. Threads overtake each other. The row is the truth;
what is here in memory is lost without harm: at worst what was under way is sent again, under the same webhook-id.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.webhook_relay.domain import Answer, Policy
from services.webhook_relay.outcomes import Again, judge
from services.webhook_relay.sending import Sending
from services.webhook_relay.store import Endpoint, Store, Waiting
from shared.clock import Clock
from shared.errors import IntegrityError
from shared.kafka.batch import INFRASTRUCTURE
from shared.kafka.publisher import Publisher
from shared.metrics import Metrics

WINDOW = 256
"""Events in hand at once."""
GROUP_S = 0.005
"""Outcomes of so many seconds are written together."""
LINGER_S = 1.0
"""A lane without work ends after it."""
BACKOFF_S = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """What every lane needs."""

    store: Store
    sending: Sending
    publisher: Publisher
    clock: Clock
    policy: Policy
    concurrency: int
    lease_s: float
    owner: str
    metrics: Metrics
    log: Any


class Lane:
    """Runs until nothing is due, the endpoint is left alone, or another instance has it. `resume_at`: not before."""

    def __init__(self, party: str, parts: Parts) -> None:
        self.party, self._p = party, parts
        self.resume_at: datetime | None = None
        self._endpoint = Endpoint()
        self._in_hand: set[str] = set()
        self._threads: dict[str, deque[Waiting]] = {}
        self._ready: deque[str] = deque()
        self._sending: set[asyncio.Task[None]] = set()
        self._outcomes: list[tuple[Waiting, Answer]] = []
        self._moved, self._lock = asyncio.Event(), asyncio.Lock()
        self._more = True
        self._leased_at: datetime | None = None
        self._writer: asyncio.Task[None] | None = None

    @property
    def woken(self) -> bool:
        """Whether there may be more to do."""
        return self._more

    def wake(self) -> None:
        """Something was queued."""
        self._more = True
        self._moved.set()

    async def run(self) -> None:
        """See the class."""
        if not await self._hold(self._p.clock.now()):
            return
        self._endpoint = await self._p.store.endpoint(self.party)
        try:
            while await self._step():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LINGER_S):
                        await self._moved.wait()
                self._moved.clear()
        finally:
            await self._end()

    async def _step(self) -> bool:
        """Start what may start; False when there is nothing left to wait for."""
        now = self._p.clock.now()
        if not await self._may_send(now):
            self._drop_unsent()
            return bool(self._sending or self._outcomes or self._busy())
        if self._more and len(self._in_hand) < WINDOW // 2:
            await self._refill(now)
        self._launch()
        if self._in_hand:
            return True
        due = await self._p.store.next_due(self.party)
        self._more = self._more or (due is not None and due <= self._p.clock.now())
        return self._more or (due is not None and due <= now + timedelta(seconds=LINGER_S))

    async def _may_send(self, now: datetime) -> bool:
        if not await self._hold(now):
            return False
        url = self._p.sending.url(self.party)
        if self._endpoint.disabled is not None and self._endpoint.disabled != url:
            self._endpoint = Endpoint()  # another address: what the former one answered says nothing of it
            await self._p.store.keep(self.party, self._endpoint)
            await self._p.store.pull_forward(self.party, now)
        if url is None or self._endpoint.disabled is not None:
            self.resume_at = now + timedelta(seconds=self._p.lease_s)
            return False
        self.resume_at = self._endpoint.breaker.until
        return not self._endpoint.breaker.open_at(now)

    async def _hold(self, now: datetime) -> bool:
        if self._leased_at is None or (now - self._leased_at).total_seconds() > self._p.lease_s / 3:
            if not await self._p.store.lease(self.party, self._p.owner, now, self._p.lease_s):
                self._leased_at = None
                self.resume_at = now + timedelta(seconds=self._p.lease_s / 3)
                return False
            self._leased_at = now
        return True

    async def _refill(self, now: datetime) -> None:
        async with self._lock:  # never between an outcome and its being written
            self._more = False
            limit = WINDOW + len(self._in_hand)
            rows = await self._p.store.due(self.party, now, limit)
            self._more = self._more or len(rows) == limit
            fresh = {row.id: row for row in rows if row.id not in self._in_hand}
            if not fresh:
                return
            behind: list[Again] = []
            standing = await self._p.store.threads(self.party, {row.thread for row in fresh.values()})
            for thread, queued in standing.items():
                blocked: datetime | None = None
                for _, identity, due_at in queued:
                    row = fresh.get(identity)
                    if row is not None and blocked is None:
                        self._accept(thread, row)
                    elif row is not None and blocked is not None:
                        behind.append((row, blocked, "behind", False))
                    elif identity not in self._in_hand and blocked is None:
                        blocked = due_at  # what comes after it waits as long, and sorts after it
            await self._p.store.settle([], behind)

    def _accept(self, thread: str, row: Waiting) -> None:
        self._in_hand.add(row.id)
        if thread in self._threads:
            self._threads[thread].append(row)
        else:
            self._threads[thread] = deque([row])
            self._ready.append(thread)

    def _launch(self) -> None:
        probing = self._endpoint.breaker.probing
        if probing and (self._outcomes or self._busy()):
            return
        limit = 1 if probing else self._p.concurrency
        while self._ready and len(self._sending) < limit:
            row = self._threads[self._ready.popleft()][0]
            task = asyncio.create_task(self._deliver(row))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _deliver(self, row: Waiting) -> None:
        try:
            answer = await self._p.sending.attempt(row)
        except IntegrityError as error:
            self._p.log.error("a waiting event cannot be opened", party=self.party, exc_info=error)
            answer = Answer(None, "SEALED")
        self._outcomes.append((row, answer))
        if not self._busy():
            self._writer = asyncio.create_task(self._write())
        self._moved.set()

    def _busy(self) -> bool:
        return self._writer is not None and not self._writer.done()

    async def _write(self) -> None:
        while self._outcomes:
            await asyncio.sleep(GROUP_S)
            async with self._lock:
                taken, self._outcomes = self._outcomes, []
                while True:
                    try:
                        await self._settle(taken)
                        break
                    except INFRASTRUCTURE as error:
                        self._p.log.warning("outcomes not written yet, again", party=self.party, exc_info=error)
                        await asyncio.sleep(BACKOFF_S)
            self._moved.set()

    async def _settle(self, taken: list[tuple[Waiting, Answer]]) -> None:
        """Acknowledgements first, then the rows, then the endpoint: a crash in between sends again, and loses none."""
        now = self._p.clock.now()
        judged = judge(
            taken, self._endpoint, now, self._p.policy, url=self._p.sending.url(self.party),
            after=lambda row: list(self._threads[row.thread])[1:],
        )  # fmt: skip
        acks = [
            ack for row, answer in judged.delivered if (ack := self._p.sending.acknowledged(row, answer)) is not None
        ]
        await self._p.publisher.send_all(acks)
        done = [row for row, _ in judged.delivered]
        await self._p.store.settle([(row.id, answer.code, now) for row, answer in judged.delivered], judged.again)
        if judged.endpoint != self._endpoint:
            await self._p.store.keep(self.party, judged.endpoint)
        if self._endpoint.breaker.probing and not judged.endpoint.breaker.probing:
            await self._p.store.pull_forward(self.party, now)
            self._more = True
        self._endpoint = judged.endpoint
        for _, answer in taken:
            self._p.metrics.webhooks.labels(answer.meaning.value).inc()
        self._forget(done, [row for row, _, _, _ in judged.again])

    def _forget(self, done: list[Waiting], again: list[Waiting]) -> None:
        for row in done:
            rows = self._threads[row.thread]
            rows.popleft()
            if rows:
                self._ready.append(row.thread)
            else:
                del self._threads[row.thread]
        for row in again:
            self._threads.pop(row.thread, None)
        self._in_hand -= {row.id for row in (*done, *again)}

    def _drop_unsent(self) -> None:
        """Leave to the database what has not been started."""
        for thread in self._ready:
            self._in_hand -= {row.id for row in self._threads.pop(thread)}
        self._ready.clear()

    async def _end(self) -> None:
        """Give what is under way a moment, write what is known, let go."""
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=LINGER_S / 2)
        for task in set(self._sending):
            task.cancel()
        if self._writer is not None:
            await self._writer
        if self._leased_at is not None:
            await self._p.store.release(self.party, self._p.owner)
