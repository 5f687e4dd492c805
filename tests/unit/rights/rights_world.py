"""A small invented world for the rights tests: one collector, three prospecteurs, one intermediary, one person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from services.rights_handler.deliveries import Times
from services.rights_handler.domain import Grant, Line, Stop, verdict_id
from services.rights_handler.fanout import FanOut
from services.rights_handler.persons import Person, Persons
from services.rights_handler.protocol import Crossing
from services.rights_handler.teller import Teller
from services.rights_handler.tokens import Tokens
from shared.clock import ManualClock
from shared.metrics import Metrics
from tests.fakes.rights import one_by_one

UUID = "0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"
RECORD = f"acme/{UUID}"
START = datetime(2026, 9, 14, 10, 0, tzinfo=UTC)
PARTIES = ("acme", "canalvert", "assurbrelle", "televerveine", "passeplat")
PERSON = Person((("email", "jeanne@exemple.example"), ("phone", "+33199001234")), "lead-1")
TIMES = Times((timedelta(hours=6), timedelta(hours=12), timedelta(hours=18)), timedelta(hours=24))


class NoKeys:
    async def read(self, _record_ids):
        return {}


class Registered(str):
    """A party of the fake registry: its id, and what is asked of it."""

    __slots__ = ()
    country = "FR"

    @property
    def legal_name(self):
        return self.title()

    @property
    def contact_dpo(self):
        return f"dpo@{self}.example"


class View:
    def __init__(self, parties=PARTIES):
        self.known = set(parties)

    def party(self, name):
        return Registered(name) if name in self.known else None

    def agreements(self, _collector, _prospector):
        return ()


class FakeRegistry:
    def __init__(self, parties=PARTIES):
        self.view = View(parties)
        self.caught_up = 0

    async def catch_up(self):
        self.caught_up += 1


def persons():
    return Persons(NoKeys(), pepper=b"p" * 32, match_master=b"m" * 32)


PERSONS = persons()
TOKENS = Tokens(b"m" * 32)


def make_line(recipient="canalvert", channel="email", **more):
    values = {
        "recipient": recipient, "channel": channel, "purpose": "prospecting", "sector": "general", "object": None,
        "value": "granted", "verdict": "valid", "basis": "consent", "valid_from": "2026-09-14T08:31:07.120Z",
        "valid_until": "2029-09-14T08:31:07.120Z", "reasons": (),
    }  # fmt: skip
    return Line(**{**values, **more})


def make_grant(*lines, person=PERSON, seq=1, **more):
    values = {
        "record": RECORD, "vid": verdict_id(seq, 41, "2026-09-14T08:31:08.000Z"), "collector": "acme", "consent_id": UUID,
        "collected_at": "2026-09-14T08:31:07.120Z", "received_at": "2026-09-14T08:31:07.900Z", "confirmed": False,
        "via": (), "contact_keys": PERSONS.contact_keys(person),
        "subject_key": PERSONS.subject_key("acme", person.subject_ref), "ruleset": "2026-11-24.1",
        "lines": lines or (make_line(), make_line("assurbrelle")), "sealed": None,
    }  # fmt: skip
    granted = sorted({line.recipient for line in values["lines"] if line.verdict == "valid" and line.recipient})
    if "contact_keys" not in more:
        values["aliases"] = PERSONS.index_keys(person, granted)[1]
    return Grant(**{**values, **more})


def make_stop(identity="canalvert/s1", *, contact=PERSON.contacts[0], at="2026-10-02T17:05:00.000Z", **more):
    keys = frozenset() if contact is None else frozenset([PERSONS.contact_key(*contact)])
    values = {
        "id": identity, "source": identity.split("/")[0], "kind": "withdrawal", "at": at, "contact_keys": keys,
        "subject_key": None, "record": None,
    }  # fmt: skip
    return Stop(**{**values, **more})


def make_crossing(ports, *, registry=None, clock=None, crossing=Crossing, fan_out=FanOut):
    teller = Teller(
        outbox=ports, persons=PERSONS, registry=registry or FakeRegistry(), tokens=TOKENS, metrics=Metrics(),
        public_url="https://oppo.example",
        proof_url="https://oppo.example",
    )  # fmt: skip
    fan = fan_out(
        index=ports, ledger=ports, teller=teller, clock=clock or ManualClock(START),
        ack_within=lambda _collector, _party: timedelta(hours=24), times=TIMES, together=one_by_one,
    )  # fmt: skip
    return crossing(ports, fan, teller)


def permissions(world):
    """(recipient, type, channel) of every permission event, in order of publication."""
    found = []
    for message in world.published:
        if message.topic.endswith(".permissions"):
            kind = dict(message.headers)["ce_type"].decode().split(".")[2]
            body = orjson.loads(message.value)
            found.append((message.topic.split(".")[1], kind, body["channel"], tuple(body.get("reasons", ()))))
    return found


def ordered(world):
    """Parties that an order was published to."""
    return {m.topic.split(".")[1] for m in world.published if m.topic.endswith(".withdrawals")}
