"""One batch of `in.*`: judge each record, admit them all in one database call, publish, then answer.

Order of effects: the vault (guard), the internal event, dead letters, at last the receipt. A crash anywhere replays the
batch; the guard recognises its own records by their coordinate and publishes them again under the stored key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.collector.domain import Position, conflict_event, event_id_or_position, internal_event, receipt
from shared.contracts.envelope import Envelope, from_headers, to_headers
from shared.errors import InputError, Problem
from shared.instants import format_instant, from_millis
from shared.intake.accept import Accepted, accept
from shared.kafka.dead import DeadLetter, to_outgoing
from shared.kafka.publisher import Outgoing, Publisher
from shared.kafka.record import Record, coordinate
from shared.metrics import Metrics
from shared.pacing import in_turns
from shared.registry.feed import RegistryFeed
from shared.topics import OUT_RECEIPTS, PLATFORM_PARTY, party_of
from shared.vault import Admission, Admitted, Outcome, Vault

RECEIPT_TYPE = "opposable.receipt.v1"
SOURCE = "opposable/collector"
UNREGISTERED = "IDENTITY-UNREGISTERED"
ERASED = Problem(
    "ERASED", "", "what was sent under this id was erased: nothing is kept of it, and the id is never used again"
)
"""Told with `duplicate` (contracts: known, no effect) to whoever sends an erased consent, stop or request again."""


@dataclass(slots=True)
class Effects:
    """What a batch is about to publish, in the order it must be stored."""

    events: list[Outgoing] = field(default_factory=list)
    dead: list[Outgoing] = field(default_factory=list)
    receipts: list[Outgoing] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    dead_codes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judged:
    """An input that passed every check and now asks the guard."""

    record: Record
    envelope: Envelope
    accepted: Accepted
    received_at: str


class Intake:
    """Handles batches of partner records."""

    def __init__(
        self, *, vault: Vault, publisher: Publisher, registry: RegistryFeed, metrics: Metrics, log: Any, max_bytes: int
    ) -> None:
        self._vault, self._publisher, self._registry = vault, publisher, registry
        self._metrics, self._log, self._max_bytes = metrics, log, max_bytes

    async def process(self, records: Sequence[Record]) -> None:
        """Do one batch (see the module)."""
        if any(self._registry.view.party(party_of(r.topic)) is None for r in records):
            await self._registry.catch_up()  # a party may have been registered a moment ago
        effects = Effects()
        judged = [j async for record in in_turns(records) if (j := self._judge(record, effects)) is not None]
        answers = await self._vault.admit([
            Admission(j.accepted.record_id, f"{j.envelope.source} {j.envelope.id}", coordinate(j.record), j.accepted.content)
            for j in judged
        ])  # fmt: skip
        async for one, answer in in_turns(zip(judged, answers, strict=True)):
            self._settle(one, answer, effects)
        await self._publisher.send_all(effects.events + effects.dead)
        await self._publisher.send_all(effects.receipts)
        for status in effects.statuses:
            self._metrics.receipts.labels(status).inc()
        for code in effects.dead_codes:
            self._metrics.dead.labels(code).inc()

    def _judge(self, record: Record, effects: Effects) -> Judged | None:
        received = from_millis(record.timestamp)
        envelope: Envelope | None = None
        try:
            envelope, data = from_headers(record.headers, self._sized(record))
            accepted = accept(
                envelope, data, party=party_of(record.topic), received_at=received, registry=self._registry.view
            )
        except InputError as error:
            self._reject(record, envelope, error, effects)
            return None
        return Judged(record, envelope, accepted, format_instant(received))

    def _sized(self, record: Record) -> bytes:
        value = record.value
        if not value:
            raise InputError([Problem("EMPTY", "", "the record has no value: send the event as JSON")])
        if len(value) > self._max_bytes:
            raise InputError([Problem("TOO-LARGE", "", f"the event exceeds {self._max_bytes} bytes: send less")])
        return value

    def _reject(self, record: Record, envelope: Envelope | None, error: InputError, effects: Effects) -> None:
        problem = error.problems[0]
        effects.dead.append(
            to_outgoing(DeadLetter(record, problem.code, f"{problem.pointer} {problem.message}".strip()))
        )
        effects.dead_codes.append(problem.code)
        claimed = envelope.id if envelope is not None else _claimed_id(record)
        at = Position(record.topic, record.partition, record.offset)
        self._answer(record, event_id_or_position(claimed, at), "rejected", effects, problems=error.problems)

    def _settle(self, one: Judged, answer: Admitted, effects: Effects) -> None:
        at = Position(one.record.topic, one.record.partition, one.record.offset)
        event_id, accepted = one.envelope.id, one.accepted
        if answer.outcome is Outcome.ERASED and answer.owner == accepted.record_id:
            status, problems = "duplicate", [ERASED]  # known, without effect; what it said cannot be compared any more
        elif answer.key is not None and answer.outcome in (Outcome.NEW, Outcome.AGAIN):
            row, key, value = internal_event(accepted, answer.key, at)
            effects.events.append(_event(row.name, key, value, accepted.kind, one))
            status, problems = "accepted", list(accepted.warnings)
        elif answer.outcome is Outcome.DUPLICATE:
            status, problems = "duplicate", []
        else:
            row, key, value = conflict_event(accepted, answer.key, answer.owner, answer.first, at, event_id)
            effects.events.append(_event(row.name, key, value, f"{accepted.kind}.conflict", one))
            status = "conflict"
            problems = [Problem("CONFLICT", "", "this id was already used with another content: use a new id")]
            self._log.warning("conflict archived", topic=one.record.topic, partition=at.partition, offset=at.offset)
        self._answer(one.record, event_id, status, effects, consent_id=accepted.consent_id, problems=problems)

    def _answer(
        self, record: Record, event_id: str, status: str, effects: Effects, *, problems: Sequence[Problem],
        consent_id: str | None = None,
    ) -> None:  # fmt: skip
        effects.statuses.append(status)
        party = party_of(record.topic)
        if party == PLATFORM_PARTY:
            return  # our own edges answer their callers themselves
        received_at = format_instant(from_millis(record.timestamp))
        value = receipt(event_id, status, received_at, consent_id=consent_id, problems=problems)
        headers = to_headers(Envelope(id=f"receipt:{event_id}"[:64], source=SOURCE, type=RECEIPT_TYPE, time=None))
        effects.receipts.append(Outgoing(OUT_RECEIPTS.of(party), event_id.encode(), value, tuple(headers)))


def _event(topic: str, key: bytes, value: bytes, kind: str, one: Judged) -> Outgoing:
    envelope = Envelope(id=one.envelope.id, source=one.envelope.source, type=f"opposable.{kind}.v1", time=None)
    return Outgoing(topic, key, value, tuple(to_headers(envelope)))


def _claimed_id(record: Record) -> str | None:
    """The event id a broken record still shows, so that its sender can find it."""
    raw = next((value for name, value in record.headers if name == "ce_id"), None)
    return raw.decode("ascii", "replace") if raw is not None else None
