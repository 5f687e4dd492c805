"""The history that Kafka still retains, read along with a log: the same records must give the same bytes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.proof_archive.domain import entry_of
from services.proof_archive.fsck.report import LogReport
from shared.crypto.checkpoint import Origin
from shared.errors import Unavailable
from shared.kafka.connection import client_options
from shared.kafka.record import Record
from shared.settings import Settings

WAIT_S = 30.0
"""How long one step waits for records that the partition's offsets promise."""


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of no group, for checking. Raises `Unavailable` where Kafka does not answer."""
    consumer = AIOKafkaConsumer(
        **client_options(settings, "fsck"), enable_auto_commit=False, auto_offset_reset="none", max_poll_records=2000
    )
    try:
        await consumer.start()
        await asyncio.sleep(0)  # aiokafka cannot stop a consumer whose tasks have not run at all
        yield consumer
    except KafkaError as error:
        raise Unavailable(f"Kafka cannot be read now ({type(error).__name__})") from error
    finally:
        await consumer.stop()


class Retained:
    """The retained records of one partition below `next_offset`, read once, in order, compared as the entries come.

    `at`: the offset from which to compare; what lies before it was compared already.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, origin: Origin, report: LogReport, next_offset: int, at: int = 0
    ) -> None:
        self._consumer, self._report, self._next, self.at = consumer, report, next_offset, at
        self._tp = TopicPartition(origin.topic, origin.partition)
        self._begin = self._end = 0
        self._ahead: list[Record] = []

    async def begin(self) -> None:
        """Look at what the topic holds, and stand at its beginning."""
        self._consumer.assign([self._tp])
        self._begin = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
        self._end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        self._consumer.seek(self._tp, min(max(self._begin, self.at), self._end))
        if self._end < self._next and not self.at:
            self._report.find("KAFKA-BEHIND", f"offset {self._end}")

    async def compare(self, entries: Iterable[tuple[int, int, bytes]]) -> None:
        """Compare the next entries `(index, offset, bytes)` of the log with the records of their offsets."""
        expected = {offset: (index, data) for index, offset, data in entries if self._begin <= offset < self._end}
        if not expected:
            return
        last = max(expected)
        for record in await self._take(last):
            found = expected.pop(record.offset, None)
            if found is None:
                self._report.find("KAFKA-UNARCHIVED", f"offset {record.offset}")
            elif entry_of(record).data != found[1]:
                self._report.find("KAFKA-DIFFERS", f"entry {found[0]}")
            self._report.kafka_records += 1
        for index, _ in sorted(expected.values()):
            self._report.find("KAFKA-UNKNOWN", f"entry {index}")
        self.at = last + 1

    async def finish(self) -> None:
        """What is left below the head's offset has no entry."""
        for record in await self._take(self._next - 1):
            self._report.find("KAFKA-UNARCHIVED", f"offset {record.offset}")

    async def _take(self, last: int) -> list[Record]:
        """The records up to offset `last` that were not taken yet."""
        taken = [record for record in self._ahead if record.offset <= last]
        self._ahead = self._ahead[len(taken) :]
        last = min(last, self._end - 1)
        if self._ahead:
            return taken
        try:
            async with asyncio.timeout(WAIT_S):
                while await self._consumer.position(self._tp) <= last:
                    batch = (await self._consumer.getmany(self._tp, timeout_ms=500)).get(self._tp, [])
                    taken += [record for record in batch if record.offset <= last]
                    self._ahead += [record for record in batch if record.offset > last]
        except TimeoutError as error:
            raise Unavailable("Kafka does not deliver records that it says it holds") from error
        return taken
