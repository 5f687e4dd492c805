"""The one way to publish: idempotent, acks=all, ordered per key, every future awaited.

Records are packed into batches here, one builder per partition (`send_batch`): aiokafka's `send` costs a future, a task
switch and a size estimate for each record, which was a third of a service's time. It stands on aiokafka's producer, not
on FastStream's `publish`: dead letters must carry the exact headers they came with (null and non-UTF-8 values included),
and a refused batch leaves an idempotent producer broken for ever, so it must be replaced.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, ProducerClosed, UnknownProducerId

from shared.errors import Unavailable
from shared.kafka.connection import client_options
from shared.kafka.murmur import murmur2
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.tracing import Tracing

Headers = tuple[tuple[str, bytes | None], ...]

MAX_REQUEST_BYTES = 5 * 1_048_576
"""Above the largest topic limit (`dead`, 4 MiB): the broker's limit decides, not the client's."""
BATCH_BYTES = 256 * 1024
SEND_TIMEOUT_S = 30.0
"""After this a send is *unknown*, not failed: it may still be stored. Effects are idempotent, so it is simply redone."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to publish. `key` decides the partition unless `partition` is given."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Publisher:
    """Publishes batches of records. One per process; safe for concurrent use."""

    def __init__(self, settings: Settings, name: str, tracing: Tracing | None = None) -> None:
        self._settings = settings
        self._name = name
        self._tracing = tracing
        self._producer: Any = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError when no broker answers (network or authentication)."""
        self._producer = await self._new()

    async def stop(self) -> None:
        """Flush and close."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def send_all(self, messages: Sequence[Outgoing]) -> None:
        """Publish in order and return when every record is stored by all in-sync replicas.

        Raises KafkaError when the broker refuses one, `Unavailable` when the outcome is unknown after SEND_TIMEOUT_S.
        After either, the whole batch must be done again: some of it may be stored.
        """
        if not messages:
            return
        producer = self._producer
        if producer is None:
            raise Unavailable("the publisher is not started")
        if self._tracing is not None:
            messages = self._tracing.carried(messages)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                futures = [
                    await producer.send_batch(builder, topic, partition=partition)
                    for topic, partition, builder in await _packed(producer, messages)
                ]
                results = await asyncio.gather(*futures, return_exceptions=True)
        except TimeoutError:
            await self._replace(producer)
            raise Unavailable(f"Kafka did not confirm {len(messages)} records within {SEND_TIMEOUT_S:.0f} s") from None
        failed = next((r for r in results if isinstance(r, BaseException)), None)
        if failed is not None:
            if isinstance(failed, OutOfOrderSequenceNumber | UnknownProducerId | ProducerClosed):
                await self._replace(producer)
            raise failed

    async def _replace(self, broken: Any) -> None:
        async with self._lock:
            if self._producer is not broken:
                return
            self._producer = None
            try:
                async with asyncio.timeout(5):
                    await broken.stop()
            except (KafkaError, TimeoutError):
                pass  # it is being thrown away; what it had not confirmed is redone by the caller
            self._producer = await self._new()

    async def _new(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._settings, self._name),
            acks="all",
            enable_idempotence=True,
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=15_000,
        )
        await producer.start()
        return producer


async def _packed(producer: AIOKafkaProducer, messages: Sequence[Outgoing]) -> list[tuple[str, int, Any]]:
    """The messages in batches, (topic, partition, builder), each partition's in order."""
    partitions: dict[str, list[int]] = {}
    open_batches: dict[tuple[str, int], Any] = {}
    packed: list[tuple[str, int, Any]] = []
    for message in messages:
        numbers = partitions.get(message.topic)
        if numbers is None:
            numbers = partitions[message.topic] = sorted(await producer.partitions_for(message.topic))
        where = message.topic, _partition(message, numbers)
        builder = open_batches.get(where)
        if builder is None or not _append(builder, message):
            builder = open_batches[where] = producer.create_batch()
            packed.append((*where, builder))
            _append(builder, message)
    for _, _, builder in packed:
        builder.close()  # a closed batch is sent at once
    return packed


def _append(builder: Any, message: Outgoing) -> bool:
    return (
        builder.append(timestamp=None, key=message.key, value=message.value, headers=list(message.headers)) is not None
    )


def _partition(message: Outgoing, numbers: Sequence[int]) -> int:
    if message.partition is not None:
        return message.partition
    if len(numbers) == 1:
        return numbers[0]
    return numbers[key_hash(message.key) % len(numbers)] if message.key is not None else random.choice(numbers)


@functools.lru_cache(maxsize=65_536)
def key_hash(key: bytes) -> int:
    """Kafka's own hash of a key (murmur2, positive), so that every client agrees on the partition. Kept: keys come again."""
    return murmur2(key) & 0x7FFFFFFF
