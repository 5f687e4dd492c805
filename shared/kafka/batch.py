"""The consumer loop, written once: a batch is done whole, put back whole, or split down to its one bad record.

Contract of a `Process`: it is given raw records of any mix of partitions, in order per partition; it may be given the
same records again (every effect is idempotent by an id derived from its cause); it returns only when every effect is
durable. An engine that is away (`INFRASTRUCTURE`) rewinds the batch and waits, with jitter, so that nothing is lost and
nothing loops hot. What contradicts a proof (IntegrityError: a key gone without a tombstone, a seal that does not open)
halts the group and alarms: a stop put aside would be a stop missed. Any other error is a record's fault or a bug: the
batch is done record by record and the one that fails goes to `dead`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from pymongo.errors import BulkWriteError, PyMongoError

from shared.errors import Fenced, IntegrityError, Unavailable
from shared.kafka.dead import DeadLetter, to_outgoing
from shared.kafka.publisher import Publisher
from shared.kafka.record import Record
from shared.metrics import Metrics

if TYPE_CHECKING:
    from shared.tracing import Tracing

Process = Callable[[Sequence[Record]], Awaitable[None]]

INFRASTRUCTURE = (PyMongoError, KafkaError, OSError, TimeoutError, Unavailable)
"""Errors that say nothing about the records: try the same batch again later."""
CONTENT_CODES = frozenset({2, 9, 14, 22, 40, 52, 121, 10334, 11000, 11001, 12582, 15998, 16836, 17280, 17419, 28})
"""MongoDB's codes for a write refused for what it holds: bad value or type, validation, too large, duplicate key…"""
BACKOFF_FIRST_S = 0.2
BACKOFF_MOST_S = 5.0


class BatchLoop:
    """Runs one `Process` over the batches of one consumer group. `isolate=False`: an error of ours halts, never skips."""

    def __init__(
        self, *, group: str, process: Process, publisher: Publisher, metrics: Metrics, log: Any, isolate: bool = True,
        tracing: Tracing | None = None,
    ) -> None:  # fmt: skip
        self.group = group
        self._process = process
        self._publisher = publisher
        self._metrics = metrics
        self._log = log
        self._isolate = isolate
        self._tracing = tracing
        self._failures = 0
        self.healthy = True

    async def run(self, records: Sequence[Record], consumer: AIOKafkaConsumer) -> None:
        """Do one batch. Always returns normally: what was not done has been sought back, so that a commit is exact."""
        self._metrics.progressing.labels(self.group).set_to_current_time()
        started = time.perf_counter()
        try:
            await self._attempt(records)
        except INFRASTRUCTURE as error:
            await self._put_back(records, consumer, error)
        except Fenced as error:
            # Another instance owns the partition: drop what it will redo, keep the position from moving past it.
            self._rewind(records, consumer)
            self._log.info("fenced: another instance owns the partition", group=self.group, reason=str(error))
        except IntegrityError as error:
            self._metrics.halted.labels(self.group).set(1)
            await self._put_back(records, consumer, error)
        else:
            self._failures = 0
            self.healthy = True
            self._metrics.halted.labels(self.group).set(0)
            self._metrics.records.labels(self.group).inc(len(records))
            self._metrics.batch_seconds.labels(self.group).observe(time.perf_counter() - started)

    async def _attempt(self, records: Sequence[Record]) -> None:
        try:
            if self._tracing is None:
                await self._process(records)
            else:
                with self._tracing.batch(self.group, records):
                    await self._process(records)
        except (*INFRASTRUCTURE, Fenced, IntegrityError) as error:
            if not _records_fault(error):
                raise
            await self._one_by_one(records, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, neighbours must flow and the bytes must be kept
            await self._one_by_one(records, error)

    async def _one_by_one(self, records: Sequence[Record], error: Exception) -> None:
        if not self._isolate:
            raise IntegrityError(f"{type(error).__name__} while doing a batch of {self.group}") from error
        if len(records) == 1:
            record = records[0]
            self._log.error(
                "record put aside", group=self.group, topic=record.topic, partition=record.partition,
                offset=record.offset, exc_info=error,
            )  # fmt: skip
            letter = DeadLetter(record, "INTERNAL", f"{type(error).__name__} while handling it: report it, then replay")
            await self._publisher.send_all([to_outgoing(letter)])
            self._metrics.dead.labels("INTERNAL").inc()
            return
        middle = len(records) // 2
        for part in (records[:middle], records[middle:]):
            await self._attempt(part)

    async def _put_back(self, records: Sequence[Record], consumer: AIOKafkaConsumer, error: Exception) -> None:
        self._failures += 1
        self.healthy = False
        delay = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)
        self._metrics.rewinds.labels(self.group).inc()
        self._log.warning(
            "batch put back, waiting for an engine", group=self.group, count=len(records), seconds=round(delay, 2),
            attempt=self._failures, exc_info=error,
        )  # fmt: skip
        self._rewind(records, consumer)
        await asyncio.sleep(delay)

    @staticmethod
    def _rewind(records: Sequence[Record], consumer: AIOKafkaConsumer) -> None:
        first: dict[TopicPartition, int] = {}
        for record in records:
            first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        for partition, offset in first.items():
            try:
                consumer.seek(partition, offset)
            except IllegalStateError:
                continue  # no longer ours: the new owner starts from what was committed


def _records_fault(error: Exception) -> bool:
    """True for engine errors that waiting cannot cure: an effect too large, or refused for what it holds.

    A bulk write fails by its content (duplicate key, too large…), or for the state of the server: one that shuts down or steps down
    in the middle answers with write errors too (11600, 91, 10107, 189…), or with a write concern it could not wait for, beside
    duplicate keys of an attempt before. Only content is the record's fault; anything else waits.
    """
    if isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
        return True
    if not isinstance(error, BulkWriteError):
        return False
    details = error.details or {}
    codes = [one.get("code") for one in details.get("writeErrors", ())]
    return bool(codes) and not details.get("writeConcernErrors") and all(code in CONTENT_CODES for code in codes)
