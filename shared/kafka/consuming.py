"""FastStream subscribers with every safe default set once, and the decision where a partition starts.

Unsafe defaults replaced: acknowledge-first, `latest`, automatic topic creation, a header parser that raises outside the
acknowledgement scope (which *skips* the record), FastDepends on every record (docs/decisions/0003).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.security import BaseSecurity, SASLScram512

from shared.kafka.batch import BatchLoop
from shared.kafka.connection import client_options
from shared.kafka.record import Record
from shared.metrics import Metrics
from shared.settings import Settings

AssignedHook = Callable[[set[TopicPartition], AIOKafkaConsumer], Awaitable[None]]

POLL_MS = 10
"""How long one poll waits for records, and FastStream sleeps after an empty one: half of what an idle group adds to a latency."""
FETCH_BYTES = 4 * 1_048_576
"""A partition's share of a fetch: above the largest `in.*` record, so that an over-long one reaches us and is answered."""
MAX_BATCH_S = 300
"""`max_poll_interval_ms`: a batch that takes longer makes the group give its partitions to another instance."""


def make_broker(settings: Settings, name: str) -> KafkaBroker:
    """The broker of a process: consumes only (publishing goes through `Publisher`), creates no topic."""
    options = client_options(settings, name)
    return KafkaBroker(
        options["bootstrap_servers"],  # a list: FastStream reads a string as one host
        client_id=options["client_id"],
        metadata_max_age_ms=options["metadata_max_age_ms"],
        security=_security(options),
        consumer_only=True,
        allow_auto_create_topics=False,
        apply_types=False,
        graceful_timeout=30.0,
        logger=None,
    )


def _security(options: dict[str, Any]) -> BaseSecurity | None:
    """The same credentials as `client_options`, in FastStream's words."""
    context = options.get("ssl_context")
    if "sasl_plain_username" in options:
        return SASLScram512(
            username=options["sasl_plain_username"], password=options["sasl_plain_password"],
            ssl_context=context, use_ssl=context is not None,
        )  # fmt: skip
    return BaseSecurity(ssl_context=context, use_ssl=True) if context is not None else None


class _Starts(ConsumerRebalanceListener):  # type: ignore[misc]
    """Decides the first offset of each partition assigned, or halts it by name (promise P1: never skip)."""

    def __init__(self, group: str, metrics: Metrics, log: Any, hook: AssignedHook | None) -> None:
        self.subscriber: Any = None
        self.assigned: set[TopicPartition] = set()
        self.halted: dict[TopicPartition, str] = {}
        self.joined = False
        self._group, self._metrics, self._log, self._hook = group, metrics, log, hook

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget what another instance will do."""
        self.assigned -= set(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Seek each partition to where its work stands."""
        consumer: AIOKafkaConsumer = self.subscriber.consumer
        self.assigned = set(assigned)
        self.joined = True
        self.halted = {}
        if not assigned:
            return
        if self._hook is not None:
            await self._hook(set(assigned), consumer)
            return
        begins = await consumer.beginning_offsets(list(assigned))
        for partition in sorted(assigned):
            committed = await consumer.committed(partition)
            first = begins[partition]
            if committed is None and first == 0:
                consumer.seek(partition, 0)  # nothing was ever lost below 0: a first start
            elif committed is None or committed < first:
                self._halt(consumer, partition, committed, first)
            else:
                consumer.seek(partition, committed)

    def _halt(self, consumer: AIOKafkaConsumer, partition: TopicPartition, committed: int | None, first: int) -> None:
        name = f"{partition.topic}/{partition.partition}"
        reason = (
            f"offsets {committed if committed is not None else 0} to {first - 1} were deleted before they were read"
        )
        self.halted[partition] = reason
        self._metrics.halted.labels(f"{self._group}:{name}").set(1)
        self._log.error("partition halted: a gap", group=self._group, topic=partition.topic,
                        partition=partition.partition, first=committed or 0, last=first - 1)  # fmt: skip
        consumer.seek(partition, first)
        consumer.pause(partition)


class Consuming:
    """One subscription of a service: its loop, its listener, and what readiness asks of it."""

    def __init__(
        self,
        broker: KafkaBroker,
        loop: BatchLoop,
        *,
        topics: Sequence[str],
        pattern: str | None,
        on_assigned: AssignedHook | None,
        max_records: int,
        metrics: Metrics,
        log: Any,
    ) -> None:
        self.loop, self._metrics = loop, metrics
        self.topics = tuple(topics)
        self._starts = _Starts(loop.group, metrics, log, on_assigned)
        subscriber = broker.subscriber(
            *topics,
            pattern=pattern,
            group_id=loop.group,
            batch=True,
            batch_timeout_ms=POLL_MS,
            max_records=max_records,
            auto_offset_reset="none",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            fetch_max_bytes=32 * 1_048_576,
            max_partition_fetch_bytes=FETCH_BYTES,
            max_poll_interval_ms=MAX_BATCH_S * 1000,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            listener=self._starts,
            parser=self._parse,
            decoder=_raw,
        )
        self._starts.subscriber = subscriber
        self._subscriber = subscriber
        subscriber(self._handle)

    async def _parse(self, records: tuple[Record, ...]) -> KafkaAckableMessage:
        # FastStream's own parser decodes every header and raises on the first that is null or not UTF-8.
        return KafkaAckableMessage(body=b"", raw_message=records, consumer=self._subscriber.consumer)

    async def _handle(self, records: Any) -> None:
        # `Any`: FastStream builds a pydantic model of this signature, and a Protocol is no pydantic type.
        consumer = self._subscriber.consumer
        await self.loop.run(records, consumer)
        await self._measure(consumer)

    async def _measure(self, consumer: AIOKafkaConsumer) -> None:
        """How far behind: by the ends of partitions that came with the last fetch, so that nothing is asked of the broker."""
        behind: Counter[str] = Counter()
        ends = {partition: consumer.highwater(partition) for partition in consumer.assignment()}
        for partition, end in ends.items():
            with contextlib.suppress(IllegalStateError):  # given to another instance meanwhile
                behind[partition.topic] += max(0, end - await consumer.position(partition)) if end is not None else 0
        for topic, count in behind.items():
            self._metrics.lag.labels(self.loop.group, topic).set(count)

    def problems(self) -> list[str]:
        """Why this subscription is not doing its work now; empty when it is."""
        found = [f"{tp.topic}/{tp.partition} halted: {why}" for tp, why in self._starts.halted.items()]
        if not self._starts.joined:
            found.append(f"{self.loop.group} has not joined its group yet")
        if not self.loop.healthy:
            found.append(f"{self.loop.group} waits for an engine")
        return found


async def _raw(message: KafkaAckableMessage) -> Any:
    return message.raw_message
