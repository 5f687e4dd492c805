"""The rights handler's requests on fakes: one person with two consents, a vault of keys, what went out to persons and parties."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson

from services.rights_handler.acknowledging import Acknowledging
from services.rights_handler.deliveries import Answer
from services.rights_handler.erasing.model import Fate, Planned
from services.rights_handler.fanout import FanOut
from services.rights_handler.persons import Person, Persons
from services.rights_handler.protocol import Crossing
from services.rights_handler.requests.addressing import Addressing
from services.rights_handler.requests.answering import Answering
from services.rights_handler.requests.changing import Changing
from services.rights_handler.requests.domain import opened
from services.rights_handler.requests.gathering import Gathering
from services.rights_handler.requests.handling import Handling
from services.rights_handler.requests.letters import Letters
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.proving import Proving
from services.rights_handler.requests.settling import Settling
from services.rights_handler.requests.sweeping import RequestSweep
from services.rights_handler.teller import Teller
from shared.clock import ManualClock
from shared.crypto.sealing import RecordKey, seal
from shared.metrics import Metrics
from tests.fakes.rights import Direct
from tests.unit.rights.rights_world import (
    RECORD,
    TIMES,
    TOKENS,
    make_grant,
    make_line,
)

NOW = datetime(2026, 10, 5, 10, 0, 0, 123_456, tzinfo=UTC)
EMAIL = {"type": "email", "value": "jeanne@exemple.example"}
PHONE = {"type": "phone", "value": "+33199001234"}
DOCUMENT = {"contacts": [EMAIL, PHONE], "subject_ref": "lead-1", "context": {"ip": "203.0.113.9", "session": None}}
NAMES = {
    "acme": "ACME Jeux SAS",
    "canalvert": "Canal Vert SA",
    "assurbrelle": "Assur’Brelle SA",
    "televerveine": "Télé Verveine",
}


class Keys(dict):
    """A vault: keys by name; what is taken out is gone."""

    async def read(self, names):
        return {name: self[name] for name in names if name in self}

    async def gone(self, names):
        return {name: "erased" for name in names if name not in self}


class Party:
    def __init__(self, name):
        self.id, self.legal_name = name, NAMES[name]
        self.siren, self.contact_dpo, self.privacy_url, self.api_keys = "999000011", f"dpo@{name}.example", None, ()


class Agreement:
    valid_from, valid_until, stop_sla = date(2026, 1, 1), None, "PT24H"

    def __init__(self, qualification, proof_sla):
        self.qualification, self.proof_sla = qualification, proof_sla


AGREED = {"canalvert": ("independent", "PT12H"), "assurbrelle": ("joint", None)}


class View:
    def parties(self):
        return [Party(name) for name in NAMES]

    def party(self, name):
        return Party(name) if name in NAMES else None

    def agreements(self, collector, party):
        return [Agreement(*AGREED[party])] if collector == "acme" and party in AGREED else []


class Registry:
    view = View()

    async def catch_up(self):
        pass


class Log:
    def __init__(self):
        self.said = []

    def warning(self, sentence, **fields):
        self.said.append((sentence, fields))

    info = error = warning


class Bench:
    """One instance (`again()` makes a second on the same world)."""

    def __init__(self, world=None, keys=None, clock=None):
        self.ports, self.keys = Direct(world), Keys() if keys is None else keys
        self.clock, self.log = clock or ManualClock(NOW), Log()
        self.ordered, self.begun, self.archive = [], [], {}
        self.fate = Fate("erase")
        self.persons = Persons(self.keys, pepper=b"p" * 32, match_master=b"m" * 32)
        teller = Teller(
            outbox=self.ports, persons=self.persons, registry=Registry(), tokens=TOKENS, metrics=Metrics(),
            public_url="https://oppo.example", proof_url="https://oppo.example",
        )  # fmt: skip
        fan_out = FanOut(self.ports, self.ports, teller, self.clock, lambda *_: timedelta(hours=24), TIMES)
        self.crossing = Crossing(self.ports, fan_out, teller)
        proving = Proving(self, Registry(), self.ports, "https://preuve.example")
        gathering = Gathering(
            index=self.ports, ledger=self.ports, reports=self.ports, keys=self.keys, persons=self.persons,
            registry=Registry(),
        )  # fmt: skip
        letters = Letters(self.keys, self, self.ports)
        change = Changing(self.ports, self.clock)
        self.settling = Settling(change, self.ports, self.ports, self.crossing, gathering, letters, proving, self)
        self.handling = Handling(
            change=change, settling=self.settling, crossing=self.crossing, gathering=gathering,
            answering=Answering(Registry(), proving, "https://preuve.example"),
            addressing=Addressing(gathering, letters, self.persons), letters=letters, proving=proving, erasing=self,
        )  # fmt: skip
        self.sweeping = RequestSweep(self.ports, self.settling, self.ports, self.clock, self.log)

    def again(self):
        """Another instance of the service."""
        return Bench(self.ports.world, self.keys, self.clock)

    # What stands around: persons, the archive, the eraser

    async def order(self, messages):
        self.ordered += messages
        return frozenset()

    async def bundle(self, record):
        return self.archive.get(record)

    async def erase(self, records, *, cause):
        seen = {m.topic for m in self.ports.world.published}
        self.begun.append((tuple(records), str(cause), frozenset(seen)))
        for record in records:
            self.keys.pop(record, None)
            self.ports.world.grants.pop(record, None)
        return [Planned(record, self.fate, "deciding", ("acme", "canalvert")) for record in records]

    # Steps

    async def consent(self, *lines, record=RECORD, document=DOCUMENT, seq=1):
        key = self.keys.setdefault(record, RecordKey(b"k" * 32))
        person = Person(tuple((c["type"], c["value"]) for c in document["contacts"]), document.get("subject_ref"))
        grant = make_grant(
            *(lines or (make_line(), make_line("assurbrelle"))), person=person, seq=seq,
            sealed=seal(key, "consent.recorded", record, document), record=record,
        )  # fmt: skip
        grant = replace(grant, consent_id=record.partition("/")[2])
        await self.crossing.verdicts([grant], {record: person})
        return grant

    def request(self, right, name="acme/r1", *, contacts=(EMAIL,), verified=True, details=None, record=None, at=None,
                subject=None):  # fmt: skip
        at = at or "2026-10-05T09:00:00.000Z"
        owner, document = f"request/{name}", {"contacts": list(contacts)}
        if details:
            document["details"] = details
        if subject:
            document |= {"collector_ref": subject[0], "subject_ref": subject[1]}
        key = self.keys.setdefault(owner, RecordKey(b"r" * 32))
        person = Person(tuple((c["type"], c["value"]) for c in contacts))
        return opened(
            Request(
                id=name, source=name.partition("/")[0], right=right, asked_at=at, received_at=at, due_at=at,
                verified=verified, contact_keys=self.persons.contact_keys(person), record=record,
                sealed=seal(key, "request.received", owner, document),
            )
        )  # fmt: skip

    async def receive(self, right, **more):
        request = self.request(right, **more)
        await self.handling.receive([request])
        return request.id

    async def apply(self, name="acme/r1"):
        """Every party answers `applied` to every open order of the request."""
        rows = [r for r in self.ports.world.rows.values() if r.stop == f"request/{name}" and r.state != "closed"]
        answers = [
            Answer(row.order, row.party, "applied", f"e-{row.order}", "2026-10-06T09:00:00.000Z") for row in rows
        ]
        await Acknowledging(self.ports, self.ports)(answers)
        await self.handling.settle([name])

    # What is seen

    def now(self, name="acme/r1"):
        return self.ports.world.requests[name]

    def orders(self, right=None):
        """(party, body) of every right order that was published."""
        found = [
            (m.topic.split(".")[1], orjson.loads(m.value))
            for m in self.ports.world.published if m.topic.endswith(".requests")
        ]  # fmt: skip
        return [(party, body) for party, body in found if right in (None, body["right"])]

    def facts(self, kind=None):
        found = [orjson.loads(m.value)["facts"] for m in self.ports.world.published if m.topic == "deliveries"]
        return [f for f in found if kind in (None, f["kind"])]

    def told(self, party, record=RECORD):
        """What a prospecteur's topic of permissions says of a record, in order: (type, reasons)."""
        return [
            (dict(m.headers)["ce_type"].decode().split(".")[2], tuple(orjson.loads(m.value).get("reasons", ())))
            for m in self.ports.world.published
            if m.topic == f"out.{party}.permissions" and m.key == record.encode()
        ]

    def attached(self, message):
        return {name: body for name, _, body in message.attachments}


def clear(text):
    """Base64 or not, is a contact to be read in these bytes?"""
    whole = text if isinstance(text, bytes) else repr(text).encode()
    return any(
        word in whole or base64.b64encode(word) in whole
        for word in (b"jeanne@", b"33199001234", b"lead-1", b"203.0.113")
    )
