"""The live registry: the `registry` topic read from its beginning to its end, then followed.

Every service keeps the whole registry in memory and reads it to the current end before it consumes anything else, so a
version that is missing after `catch_up` is really unknown.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.errors import Unavailable
from shared.instants import from_millis
from shared.kafka.connection import client_options
from shared.kafka.record import Record
from shared.registry.view import RegistryView
from shared.settings import Settings
from shared.topics import REGISTRY

CATCH_UP_S = 10.0
"""How long a caller waits for the registry's current end before saying "unavailable"."""
RETRY_S = 1.0


class RegistryFeed:
    """Follows the registry for one process. `view` is always usable; `catch_up` makes it current."""

    def __init__(self, settings: Settings, name: str, log: Any) -> None:
        self.view = RegistryView()
        self._settings, self._name, self._log = settings, name, log
        self._partition = TopicPartition(REGISTRY.name, 0)
        self._consumer: Any = None
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()
        self._position = 0

    async def start(self) -> None:
        """Connect and read to the end."""
        self._consumer = AIOKafkaConsumer(
            **client_options(self._settings, self._name), enable_auto_commit=False, auto_offset_reset="earliest",
        )  # fmt: skip
        await self._consumer.start()
        self._consumer.assign([self._partition])
        self._consumer.seek(self._partition, 0)
        self._task = asyncio.create_task(self._follow())
        await self.catch_up(timeout=60.0)

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._consumer is not None:
            await self._consumer.stop()

    async def catch_up(self, timeout: float = CATCH_UP_S) -> None:  # noqa: ASYNC109 - one bound over two waits
        """Return once everything published before this call is in the view. Raises `Unavailable` after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                ends = await self._consumer.end_offsets([self._partition])
                end = ends[self._partition]
                async with self._moved:
                    await self._moved.wait_for(lambda: self._position >= end)
        except (TimeoutError, KafkaError) as error:
            raise Unavailable("the registry cannot be read to its end now") from error

    async def _follow(self) -> None:
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=500)
            except KafkaError as error:
                self._log.warning("registry not readable, retrying", exc_info=error)
                await asyncio.sleep(RETRY_S)
                continue
            for records in batches.values():
                for record in records:
                    self._apply(record)
            async with self._moved:
                self._position = await self._consumer.position(self._partition)
                self._moved.notify_all()

    def _apply(self, record: Record) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        try:
            document = orjson.loads(record.value or b"null")
            answer = self.view.apply(key, document, offset=record.offset, archived_at=from_millis(record.timestamp))
        except ValueError as error:  # includes JSON and pydantic errors: ignored by every reader alike, and alerted
            self._log.error("registry object ignored: not valid", key=key, offset=record.offset, exc_info=error)
            return
        if answer == "ignored":
            self._log.error("registry object ignored: the first body published wins", key=key, offset=record.offset)
