"""How far behind the stops we may be: a permission check is never answered from an index that lags (promise P2).

Every second the ends of the topics that carry stops and reports are noted; once our groups have committed past a noted end,
everything said before that note is in the index. Both steps count: the partners' topics (collector), then `stops` and `reports`
(this service). Verdicts may lag: a consent that is not here yet is no.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.clock import Clock
from shared.kafka.connection import client_options
from shared.kafka.partitions import partitions_of
from shared.settings import Settings

Offsets = Mapping[TopicPartition, int]
POLL_S = 1.0


class Positions(Protocol):
    """Where topics end and groups stand."""

    async def ends(self) -> Offsets:
        """The end of every partition that carries stops."""
        ...

    async def committed(self) -> Offsets:
        """How far their groups have committed, where they have."""
        ...

    async def stop(self) -> None:
        """Disconnect; the next call connects anew."""
        ...


@dataclass(frozen=True, slots=True)
class _Note:
    ends: Offsets
    at: datetime


class Freshness:
    """Knows up to which moment every stop is in the index."""

    def __init__(self, positions: Positions, clock: Clock, most: timedelta) -> None:
        self._positions, self._clock, self._most = positions, clock, most
        self._note: _Note | None = None
        self.complete_until: datetime | None = None

    def lagging(self) -> bool:
        """True when a stop older than the limit may still be unread, or nothing is known yet."""
        return self.complete_until is None or self._clock.now() - self.complete_until > self._most

    async def look(self) -> None:
        """Compare once."""
        if self._note is None:
            self._note = _Note(await self._positions.ends(), self._clock.now())
        committed = await self._positions.committed()
        if all(committed.get(partition, 0) >= end for partition, end in self._note.ends.items()):
            self.complete_until, self._note = self._note.at, None

    async def run(self) -> None:
        """Compare for ever."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(POLL_S)
        finally:
            await self._positions.stop()


class KafkaPositions:
    """`Positions` from the cluster. `topics`: which topics each group reads stops from, asked anew each time."""

    def __init__(self, settings: Settings, name: str, groups: Mapping[str, Any]) -> None:
        self._options, self._groups = client_options(settings, name), groups
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None

    async def ends(self) -> Offsets:
        """One request per broker."""
        consumer = await self._reader()
        found: Offsets = await consumer.end_offsets(await partitions_of(await self._asker(), self._topics()))
        return found

    async def committed(self) -> Offsets:
        """One request per group."""
        admin = await self._asker()
        found: dict[TopicPartition, int] = {}
        for group in self._groups:
            offsets = await admin.list_consumer_group_offsets(group)
            found.update({partition: entry.offset for partition, entry in offsets.items() if entry.offset >= 0})
        return found

    async def stop(self) -> None:
        """Disconnect; the next call connects anew."""
        consumer, admin, self._consumer, self._admin = self._consumer, self._admin, None, None
        if consumer is not None:
            await consumer.stop()
        if admin is not None:
            await admin.close()

    async def _asker(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self._options)
            await admin.start()
            self._admin = admin
        return self._admin

    def _topics(self) -> Iterable[str]:
        return sorted({topic for topics in self._groups.values() for topic in topics()})

    async def _reader(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False)
            await consumer.start()
            self._consumer = consumer
        return self._consumer
