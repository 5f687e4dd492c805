"""What the topics say, read from their first record to their last: the demonstration counts from nothing else.

A `TopicReader` follows topics without a consumer group. `Ledger` keeps the raw records; the functions of the other
modules give them a meaning.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.errors import Unavailable

READ_S = 60.0
"""A whole read may take that long: beyond, something is wrong with the broker."""


class Ledger:
    """Records by topic, in the order of each partition."""

    def __init__(self) -> None:
        self._records: defaultdict[str, list[ConsumerRecord]] = defaultdict(list)

    def add(self, records: Iterable[ConsumerRecord]) -> None:
        """Keep records."""
        for record in records:
            self._records[record.topic].append(record)

    def of(self, topic: str) -> list[ConsumerRecord]:
        """Records of one topic."""
        return self._records.get(topic, [])

    def matching(self, prefix: str, suffix: str = "") -> Iterator[ConsumerRecord]:
        """Records of every topic with this prefix and suffix (`in.` … `.consents`)."""
        for topic in sorted(self._records):
            if topic.startswith(prefix) and topic.endswith(suffix):
                yield from self._records[topic]

    def topics(self) -> list[str]:
        """Topics that hold something."""
        return sorted(self._records)

    def total(self) -> int:
        """How many records in all."""
        return sum(map(len, self._records.values()))


class TopicReader:
    """Reads topics from their beginning and goes on from where it stopped."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        self.ledger = Ledger()
        self._bootstrap, self._topics = bootstrap, sorted(topics)
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []

    async def __aenter__(self) -> Self:
        """Connect and find the partitions. Raises Unavailable when a topic does not exist."""
        self._consumer = consumer = AIOKafkaConsumer(
            *self._topics,  # without a group: every partition is assigned at start
            bootstrap_servers=self._bootstrap,
            client_id="opposable-demo-reader",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=16 * 1_048_576,
            max_partition_fetch_bytes=4 * 1_048_576,
        )
        await consumer.start()
        assigned = consumer.assignment()
        missing = set(self._topics) - {partition.topic for partition in assigned}
        if missing:
            await consumer.stop()
            raise Unavailable(f"topics missing: {', '.join(sorted(missing))}")
        self._partitions = sorted(assigned)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def catch_up(self) -> Ledger:
        """Read to the present end of every topic."""
        consumer = self._consumer
        if consumer is None:
            raise Unavailable("the reader is not started")
        ends = await consumer.end_offsets(self._partitions)
        async with asyncio.timeout(READ_S):
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    self.ledger.add(records)
        return self.ledger


async def read_all(bootstrap: str, topics: Iterable[str]) -> Ledger:
    """Every record of these topics, from the beginning, by a reader that has seen nothing before."""
    async with TopicReader(bootstrap, topics) as reader:
        return await reader.catch_up()


def body(record: ConsumerRecord) -> dict[str, Any]:
    """The JSON object that a record of ours holds."""
    return dict(json.loads(record.value or b"{}"))


def header(record: ConsumerRecord, name: str) -> str:
    """A header as text, or "" where it is absent, null or not UTF-8."""
    value = next((v for k, v in record.headers if k == name), None)
    return (value or b"").decode("utf-8", "replace")
