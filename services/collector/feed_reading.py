"""Reads one party's topic from given offsets, without a group: the position is the partner's to keep.

A few consumers are shared by all requests; each serves one read at a time. Waiting for news costs no consumer: only the
ends of the topic are asked for, now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.errors import Unavailable
from shared.kafka.connection import client_options
from shared.kafka.reading import find_partitions
from shared.settings import Settings

READERS = 4
KNOWN_S = 60.0
"""How long the partitions of a topic are taken for known."""
LOOK_EVERY_S = 0.25
FETCH_MS = 1_000
PAGE_BYTES = 1_048_576
"""A page ends with the record that reaches it."""
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Records that a cursor points to and that are no more: offsets `first` to `last`; `last` None: it points beyond the end."""

    partition: int
    first: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Records, where to go on, whether that is the end now; or gaps, and then `after` is the earliest place to go on from."""

    records: tuple[ConsumerRecord, ...]
    after: dict[int, int]
    at_end: bool
    gaps: tuple[Gap, ...] = ()


class FeedReader:
    """Made once per process; safe for concurrent use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._free: asyncio.Queue[AIOKafkaConsumer | None] = asyncio.Queue()
        for _ in range(READERS):
            self._free.put_nowait(None)  # connected when first needed
        self._watch: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()
        self._known: dict[str, tuple[float, list[TopicPartition]]] = {}

    async def run(self) -> None:
        """Close what was opened when the service ends."""
        try:
            await asyncio.Event().wait()
        finally:
            while not self._free.empty():
                consumer = self._free.get_nowait()
                if consumer is not None:
                    await consumer.stop()
            if self._watch is not None:
                await self._watch.stop()

    async def page(self, topic: str, after: dict[int, int] | None, limit: int, wait_s: float) -> Page:
        """The next records; waits up to `wait_s` seconds for the first. Raises Unavailable when Kafka does not answer."""
        try:
            async with asyncio.timeout(PATIENCE_S + wait_s):
                return await self._page(topic, after, limit, wait_s)
        except (KafkaError, TimeoutError) as error:
            raise Unavailable("Kafka does not answer for this feed") from error

    async def end(self, topic: str) -> Page:
        """No record, and where what comes from now on begins. Raises Unavailable when Kafka does not answer."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                partitions = await self._partitions(topic)
                ends = await (await self._watching()).end_offsets(partitions)
        except (KafkaError, TimeoutError) as error:
            raise Unavailable("Kafka does not answer for this feed") from error
        return Page((), {p.partition: offset for p, offset in ends.items()}, at_end=True)

    async def _page(self, topic: str, after: dict[int, int] | None, limit: int, wait_s: float) -> Page:
        partitions = await self._partitions(topic)
        watch = await self._watching()
        begins = {p.partition: o for p, o in (await watch.beginning_offsets(partitions)).items()}
        end = time.monotonic() + wait_s
        while True:
            ends = {p.partition: o for p, o in (await watch.end_offsets(partitions)).items()}
            at = dict(begins) if after is None else {n: after.get(n, first) for n, first in begins.items()}
            gaps = _gaps(at, begins, ends)
            if gaps:
                return Page((), {n: min(max(at[n], begins[n]), ends[n]) for n in at}, at_end=False, gaps=gaps)
            if any(at[n] < ends[n] for n in at):
                return await self._read(topic, at, ends, limit)
            left = end - time.monotonic()
            if left <= 0:
                return Page((), at, at_end=True)
            await asyncio.sleep(min(LOOK_EVERY_S, left))

    async def _read(self, topic: str, at: dict[int, int], ends: dict[int, int], limit: int) -> Page:
        records: list[ConsumerRecord] = []
        size, after = 0, dict(at)
        async with self._reader() as consumer:
            unread = {TopicPartition(topic, n): offset for n, offset in at.items() if offset < ends[n]}
            consumer.assign(list(unread))
            for partition, offset in unread.items():
                consumer.seek(partition, offset)
            while len(records) < limit and size < PAGE_BYTES and any(after[n] < ends[n] for n in after):
                batches = await consumer.getmany(timeout_ms=FETCH_MS, max_records=limit - len(records))
                for partition, found in batches.items():
                    records += found
                    size += sum(len(record.value or b"") for record in found)
                    after[partition.partition] = found[-1].offset + 1
        return Page(tuple(records), after, at_end=all(after[n] >= ends[n] for n in after))

    async def _partitions(self, topic: str) -> list[TopicPartition]:
        now = time.monotonic()
        known = self._known.get(topic)
        if known is None or known[0] < now:
            found = await find_partitions(self._settings, [topic])
            if not found:
                raise Unavailable("this party's topics do not exist yet")
            known = self._known[topic] = now + KNOWN_S, found
        return known[1]

    async def _watching(self) -> AIOKafkaConsumer:
        async with self._lock:
            if self._watch is None:
                self._watch = await self._connect()
        return self._watch

    @contextlib.asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = await self._free.get()
        try:
            if consumer is None:
                consumer = await self._connect()
            yield consumer
        except BaseException:
            broken, consumer = consumer, None  # whatever state it is in: the next read connects anew
            if broken is not None:
                with contextlib.suppress(KafkaError):
                    await broken.stop()
            raise
        finally:
            self._free.put_nowait(consumer)

    async def _connect(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **client_options(self._settings, "feed"), enable_auto_commit=False, auto_offset_reset="earliest",
            max_partition_fetch_bytes=PAGE_BYTES,
        )  # fmt: skip
        await consumer.start()
        return consumer


def _gaps(at: dict[int, int], begins: dict[int, int], ends: dict[int, int]) -> tuple[Gap, ...]:
    found = [Gap(n, at[n], begins[n] - 1) for n in sorted(at) if at[n] < begins[n]]
    return (*found, *(Gap(n, at[n], None) for n in sorted(at) if at[n] > ends[n]))
