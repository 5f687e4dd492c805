"""From Kafka to the logs: one batch, all partitions together.

Entries and tiles at once, then the compare-and-set of the heads: only the last commits. Whatever an instance that lost a log
still writes is refused there, and what it wrote before is byte for byte what the new owner writes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.proof_archive.domain import Entry, entry_of
from services.proof_archive.log.growth import grow
from services.proof_archive.log.inserts import at_once
from services.proof_archive.log.ownership import Ownership
from services.proof_archive.log.store import Store, Write
from shared.crypto.merkle import leaf_hash
from shared.errors import IntegrityError
from shared.kafka.record import Record
from shared.metrics import Metrics


def _no_step(_name: str) -> None:
    """Nothing happens between two steps, but in tests of faults."""


async def _cite_nothing(_entries: Iterable[Entry]) -> None:
    """No one keeps what entries cite."""


class Sequencer:
    """Appends the records of its partitions to their logs. Several instances may share the topics, or one process.

    `cite` is given the entries while they are written, before the heads: what it keeps of them must be idempotent. `after` is
    told of each step done (`entries` and `tiles`, in any order, then `heads`): the place where tests of faults fail.
    """

    def __init__(
        self,
        store: Store,
        ownership: Ownership,
        *,
        metrics: Metrics,
        log: Any,
        cite: Callable[[Iterable[Entry]], Awaitable[None]] = _cite_nothing,
        after: Callable[[str], None] = _no_step,
    ) -> None:
        self._store, self._owned = store, ownership
        self._metrics, self._log, self._cite, self._after = metrics, log, cite, after

    async def assigned(self, partitions: set[TopicPartition], consumer: AIOKafkaConsumer) -> None:
        """Take over the logs of these partitions; Kafka's committed offsets are ignored."""
        await self._owned.assigned(partitions, consumer)

    async def process(self, records: Sequence[Record]) -> None:
        """Do one batch; idempotent.

        Returns when every record is committed, or left to the log's new owner, or its log is halted by name. Raises
        what the engines raise: then the batch must be done again.
        """
        await self._owned.settle()
        writes: dict[TopicPartition, Write] = {}
        for tp, batch in _by_partition(records).items():
            write = await self._prepare(tp, batch)
            if write is not None:
                writes[tp] = write
        if not writes:
            return
        try:
            await self._write(writes)
        except IntegrityError:
            for tp, write in writes.items():  # one log's fault must not stop its neighbours
                await self._write_or_halt(tp, write)

    def problems(self) -> list[str]:
        """What does not advance here, for readiness."""
        return self._owned.problems()

    async def _prepare(self, tp: TopicPartition, records: Sequence[Record]) -> Write | None:
        """Step 1: drop what is committed, build entries, hash. None when there is nothing to write."""
        owned = self._owned.get(tp)
        if owned is None:
            return None
        head = owned.head
        fresh = [record for record in records if record.offset >= head.next_offset]
        if not fresh or not await self._owned.continues(tp, head, fresh[0].offset):
            return None
        entries = [entry_of(record) for record in fresh]
        self._report(tp, entries)
        edge, tiles = grow(owned.edge, [leaf_hash(entry.data) for entry in entries])
        frontier = edge.frontier
        after = replace(
            head, size=edge.size, root=frontier.root(), next_offset=fresh[-1].offset + 1, range=frontier.hashes
        )
        return Write(head, after, entries, tiles, edge)

    async def _write(self, writes: dict[TopicPartition, Write]) -> None:
        """Steps 2 to 4. After any failure the heads concerned are in doubt."""
        batch = list(writes.values())
        try:
            await at_once(  # nothing counts before the heads: one wait for the journal in place of three
                self._step("entries", self._store.write_entries(batch)),
                self._cite([entry for write in batch for entry in write.entries]),
                self._step("tiles", self._store.write_tiles(batch)),
            )
            lost = await self._store.commit(batch)
            self._after("heads")
        except BaseException:
            self._owned.doubt(writes)
            raise
        for tp, write in writes.items():
            if not self._owned.holds(tp, write.before):
                continue  # claimed anew meanwhile: that claim read the head, whatever became of this batch
            if write.before.origin in lost:
                self._owned.lost(tp)
            else:
                self._owned.moved(tp, write.after, write.edge)
                self._metrics.entries.labels(tp.topic).inc(len(write.entries))

    async def _step(self, name: str, work: Awaitable[None]) -> None:
        await work
        self._after(name)

    async def _write_or_halt(self, tp: TopicPartition, write: Write) -> None:
        try:
            await self._owned.settle()
            owned = self._owned.get(tp)
            if owned is not None and owned.head == write.before:
                await self._write({tp: replace(write, before=owned.head)})
        except IntegrityError as error:
            await self._owned.contradiction(tp, write.before.origin, error)

    def _report(self, tp: TopicPartition, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.flaw:
                self._log.error("archived by its hash only: not what a service of ours writes", code=entry.flaw,
                                topic=tp.topic, partition=tp.partition, offset=entry.offset)  # fmt: skip


def _by_partition(records: Iterable[Record]) -> dict[TopicPartition, list[Record]]:
    grouped: dict[TopicPartition, list[Record]] = {}
    for record in records:
        grouped.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
    return grouped
