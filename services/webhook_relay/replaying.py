"""Sending a range again: what a party's topics hold between two instants goes back into the queue, under the same ids."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.webhook_relay.following import ROWS
from services.webhook_relay.intake import Intake
from services.webhook_relay.store import Store
from shared.errors import InputError, Problem
from shared.instants import to_millis
from shared.kafka.connection import client_options
from shared.kafka.reading import find_partitions
from shared.kafka.record import Record
from shared.settings import Settings

KINDS = tuple(row.name.rpartition(".")[2] for row in ROWS)
PAGE = 2_000
"""Records read for one answer: whoever asks goes on with the positions it was given."""
PATIENCE_MS = 5_000

Positions = dict[str, int]
"""`topic/partition` → next offset."""


class Replaying:
    """Reads without a group, so that nothing of the relay's own position moves."""

    def __init__(self, settings: Settings, intake: Intake, store: Store) -> None:
        self._settings, self._intake, self._store = settings, intake, store

    async def page(
        self, party: str, kinds: Collection[str], start: datetime, end: datetime, after: Positions | None
    ) -> tuple[int, Positions | None]:
        """Queue one page again: (events queued, where to go on or None at the end). `end` is not included."""
        topics = [row.of(party) for row in ROWS if row.name.rpartition(".")[2] in kinds]
        partitions = await find_partitions(self._settings, topics)
        if not partitions:
            raise InputError([Problem("PARTY-UNKNOWN", "/party", "this party has no topics")])
        consumer = AIOKafkaConsumer(
            **client_options(self._settings, "webhook-replay"), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            at = await _start(consumer, partitions, start, ends, after)
            records = await _read(consumer, at, ends, to_millis(end))
        finally:
            await consumer.stop()
        rows, _ = self._intake.rows(records)
        await self._store.put_again(rows)
        left = {f"{p.topic}/{p.partition}": offset for p, offset in at.items() if offset < ends[p]}
        return len(rows), left or None


async def _start(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], start: datetime, ends: dict[TopicPartition, int],
    after: Positions | None,
) -> dict[TopicPartition, int]:  # fmt: skip
    if after is not None:
        return {p: after.get(f"{p.topic}/{p.partition}", ends[p]) for p in partitions}
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, to_millis(start)))
    return {p: (ends[p] if found.get(p) is None else found[p].offset) for p in partitions}


async def _read(
    consumer: AIOKafkaConsumer, at: dict[TopicPartition, int], ends: dict[TopicPartition, int], end_ms: int
) -> list[Record]:
    """Up to a page of records before `end_ms`; moves `at`, to the end where a partition has nothing more to give."""
    for partition, offset in at.items():
        consumer.seek(partition, offset)
    records: list[Record] = []
    while len(records) < PAGE and (open_ := [p for p, offset in at.items() if offset < ends[p]]):
        batches = await consumer.getmany(*open_, timeout_ms=PATIENCE_MS, max_records=PAGE - len(records))
        if not batches:
            break
        for partition, found in batches.items():
            kept = [record for record in found if record.timestamp < end_ms]
            records += kept
            at[partition] = found[-1].offset + 1 if len(kept) == len(found) else ends[partition]
    return records
