"""What stops a log, by name (promise P7): each halt is an obligation with its cause, a metric, a log line and a failed readiness.

A halted partition is paused and nothing of it is skipped: it goes on when it is assigned again (a restart) and the cause
is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from services.proof_archive.log.store import Store
from shared.clock import Clock
from shared.errors import IntegrityError
from shared.instants import format_instant
from shared.metrics import Metrics


class Halts:
    """The logs of one process that wait for an operator. `who` (sequencer or signer) starts their names."""

    def __init__(self, who: str, store: Store, clock: Clock, metrics: Metrics, log: Any) -> None:
        self._who, self._store, self._clock, self._metrics, self._log = who, store, clock, metrics, log
        self._causes: dict[str, str] = {}

    async def gap(self, consumer: AIOKafkaConsumer, tp: TopicPartition, origin: str, first: int, begin: int) -> None:
        """Records were deleted from the topic before they were archived."""
        cause = f"offsets {first} to {begin - 1} of {tp.topic}/{tp.partition} were deleted before they were archived"
        await self._pause(consumer, tp, origin, cause, first=first, last=begin - 1)

    async def kafka_behind(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, origin: str, at: int, end: int
    ) -> None:
        """The topic holds less than what was archived from it."""
        cause = (
            f"{tp.topic}/{tp.partition} ends at offset {end}, but everything below {at} is archived: records were lost"
        )
        await self._pause(consumer, tp, origin, cause, first=end, last=at - 1)

    async def contradiction(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, origin: str, error: IntegrityError
    ) -> None:
        """The store contradicts what was archived before."""
        await self._pause(consumer, tp, origin, str(error))

    async def halt(self, origin: str, cause: str, **facts: Any) -> None:
        """Say that a log is stopped, once per cause."""
        if self._causes.get(origin) == cause:
            return
        await self._store.oblige(self._name(origin), cause, format_instant(self._clock.now()), origin=origin, **facts)
        self._causes[origin] = cause
        self._metrics.halted.labels(self._name(origin)).set(1)
        self._log.error("log halted", origin=origin, reason=cause, **facts)

    async def forget(self, origins: Iterable[str]) -> None:
        """The cause is gone, or is about to be looked at again."""
        origins = list(origins)
        await self._store.discharge(map(self._name, origins))
        for origin in origins:
            if self._causes.pop(origin, None):
                self._metrics.halted.labels(self._name(origin)).set(0)
                self._log.info("log no longer halted", origin=origin)

    def is_halted(self, origin: str) -> bool:
        """Whether this process stopped the log."""
        return origin in self._causes

    def sentences(self) -> list[str]:
        """One sentence per halted log, for readiness."""
        return [f"{self._who} halted {origin}: {cause}" for origin, cause in sorted(self._causes.items())]

    async def _pause(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, origin: str, cause: str, **facts: int
    ) -> None:
        with contextlib.suppress(IllegalStateError):  # revoked meanwhile: the next owner meets the same cause
            consumer.pause(tp)
        await self.halt(origin, cause, **facts)

    def _name(self, origin: str) -> str:
        return f"{self._who}:{origin}"
