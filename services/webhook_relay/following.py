"""Reads the topics of exactly the parties whose registered delivery is a webhook, as one consumer group.

Its own consumer, since the set of topics changes with the registry: a party that chooses webhooks is read from the
beginning of what its topics still hold. A batch is queued in the database, then committed, so a slow endpoint holds up
nobody; when too much waits for a party, its partitions pause and Kafka keeps the rest (bulkhead). A position whose
records were deleted halts that partition and names the gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.webhook_relay.store import Store
from shared.kafka.batch import BatchLoop
from shared.kafka.connection import client_options
from shared.metrics import Metrics
from shared.registry.feed import RegistryFeed
from shared.settings import Settings
from shared.topics import OUT_PERMISSIONS, OUT_RECEIPTS, OUT_REQUESTS, OUT_WITHDRAWALS, party_of

GROUP = "webhook_relay"
ROWS = (OUT_WITHDRAWALS, OUT_REQUESTS, OUT_PERMISSIONS, OUT_RECEIPTS)
POLL_MS = 50
MOST_RECORDS = 500
IDLE_S = 0.5
RESUMES = 20
"""Paused parties looked at in one second."""


class _Starts(ConsumerRebalanceListener):  # type: ignore[misc]
    """Where each partition starts: its position, or the beginning of what is kept for a party that is new here."""

    def __init__(self, metrics: Metrics, log: Any) -> None:
        self.consumer: Any = None
        self.halted: dict[TopicPartition, str] = {}
        self.assigned: set[TopicPartition] = set()
        self.expected: dict[TopicPartition, int] = {}
        self.paused: set[str] = set()
        self.joined = False
        self._metrics, self._log = metrics, log

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self.assigned -= set(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self.assigned, self.halted, self.joined = set(assigned), {}, True
        begins = await self.consumer.beginning_offsets(list(assigned)) if assigned else {}
        for partition in sorted(assigned):
            committed = await self.consumer.committed(partition)
            self.expected[partition] = begins[partition] if committed is None else committed
            if self.expected[partition] < begins[partition]:
                self.halt(partition, self.expected[partition], begins[partition])
            else:
                self.consumer.seek(partition, self.expected[partition])
                if party_of(partition.topic) in self.paused:
                    self.consumer.pause(partition)

    def halt(self, partition: TopicPartition, committed: int, first: int) -> None:
        """Read a partition no further: what stood before `first` is gone."""
        self.halted[partition] = f"offsets {committed} to {first - 1} were deleted before they were queued"
        self._metrics.halted.labels(f"{GROUP}:{partition.topic}/{partition.partition}").set(1)
        self._log.error(
            "partition halted: a gap",
            topic=partition.topic,
            partition=partition.partition,
            first=committed,
            last=first - 1,
        )
        self.consumer.seek(partition, first)
        self.consumer.pause(partition)


class Following:
    """The relay's subscription."""

    def __init__(
        self, *, settings: Settings, loop: BatchLoop, registry: RegistryFeed, store: Store, most: int,
        metrics: Metrics, log: Any,
    ) -> None:  # fmt: skip
        self._settings, self._loop, self._registry, self._store, self._most = settings, loop, registry, store, most
        self._log = log
        self._starts = _Starts(metrics, log)
        self._topics: frozenset[str] = frozenset()

    @property
    def halted(self) -> dict[TopicPartition, str]:
        """Partitions that wait for an operator, and why."""
        return self._starts.halted

    @property
    def paused(self) -> frozenset[str]:
        """Parties for which so much waits that their topics are not read now."""
        return frozenset(self._starts.paused)

    async def check(self) -> list[str]:
        """What readiness must know."""
        found = [f"{tp.topic}/{tp.partition} halted: {why}" for tp, why in self._starts.halted.items()]
        if self._topics and not self._starts.joined:
            found.append(f"{GROUP} has not joined its group yet")
        if not self._loop.healthy:
            found.append(f"{GROUP} waits for an engine")
        return found

    async def run(self) -> None:
        """Read until cancelled; whatever fails is started again by the service."""
        consumer = AIOKafkaConsumer(
            **client_options(self._settings, GROUP), group_id=GROUP, enable_auto_commit=False,
            # Where nothing is committed. "none" would race with the listener; a gap is seen by `_whole` instead.
            auto_offset_reset="earliest",
            max_poll_interval_ms=300_000, session_timeout_ms=10_000, heartbeat_interval_ms=2_000,
        )  # fmt: skip
        self._starts.consumer, self._topics = consumer, frozenset()
        await consumer.start()
        resumed_at = 0.0
        try:
            while True:
                self._subscribe(consumer)
                if not self._topics:
                    await asyncio.sleep(IDLE_S)
                    continue
                await self._batch(consumer)
                if asyncio.get_running_loop().time() - resumed_at > 1:
                    resumed_at = asyncio.get_running_loop().time()
                    await self._resume(consumer)
        finally:
            await consumer.stop()

    def _subscribe(self, consumer: AIOKafkaConsumer) -> None:
        wanted = frozenset(
            row.of(party.id)
            for party in self._registry.view.parties() if party.delivery.mode == "webhook" for row in ROWS
        )  # fmt: skip
        if wanted == self._topics:
            return
        self._log.info("following topics of parties with webhooks", count=len(wanted))
        if wanted:
            consumer.subscribe(topics=sorted(wanted), listener=self._starts)
        else:
            consumer.unsubscribe()
        self._topics = wanted

    async def _batch(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        whole = {partition: found for partition, found in batches.items() if self._whole(partition, found[0].offset)}
        if not whole:
            return
        await self._loop.run([record for found in whole.values() for record in found], consumer)
        try:
            # Positions, not the last offsets: what the loop put back is not committed.
            done = {partition: await consumer.position(partition) for partition in whole}
            self._starts.expected |= done
            await consumer.commit(done)
        except (CommitFailedError, IllegalStateError):
            return  # the group has moved: whoever has the partitions now queues them again, under the same ids
        except KafkaError as error:
            self._log.warning("positions not committed, queued again after a restart", exc_info=error)
        await self._pause(consumer, {party_of(partition.topic) for partition in whole})

    def _whole(self, partition: TopicPartition, first: int) -> bool:
        """Whether these records follow those done before; else the partition halts. These topics have no holes of their own."""
        expected = self._starts.expected.get(partition, first)
        if first > expected:
            self._starts.halt(partition, expected, first)
        return first <= expected

    async def _pause(self, consumer: AIOKafkaConsumer, parties: Iterable[str]) -> None:
        for party in parties:
            if await self._store.waiting(party, self._most) >= self._most:
                self._starts.paused.add(party)
                consumer.pause(*self._partitions(party))
                self._log.warning("topics paused: too much waits for this party", party=party, count=self._most)

    async def _resume(self, consumer: AIOKafkaConsumer) -> None:
        low = max(1, self._most // 2)
        for party in sorted(self._starts.paused)[:RESUMES]:
            if await self._store.waiting(party, low) < low:
                self._starts.paused.discard(party)
                consumer.resume(*self._partitions(party))

    def _partitions(self, party: str) -> list[TopicPartition]:
        assigned = self._starts.assigned - self._starts.halted.keys()
        return [partition for partition in assigned if party_of(partition.topic) == party]
