"""How far behind each consumer group is, per topic, from the cluster itself (services may be down when it matters)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.connection import client_options
from shared.settings import Settings
from shared.topics import SERVICES


@dataclass(frozen=True, slots=True)
class Lag:
    """Records stored on a topic and not yet taken by a group."""

    group: str
    topic: str
    partitions: int
    records: int
    taken: int
    """Offsets committed, all partitions together."""


class KafkaLag:
    """Asks the cluster; connects at the first question, anew after `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._options = client_options(settings, "console-lag")
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None

    async def look(self) -> list[Lag]:
        """Every group of ours and each topic it has committed on. Raises KafkaError."""
        admin, consumer = await self._connected()
        names = sorted(name for name, _ in await admin.list_consumer_groups() if name.split(".")[0] in SERVICES)
        committed = {name: await admin.list_consumer_group_offsets(name) for name in names}
        ends = await consumer.end_offsets(sorted({place for places in committed.values() for place in places}))
        found: dict[tuple[str, str], list[int]] = {}
        for group, places in committed.items():
            for place, entry in places.items():
                if entry.offset >= 0 and place in ends:
                    one = found.setdefault((group, place.topic), [0, 0, 0])
                    one[0] += 1
                    one[1] += max(0, ends[place] - entry.offset)
                    one[2] += entry.offset
        return [Lag(group, topic, *counts) for (group, topic), counts in sorted(found.items())]

    async def stop(self) -> None:
        """Disconnect."""
        admin, consumer, self._admin, self._consumer = self._admin, self._consumer, None, None
        if consumer is not None:
            await consumer.stop()
        if admin is not None:
            await admin.close()

    async def _connected(self) -> tuple[Any, Any]:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self._options)
            await admin.start()
            self._admin = admin
        if self._consumer is None:
            consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False)
            await consumer.start()
            self._consumer = consumer
        return self._admin, self._consumer
