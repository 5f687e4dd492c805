"""A simulated collector: sends the lines of a stream file that are its own, and counts what each became."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.cli.demo_stream import Line, message, read_lines
from shared.errors import ConfigurationError
from shared.kafka.connection import client_options
from shared.kafka.reading import find_partitions
from shared.settings import Settings
from shared.topics import OUT_RECEIPTS, party_of

WAVES = 10
"""More than any file has moments that dates count from."""


class SimulatedCollector:
    """One collector. `run` until cancelled: every line of the party in `events`, once; then only receipts."""

    def __init__(self, settings: Settings, party: str, events: Path | None, rate: float) -> None:
        self._settings, self._party, self._rate = settings, party, rate
        self._events = events
        self._sent = 0
        self._receipts: Counter[str] = Counter()

    def counts(self) -> dict[str, Any]:
        """What was sent, and its receipts by status."""
        return {"sent": self._sent, "receipts": dict(sorted(self._receipts.items()))}

    async def run(self) -> None:
        """Send and read until cancelled. Raises ConfigurationError for a file that cannot be read."""
        lines = [] if self._events is None else [
            line for line in read_lines(self._events) if party_of(line["topic"]) == self._party
        ]  # fmt: skip
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._send(lines))

    async def _send(self, lines: Sequence[Line]) -> None:
        """Dates count from now, as the file says; where a collector is not to send, its receipt says so."""
        producer = AIOKafkaProducer(
            **client_options(self._settings, f"party-{self._party}"), acks="all", enable_idempotence=True
        )
        await producer.start()
        try:
            for line in lines:
                one = message(line, dict.fromkeys(range(1, WAVES), datetime.now(UTC)))
                await producer.send_and_wait(one.topic, one.value, one.key, headers=one.headers)
                self._sent += 1
                await asyncio.sleep(1 / self._rate)
        finally:
            await producer.stop()

    async def _read(self) -> None:
        partitions = await find_partitions(self._settings, [OUT_RECEIPTS.of(self._party)])
        if not partitions:
            raise ConfigurationError(f"{self._party} has no topics: is it a registered party?")
        consumer = AIOKafkaConsumer(**client_options(self._settings, f"party-{self._party}"), enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            async for record in consumer:
                self._receipts[str(orjson.loads(record.value).get("status"))] += 1
        finally:
            await consumer.stop()
