"""What a former release wrote is read by this one: every event, partner's or internal, on every side that reads it.

During a rolling upgrade both run side by side, and topics hold what was written for up to 90 days: see docs/recovery.md.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from services.eraser.domain import order_of
from services.proof_archive.domain import entry_of
from services.rights_handler import decoding
from services.rights_handler.persons import Persons
from shared.contracts.catalogue import CATALOGUE
from shared.crypto.sealing import RecordKey
from shared.topics import ARCHIVED, ERASURES

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
PEPPER, MASTER = b"p" * 32, b"m" * 32


@dataclass(frozen=True)
class Stored:
    """A record as Kafka hands it out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: tuple


class Sample:
    """One file."""

    def __init__(self, path):
        document = json.loads(path.read_text())
        self.keys = {owner: RecordKey(base64.b64decode(key)) for owner, key in document["keys"].items()}
        self.records = [
            Stored(
                r["topic"], r["partition"], r["offset"], r["timestamp"], None if r["key"] is None else r["key"].encode(),
                r["value"].encode(), tuple((n, v.encode()) for n, v in r["headers"].items()),
            )
            for r in document["records"]
        ]  # fmt: skip
        self.persons = Persons(self, pepper=PEPPER, match_master=MASTER)

    async def read(self, owners):
        """As the vault does."""
        return {owner: self.keys[owner] for owner in owners if owner in self.keys}

    async def gone(self, _owners):
        """Nobody."""
        return {}

    def of(self, topic, kind):
        """The one record of a kind."""
        (found,) = [r for r in self.records if r.topic == topic and json.loads(r.value)["facts"]["kind"] == kind]
        return decoding.read(found.value)

    async def person(self, event, owner):
        """Opened with its key. Raises where it does not open."""
        return (await self.persons.open_all({owner: event.sealed}, event_kind(event)))[owner]


def event_kind(event):
    return "consent.recorded" if event.kind == "consent.assessed" else event.kind


@pytest.fixture(params=SAMPLES, ids=lambda path: path.stem)
def sample(request):
    return Sample(request.param)


def test_there_are_samples_and_they_hold_each_kind(sample):
    assert len(sample.records) >= 25
    internal = {"consents", "verdicts", "stops", "requests", "reports", "deliveries", "erasures", "registry"}
    assert internal <= {r.topic for r in sample.records}


def test_parties_events_are_taken_and_read_as_they_were(sample):
    models = {event.name: TypeAdapter(event.model) for event in CATALOGUE}
    seen = set()
    for record in sample.records:
        if record.topic.startswith(("in.", "out.")):
            kind = dict(record.headers)["ce_type"].decode()
            models[kind].validate_json(record.value)
            seen.add(kind)
    assert {"opposable.consent.collected.v1", "opposable.stop.requested.v1", "opposable.stop.ordered.v1",
            "opposable.permission.granted.v1", "opposable.receipt.v1"} <= seen  # fmt: skip


async def test_the_index_reads_a_verdict_and_its_person(sample):
    event = sample.of("verdicts", "consent.assessed")
    record = event.facts["record"]
    person = await sample.person(event, record)
    grant = decoding.grant(event, person, sample.persons)
    assert grant.record == record
    assert {line.recipient for line in grant.lines if line.verdict == "valid"} >= {"canalvert", "hibou", "tisane"}
    assert sample.persons.contact_key("email", dict(person.contacts)["email"]) in grant.contact_keys


async def test_the_index_reads_stops_reports_and_answers(sample):
    event = sample.of("stops", "stop.recorded")
    stop = decoding.stop(
        event,
        (await sample.person(event, f"stop/{event.facts['stop']}")) if event.sealed else _nobody(),
        sample.persons,
    )
    assert stop.id == event.facts["stop"]
    assert stop.record or stop.contact_keys
    assert decoding.transfer(sample.of("reports", "data.transferred")).to == "canalvert"
    assert decoding.notice(sample.of("reports", "notice.given")).source == "canalvert"
    assert decoding.answer(sample.of("reports", "order.acknowledged"), "x").status == "applied"
    attempt = sample.of("reports", "contact.attempted")
    assert decoding.attempt(attempt, _nobody(), sample.persons).outcome == "delivered"


def test_the_archive_enters_every_archived_record(sample):
    archived = {row.name for row in ARCHIVED}
    for record in (r for r in sample.records if r.topic in archived):
        entry = entry_of(record)
        assert entry.flaw is None, (record.topic, entry.flaw)
        assert json.loads(entry.data)["offset"] == record.offset
        assert entry_of(record).data == entry.data
    consents = [entry_of(r) for r in sample.records if r.topic == "consents"]
    assert all(entry.sealed is not None and entry.sealed.owner in sample.keys for entry in consents)


def test_the_eraser_reads_what_to_destroy(sample):
    orders = [order for r in sample.records if r.topic == ERASURES.name and (order := order_of(r)) is not None]
    assert [order.destroys for order in orders] == [True]
    assert orders[0].record.startswith("acme/")


def _nobody():
    from services.rights_handler.persons import Person  # noqa: PLC0415

    return Person()
