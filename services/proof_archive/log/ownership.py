"""Which logs this instance owns, and where they stand (proof.md, step 0).

An instance owns a log from the moment it raised its epoch until another raises it again. What is kept here is a copy of
the committed heads and of the right edge of their trees: after any doubt it is read again, never guessed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from services.proof_archive.log.growth import Edge
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.rows import Head
from services.proof_archive.log.store import Store
from shared.errors import IntegrityError
from shared.kafka.batch import INFRASTRUCTURE

OriginOf = Callable[[str, int], Awaitable[str]]
"""Name of the log of a topic's partition. Raises `Unavailable` while the registry does not know the topic."""

CLAIM_S = 4.0
"""How long an assignment waits for the database before it leaves claiming to the first batch."""


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
        self._claiming = asyncio.Lock()  # two claims of one log by one instance would fence each other
        self._forget(())

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        self._unclaimed: set[TopicPartition] = set(partitions)
        self._logs: dict[TopicPartition, OwnedLog] = {}
        self._origins: dict[TopicPartition, str] = {}
        self._doubtful: set[TopicPartition] = set()
        self._sought: dict[TopicPartition, int] = {}

    async def assigned(self, partitions: set[TopicPartition], consumer: AIOKafkaConsumer) -> None:
        """Own the logs of these partitions and stand where their heads say.

        An engine that is away does not hold the group up (Kafka waits for this to return): what is not claimed within
        `CLAIM_S` stands at the beginning of its topic and is claimed by `settle`, before its first record is done.
        """
        self._consumer = consumer
        for tp in partitions:  # before anything is awaited: aiokafka fails for partitions without a position…
            self._seek(tp, 0)
            self._pause(tp)  # …and 0 may lie below the beginning: nothing is fetched from there
        async with self._claiming:
            self._forget(partitions)
            await self._claim_for_a_while()
            for tp in partitions:
                self._resume(tp)

    async def _claim_for_a_while(self) -> None:
        end = time.monotonic() + CLAIM_S
        while True:
            try:
                await self._claim()
            except INFRASTRUCTURE as error:
                self._log.warning("logs not claimed yet", count=len(self._unclaimed), exc_info=error)
                if time.monotonic() > end:
                    return
                await asyncio.sleep(random.uniform(0.5, 1.0) * CLAIM_S / 4)
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
        """Claim what could not be claimed on assignment, and read again the heads in doubt.

        A head under another epoch is no longer ours.
        """
        if self._unclaimed:
            async with self._claiming:
                await self._claim()
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
            self._seek(tp, head.next_offset)
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

    async def _claim(self) -> None:
        """Claim what is unclaimed: stand at the beginnings, raise the epochs, then stand where the heads say."""
        partitions = sorted(self._unclaimed)
        if not partitions:
            return
        begins, ends = await asyncio.gather(
            self._consumer.beginning_offsets(partitions), self._consumer.end_offsets(partitions)
        )
        for tp in partitions:
            self._seek(tp, begins[tp])
        origins = {tp: await self._origin_of(tp.topic, tp.partition) for tp in partitions}
        self._origins |= origins
        claimed = await asyncio.gather(*map(self._store.claim, origins.values()))
        await self._halts.forget(origins.values())
        for tp, head in zip(partitions, claimed, strict=True):
            self._seek(tp, min(max(head.next_offset, begins[tp]), ends[tp]))
            if head.next_offset < begins[tp]:
                await self._halts.gap(self._consumer, tp, head.origin, head.next_offset, begins[tp])
            elif head.next_offset > ends[tp]:
                await self._halts.kafka_behind(self._consumer, tp, head.origin, head.next_offset, ends[tp])
            else:
                await self._load(self._logs, tp, head)
            self._unclaimed.discard(tp)

    def _seek(self, tp: TopicPartition, offset: int) -> None:
        with contextlib.suppress(IllegalStateError):  # revoked meanwhile: its next owner claims it again
            self._consumer.seek(tp, offset)

    def _pause(self, tp: TopicPartition) -> None:
        with contextlib.suppress(IllegalStateError):
            self._consumer.pause(tp)

    def _resume(self, tp: TopicPartition) -> None:
        """Let a partition flow, unless its log is halted."""
        if not self._halts.is_halted(self._origins.get(tp, "")):
            with contextlib.suppress(IllegalStateError):
                self._consumer.resume(tp)

    async def _load(self, logs: dict[TopicPartition, OwnedLog], tp: TopicPartition, head: Head) -> None:
        try:
            edges = await self._store.edges([head])
        except IntegrityError as error:
            logs.pop(tp, None)
            await self._halts.contradiction(self._consumer, tp, head.origin, error)
        else:
            logs[tp] = OwnedLog(head, edges[head.origin])
