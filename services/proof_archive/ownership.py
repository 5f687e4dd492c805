"""Which logs this instance owns, and where they stand (proof.md, step 0).

An instance owns a log from the moment it raised its epoch until another raises it again. What is kept here is a copy of
the committed heads and of the right edge of their trees: after any doubt it is read again, never guessed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.proof_archive.growth import Edge
from services.proof_archive.halts import Halts
from services.proof_archive.rows import Head
from services.proof_archive.store import Store
from shared.errors import IntegrityError
from shared.kafka.batch import BACKOFF_FIRST_S, BACKOFF_MOST_S, INFRASTRUCTURE

OriginOf = Callable[[str, int], Awaitable[str]]
"""Name of the log of a topic's partition. Raises `Unavailable` while the registry does not know the topic."""


@dataclass(frozen=True, slots=True)
class OwnedLog:
    """A log as last committed. Replaced, never changed: the identity of its head tells one ownership from the next."""

    head: Head
    edge: Edge


class Ownership:
    """The logs of one instance. A new assignment replaces everything at once."""

    def __init__(self, store: Store, origin_of: OriginOf, halts: Halts, log: Any) -> None:
        self._store, self._origin_of, self._halts, self._log = store, origin_of, halts, log
        self._consumer: AIOKafkaConsumer = None
        self._forget()

    def _forget(self) -> None:
        self._logs: dict[TopicPartition, OwnedLog] = {}
        self._origins: dict[TopicPartition, str] = {}
        self._doubtful: set[TopicPartition] = set()
        self._sought: dict[TopicPartition, int] = {}

    async def assigned(self, partitions: set[TopicPartition], consumer: AIOKafkaConsumer) -> None:
        """Own the logs of these partitions and stand where their heads say. Waits for an engine that is away."""
        self._consumer = consumer
        self._forget()
        failures = 0
        while partitions:
            try:
                await self._claim(sorted(partitions))
            except INFRASTRUCTURE as error:
                failures += 1
                delay = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0)
                self._log.warning("logs not claimed yet, waiting", attempt=failures, seconds=delay, exc_info=error)
                await asyncio.sleep(delay)
            else:
                return

    def get(self, tp: TopicPartition) -> OwnedLog | None:
        """The log of a partition, if it is ours."""
        return self._logs.get(tp)

    def holds(self, tp: TopicPartition, head: Head) -> bool:
        """Whether this very head is still the one we own: not claimed anew, nor read again, since it was given out."""
        owned = self._logs.get(tp)
        return owned is not None and owned.head is head

    def moved(self, tp: TopicPartition, head: Head, edge: Edge) -> None:
        """The head was committed."""
        self._logs[tp] = OwnedLog(head, edge)

    def lost(self, tp: TopicPartition) -> None:
        """Another instance raised the epoch."""
        owned = self._logs.pop(tp)
        self._log.warning("fenced: another instance holds the log", origin=owned.head.origin, epoch=owned.head.epoch)

    def doubt(self, partitions: Iterable[TopicPartition]) -> None:
        """Whether a commit happened is unknown: `settle` must read these heads before they are used."""
        self._doubtful |= set(partitions)

    async def settle(self) -> None:
        """Read again the heads in doubt. A head under another epoch is no longer ours."""
        logs = self._logs  # a new assignment replaces this very object: then its heads count, and these are dropped
        for tp in sorted(self._doubtful & logs.keys()):
            before = logs[tp].head
            head = (await self._store.heads([before.origin]))[before.origin]
            if head.epoch == before.epoch:
                await self._load(logs, tp, head)
            else:
                del logs[tp]
            if logs is not self._logs:
                return
            self._doubtful.discard(tp)

    async def contradiction(self, tp: TopicPartition, origin: str, error: IntegrityError) -> None:
        """The store contradicts this log: stop it."""
        self._logs.pop(tp, None)
        await self._halts.contradiction(self._consumer, tp, origin, error)

    async def continues(self, tp: TopicPartition, head: Head, offset: int) -> bool:
        """Whether `offset` is what follows the head. If not: go back to the head's position, or halt on what was deleted.

        A hole that is still there after asking from the head's position holds no record (control batches).
        """
        if offset == head.next_offset or self._sought.get(tp) == head.next_offset:
            return True
        begin = (await self._consumer.beginning_offsets([tp]))[tp]
        if begin > head.next_offset:
            self._logs.pop(tp, None)
            await self._halts.gap(self._consumer, tp, head.origin, head.next_offset, begin)
        else:
            self._sought[tp] = head.next_offset
            self._consumer.seek(tp, head.next_offset)
        return False

    def problems(self) -> list[str]:
        """What does not advance here: halted logs, and partitions of ours whose log another instance holds."""
        assigned = self._consumer.assignment() if self._consumer is not None else ()
        elsewhere = [
            f"{tp.topic}/{tp.partition}: its log is not held here"
            for tp in sorted(assigned)
            if tp not in self._logs and not self._halts.is_halted(self._origins.get(tp, ""))
        ]
        return self._halts.sentences() + elsewhere

    async def _claim(self, partitions: list[TopicPartition]) -> None:
        logs = self._logs
        self._origins = {tp: await self._origin_of(tp.topic, tp.partition) for tp in partitions}
        claimed = await asyncio.gather(*map(self._store.claim, self._origins.values()))
        begins, ends = await asyncio.gather(
            self._consumer.beginning_offsets(partitions), self._consumer.end_offsets(partitions)
        )
        await self._halts.forget(self._origins.values())
        for tp, head in zip(partitions, claimed, strict=True):
            # A halted partition needs a position, too: without one the consumer would fail for all of them.
            self._consumer.seek(tp, min(max(head.next_offset, begins[tp]), ends[tp]))
            if head.next_offset < begins[tp]:
                await self._halts.gap(self._consumer, tp, head.origin, head.next_offset, begins[tp])
            elif head.next_offset > ends[tp]:
                await self._halts.kafka_behind(self._consumer, tp, head.origin, head.next_offset, ends[tp])
            else:
                await self._load(logs, tp, head)

    async def _load(self, logs: dict[TopicPartition, OwnedLog], tp: TopicPartition, head: Head) -> None:
        try:
            edges = await self._store.edges([head])
        except IntegrityError as error:
            logs.pop(tp, None)
            await self._halts.contradiction(self._consumer, tp, head.origin, error)
        else:
            logs[tp] = OwnedLog(head, edges[head.origin])
