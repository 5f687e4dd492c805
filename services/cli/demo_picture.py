"""What the records of a `Ledger` mean: inputs, receipts, consents, verdicts, permissions, stops, orders, answers.

Pure. Copies of one event (a producer's retry, a replay after a crash) are counted once: events are kept by their identity.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord

from services.cli.demo_ledger import Ledger, body, header
from services.cli.demo_stream import Place
from shared.topics import CONSENTS, DEAD, DELIVERIES, STOPS, VERDICTS, party_of
from shared.verdicts import said

EVENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True)
class Order:
    """One order as its party received it first. `at_ms`: when the broker stored it."""

    order: str
    stop: str
    party: str
    consent: str
    at_ms: int


@dataclass(slots=True)
class Picture:
    """Everything the topics say, by identity. Times are the broker's, in milliseconds."""

    inputs: dict[Place, ConsumerRecord] = field(default_factory=dict)
    receipts: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """(party, event id, body). A copy (the same bytes, after a crash) counts once; an input answered twice in other words shows."""
    consents: dict[str, dict[str, Any]] = field(default_factory=dict)
    conflicts: int = 0
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    permissions: dict[tuple[str, str, str, str], list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    """(party, record, channel, purpose) → (`granted`, `refused` or `ended`; body), in the order received."""
    stops: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    reminders: dict[str, int] = field(default_factory=dict)
    """Order → highest reminder number received."""
    answers: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """Order → (status, when) of each acknowledgement, as its party published it."""
    closed: set[str] = field(default_factory=set)
    dead: dict[Place, ConsumerRecord] = field(default_factory=dict)

    def statuses_of(self, places: Iterable[Place]) -> Counter[str]:
        """Receipts of these consent inputs, by status."""
        events = {identity(self.inputs[where]) for where in places if where[0].endswith(".consents")}
        return Counter(r["status"] for party, event, r in self.receipts if (party, event) in events)

    def lines(self, record: str) -> list[dict[str, Any]]:
        """Verdict lines of a record."""
        return list(self.verdicts[record]["lines"]) if record in self.verdicts else []


def picture(ledger: Ledger) -> Picture:
    """Give the records their meaning."""
    seen = Picture()
    for record in ledger.matching("in."):
        seen.inputs[place(record)] = record
    for record in _once(ledger.matching("out.", ".receipts")):
        receipt = body(record)
        seen.receipts.append((party_of(record.topic), receipt["event_id"], receipt))
    for record in ledger.of(CONSENTS.name):
        facts = body(record)["facts"]
        if facts["kind"] == "consent.recorded":
            seen.consents[facts["record"]] = facts
        else:
            seen.conflicts += 1
    for record in ledger.of(VERDICTS.name):
        facts = said(body(record))
        seen.verdicts[facts["record"]] = facts
    for record in ledger.of(STOPS.name):
        facts = body(record)["facts"]
        if facts["kind"] == "stop.recorded":
            seen.stops[facts["stop"]] = facts
    for record in ledger.of(DEAD.name):
        named = (header(record, f"opposable-{part}") for part in ("topic", "partition", "offset"))
        topic, partition, offset = named
        seen.dead[topic, int(partition), int(offset)] = record
    _permissions(ledger, seen)
    _orders(ledger, seen)
    return seen


def _once(records: Iterable[ConsumerRecord]) -> list[ConsumerRecord]:
    """Records without copies: same topic, same key, same bytes."""
    return list({(record.topic, record.key, record.value): record for record in records}.values())


def identity(record: ConsumerRecord) -> tuple[str, str]:
    """Party and event id as the receipt must name them: the sender's id where usable, else where the input stands."""
    claimed = header(record, "ce_id")
    event = claimed if EVENT_ID.fullmatch(claimed) else f"{record.topic}:{record.partition}:{record.offset}"
    return party_of(record.topic), event


def place(record: ConsumerRecord) -> Place:
    """Where a record stands."""
    return record.topic, record.partition, record.offset


def _permissions(ledger: Ledger, seen: Picture) -> None:
    known: set[tuple[str, str]] = set()
    for record in ledger.matching("out.", ".permissions"):
        party, event = party_of(record.topic), header(record, "ce_id")
        if (party, event) in known:
            continue
        known.add((party, event))
        said = body(record)
        line = (party, said["record"], said["channel"], said["purpose"])
        seen.permissions.setdefault(line, []).append((header(record, "ce_type").split(".")[2], said))


def _orders(ledger: Ledger, seen: Picture) -> None:
    for record in ledger.matching("out.", ".withdrawals"):
        said = body(record)
        order = said["order_id"]
        if order not in seen.orders:
            consent = said["consent_ids"][0]
            seen.orders[order] = Order(order, said["stop_id"], party_of(record.topic), consent, record.timestamp)
        seen.reminders[order] = max(seen.reminders.get(order, 0), said["reminder"])
    for record in ledger.matching("in.", ".rights"):
        if header(record, "ce_type") == "opposable.order.acknowledged.v1":
            said = body(record)
            seen.answers.setdefault(said["order_id"], []).append((said["status"], record.timestamp))
    for record in ledger.of(DELIVERIES.name):
        facts = body(record)["facts"]
        if facts["kind"] == "delivery.acknowledged" and facts.get("closed"):
            seen.closed.add(facts["order"])
