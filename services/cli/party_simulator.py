"""A simulated prospecteur: reads its own topics, folds permissions and stops, acknowledges every order as it is told to.

It uses what any partner has (its topics and a plain client) and nothing of the platform's inside.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.cli.party_fold import PartyFold
from services.cli.party_system import INVENTED, Manner
from shared import canonical
from shared.contracts.envelope import Envelope, from_headers, to_headers
from shared.contracts.partner_rights import ORDER_ACKNOWLEDGED
from shared.contracts.platform import STOP_ORDERED
from shared.contracts.types import OrderStatus
from shared.errors import ConfigurationError, InputError
from shared.instants import format_instant
from shared.kafka.connection import client_options
from shared.kafka.partitions import partitions_of
from shared.settings import Settings
from shared.topics import IN_RIGHTS, OUT_PERMISSIONS, OUT_WITHDRAWALS

POLL_MS = 200
FLAP_S = 5.0
"""How long a party that comes and goes is there, and is not."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How it answers orders: after `delay_s` seconds, with this status, or never. Dead, flapping: whether it reads at all.

    Lying: it answers `applied`, keeps using the data, and acknowledges orders that nobody gave.
    """

    delay_s: float = 0.0
    status: OrderStatus = "applied"
    silent: bool = False
    manner: Manner = Manner.HONEST


@dataclass(frozen=True, slots=True)
class Counts:
    """What it knows and did. `waiting`: orders it has not answered yet; `unreadable`: records it could not read."""

    granted: int
    refused: int
    allowed: int
    orders: int
    reminders: int
    acknowledged: int
    waiting: int
    unreadable: int


class SimulatedParty:
    """One party. `run` until cancelled; `counts` at any time. Restarted, it answers only what it had not answered."""

    def __init__(self, settings: Settings, party: str, behaviour: Behaviour | None = None) -> None:
        self.party = party
        self.behaviour = behaviour or Behaviour()
        self._settings = settings
        self._fold = PartyFold()
        self._reminders = self._acknowledged = self._unreadable = 0
        self._due: deque[tuple[float, ConsumerRecord, dict[str, Any]]] = deque()
        self._answered_below: dict[TopicPartition, int] = {}

    def counts(self, now: datetime | None = None) -> Counts:
        """A snapshot at `now` (default: this moment)."""
        at = now or datetime.now(UTC)
        return Counts(
            granted=self._fold.granted(at), refused=self._fold.refused, allowed=self._fold.allowed(at),
            orders=self._fold.orders, reminders=self._reminders, acknowledged=self._acknowledged,
            waiting=len(self._due), unreadable=self._unreadable,
        )  # fmt: skip

    async def run(self) -> None:
        """Read, fold and answer until cancelled. Raises ConfigurationError where the party has no topics."""
        options = client_options(self._settings, f"party-{self.party}")
        consumer = AIOKafkaConsumer(
            **options, group_id=f"{self.party}.simulator", enable_auto_commit=False, auto_offset_reset="earliest"
        )
        producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
        await consumer.start()
        try:
            await producer.start()
            try:
                await self._begin(consumer)
                while True:
                    await self._away()
                    for records in (await consumer.getmany(timeout_ms=self._patience_ms())).values():
                        for record in records:
                            self._read(record)
                    await self._answer(consumer, producer)
            finally:
                await producer.stop()
        finally:
            await consumer.stop()

    async def _away(self) -> None:
        """Not there: for good, or every other while."""
        if self.behaviour.manner is Manner.DEAD:
            await asyncio.Event().wait()
        while self.behaviour.manner is Manner.FLAPPING and int(asyncio.get_running_loop().time() / FLAP_S) % 2:  # noqa: ASYNC110
            await asyncio.sleep(FLAP_S / 50)

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Take both topics from their beginning (what is known is folded again); remember where answers stood."""
        partitions = await self._partitions()
        consumer.assign(partitions)
        for partition in partitions:
            self._answered_below[partition] = await consumer.committed(partition) or 0
        await consumer.seek_to_beginning(*partitions)

    async def _partitions(self) -> list[TopicPartition]:
        """Partitions of both topics."""
        topics = {OUT_PERMISSIONS.of(self.party), OUT_WITHDRAWALS.of(self.party)}
        admin = AIOKafkaAdminClient(**client_options(self._settings, f"party-{self.party}-admin"))
        await admin.start()
        try:
            found = await partitions_of(admin, topics)
        finally:
            await admin.close()
        for topic in sorted(topics - {partition.topic for partition in found}):
            raise ConfigurationError(f"topic {topic} is missing: is {self.party} a registered party?")
        return found

    def _read(self, record: ConsumerRecord) -> None:
        try:
            envelope, data = from_headers(record.headers, record.value)
            event = canonical.loads(data)
            if envelope.type != STOP_ORDERED:
                self._fold.permission(envelope.type, event)
                return
            if self.behaviour.manner is not Manner.LYING:
                self._reminders += not self._fold.order(event)
        except (InputError, ValueError, KeyError, TypeError):
            self._unreadable += 1
            return
        answered = record.offset < self._answered_below[TopicPartition(record.topic, record.partition)]
        if not self.behaviour.silent and not answered:
            due = asyncio.get_running_loop().time() + self.behaviour.delay_s
            self._due.append((due, record, event))

    def _patience_ms(self) -> int:
        if not self._due:
            return POLL_MS
        left = self._due[0][0] - asyncio.get_running_loop().time()
        return max(1, min(POLL_MS, int(left * 1000)))

    async def _answer(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        now = asyncio.get_running_loop().time()
        done: dict[TopicPartition, int] = {}
        futures = []
        while self._due and self._due[0][0] <= now:
            _, record, order = self._due.popleft()
            orders = [order]
            if self.behaviour.manner is Manner.LYING:
                orders.append({**order, "order_id": order["order_id"] + INVENTED})
            for one in orders:
                headers, value = acknowledgement(self.party, one, self.behaviour.status, datetime.now(UTC))
                key = one["order_id"].encode()
                futures.append(await producer.send(IN_RIGHTS.of(self.party), value=value, key=key, headers=headers))
            done[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if futures:
            await asyncio.gather(*futures)
            self._acknowledged += len(futures)
            await consumer.commit(done)  # after the answers are stored: a restart answers again rather than never


def acknowledgement(
    party: str, order: dict[str, Any], status: OrderStatus, now: datetime
) -> tuple[list[tuple[str, bytes | None]], bytes]:
    """Headers and value of the answer to one order. The same answer given twice has the same event id. Pure."""
    digest = hashlib.sha256(order["order_id"].encode()).hexdigest()[:32]
    envelope = Envelope(
        f"ack:{digest}:{order.get('reminder', 0)}:{status}", party, ORDER_ACKNOWLEDGED, format_instant(now)
    )
    data = {"order_id": order["order_id"], "status": status}
    if status == "applied":
        data["applied_at"] = format_instant(now)
    return to_headers(envelope), canonical.dumps(data)
