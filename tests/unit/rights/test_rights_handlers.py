"""From Kafka records to effects: decoding, the vault, dead letters, obligations, what is only kept."""

import base64
from datetime import timedelta

import orjson
import pytest
from rights_world import (
    PARTIES,
    RECORD,
    START,
    TIMES,
    TOKENS,
    UUID,
    FakeRegistry,
    ordered,
    permissions,
)

from services.rights_handler.acknowledging import Acknowledging
from services.rights_handler.domain import order_id
from services.rights_handler.fanout import FanOut
from services.rights_handler.handlers import Handlers
from services.rights_handler.persons import Persons
from services.rights_handler.protocol import Crossing
from services.rights_handler.teller import Teller
from shared import canonical
from shared.clock import ManualClock
from shared.crypto.keys import match_key, party_key
from shared.crypto.sealing import RecordKey, seal
from shared.errors import IntegrityError
from shared.kafka.record import StoredRecord
from shared.metrics import Metrics
from tests.fakes.rights import Direct

CONTACTS = [{"type": "email", "value": "jeanne@exemple.example"}, {"type": "phone", "value": "+33199001234"}]
MASTER = b"m" * 32


class Keys(dict):
    erased: frozenset = frozenset()

    async def read(self, record_ids):
        return {r: self[r] for r in record_ids if r in self}

    async def gone(self, record_ids):
        return {r: "erased" for r in record_ids if r in self.erased}


class Bench:
    """The four processes on fakes, with what they left."""

    def __init__(self):
        self.keys, self.ports, self.dead = Keys(), Direct(), []
        persons = Persons(self.keys, pepper=b"p" * 32, match_master=MASTER)
        teller = Teller(
            outbox=self.ports, persons=persons, registry=FakeRegistry(PARTIES), tokens=TOKENS, metrics=Metrics(),
            public_url="https://oppo.example/", proof_url="https://oppo.example/",
        )  # fmt: skip
        fan_out = FanOut(self.ports, self.ports, teller, ManualClock(START), lambda *_: timedelta(hours=24), TIMES)
        self.handlers = Handlers(
            crossing=Crossing(self.ports, fan_out, teller), acknowledging=Acknowledging(self.ports, self.ports, self.settle),
            persons=persons, index=self.ports, ledger=self.ports, reports=self.ports, requests=self, dead_all=self.bury,
        )  # fmt: skip
        self.received, self.settled = [], []

    async def receive(self, requests):
        self.received += requests

    async def settle(self, names):
        self.settled += sorted(names)

    async def bury(self, letters):
        self.dead += [(record.offset, code) for record, code, _ in letters]

    def seal(self, kind, record, doc):
        key = self.keys.setdefault(record, RecordKey.generate())
        return base64.b64encode(seal(key, kind, record, doc)).decode()

    def verdict(self, offset=0, *, seq=1, **more):
        facts = {
            "kind": "consent.assessed", "v": 1, "record": RECORD, "collector": "acme", "consent_id": UUID,
            "collected_at": "2026-09-14T08:31:07.120Z", "received_at": "2026-09-14T08:31:07.900Z", "confirmed": True,
            "via": [], "ruleset": "2026-11-24.1", "ruleset_seq": seq, "registry_offset": 41,
            "evaluated_at": "2026-09-14T08:31:08.000Z", "references": [],
            "lines": [
                {"recipient": "canalvert", "channel": "email", "purpose": "prospecting", "sector": "general",
                 "object": None, "value": "granted", "verdict": "valid", "basis": "consent",
                 "valid_from": "2026-09-14T08:31:07.120Z", "valid_until": "2029-09-14T08:31:07.120Z", "reasons": []},
            ],
        } | more  # fmt: skip
        sealed = self.seal("consent.recorded", RECORD, {"contacts": CONTACTS, "subject_ref": "lead-1"})
        return record("verdicts", {"facts": facts, "sealed": sealed}, offset)

    def stop(self, offset=0, stop="canalvert/s1", doc=None, **more):
        facts = {
            "kind": "stop.recorded", "v": 1, "stop": stop, "stop_id": stop.split("/")[1], "source": stop.split("/")[0],
            "event_id": "e", "at": "2026-10-02T17:05:00.000Z", "received_at": "2026-10-02T17:05:02.000Z",
            "stop_kind": "withdrawal", "via": "api", "recipients": "all", "channels": "all", "purposes": "all",
            "record": None, "contact_types": ["phone"], "unusable_contacts": 0,
        } | more  # fmt: skip
        body = {"facts": facts}
        if doc != {}:
            body["sealed"] = self.seal("stop.recorded", f"stop/{stop}", doc or {"contacts": [CONTACTS[1]]})
        return record("stops", body, offset)


def record(topic, body, offset=0):
    value = body if isinstance(body, bytes | type(None)) else canonical.dumps(body)
    return StoredRecord(topic, 0, offset, 1_790_000_000_000, b"k", value)


def report(kind, offset=0, **facts):
    head = {"kind": kind, "v": 1, "source": "canalvert", "event_id": f"e{offset}"}
    return record("reports", {"facts": head | {"received_at": "2026-10-02T18:00:00.000Z"} | facts}, offset)


@pytest.fixture
def bench():
    return Bench()


async def test_what_is_published_is_what_each_party_can_match_with_its_own_file(bench):
    await bench.handlers.verdicts([bench.verdict()])
    await bench.handlers.stops([bench.stop()])
    key = party_key(MASTER, "canalvert", 1)
    expected = [{"type": c["type"], "key": match_key(1, key, c["type"], c["value"])} for c in CONTACTS]
    told = {m.topic: orjson.loads(m.value) for m in bench.ports.world.published}
    granted, order = told["out.canalvert.permissions"], told["out.canalvert.withdrawals"]
    assert granted["match_keys"] == order["match_keys"] == expected
    assert granted["source_ref"] == "lead-1"
    assert order["source_refs"] == ["lead-1"]
    assert granted["stop_url"].startswith("https://oppo.example/u/")
    reference = TOKENS.read(granted["stop_url"].rpartition("/")[2])
    assert (reference.record, reference.party) == (RECORD, "canalvert")
    assert granted["notice_due_at"] == "2026-10-14T08:31:07.900Z"
    assert order["match_keys"] != told["out.acme.withdrawals"]["match_keys"]


async def test_the_index_and_everything_internal_hold_no_contact_and_no_reference(bench):
    await bench.handlers.verdicts([bench.verdict()])
    await bench.handlers.stops([bench.stop()])
    world = bench.ports.world
    kept = repr((world.grants, world.stops, world.rows, [m for m in world.published if m.topic == "deliveries"]))
    for secret in ("jeanne@", "33199001234", "lead-1"):
        assert secret not in kept
    assert not [m for m in world.published if b"lead-1" in (m.key or b"") or b"lead-1" in str(m.headers).encode()]


async def test_a_subject_reference_finds_its_collectors_records_only(bench):
    await bench.handlers.verdicts([bench.verdict()])
    mine = bench.stop(stop="acme/s1", doc={"subject_ref": "lead-1", "collector_ref": "acme"})
    other = bench.stop(stop="canalvert/s2", doc={"subject_ref": "lead-1", "collector_ref": "canalvert"})
    await bench.handlers.stops([other])
    assert ordered(bench.ports.world) == set()
    await bench.handlers.stops([mine])
    assert ordered(bench.ports.world) == {"canalvert", "acme"}
    told = bench.stop(stop="canalvert/s3", doc={"subject_ref": "lead-1", "collector_ref": "acme"})
    await bench.handlers.stops([told])  # a prospecteur that says whose reference it gives
    assert {row.stop for row in bench.ports.world.rows.values()} == {"acme/s1", "canalvert/s3"}


async def test_a_stop_that_names_a_record_or_a_bare_consent_needs_nothing_sealed(bench):
    await bench.handlers.verdicts([bench.verdict()])
    await bench.handlers.stops([bench.stop(doc={}, record=UUID)])
    assert ordered(bench.ports.world) == {"canalvert", "acme"}


async def test_bad_records_go_to_dead_and_their_neighbours_flow(bench):
    lines = [{"recipient": "canalvert"}]
    await bench.handlers.verdicts([
        record("verdicts", None, 1), record("verdicts", b"\xff", 2), record("verdicts", {"facts": {}}, 3),
        record("verdicts", {"facts": {"kind": "consent.assessed"}}, 4), bench.verdict(5, lines=lines), bench.verdict(6),
        record("verdicts", {"facts": {"kind": "consent.danced"}}, 7),
        record("verdicts", {"facts": {"kind": "consent.conflict"}}, 8),
    ])  # fmt: skip
    assert sorted(bench.dead) == [
        (1, "FACTS"),
        (2, "FACTS"),
        (3, "FACTS"),
        (4, "FACTS"),
        (5, "FACTS"),
        (7, "KIND-UNKNOWN"),
    ]
    assert [p[1] for p in permissions(bench.ports.world)] == ["granted"]


async def test_of_two_verdicts_in_one_batch_the_highest_speaks_alone(bench):
    await bench.handlers.verdicts([bench.verdict(0, seq=2), bench.verdict(1, seq=1)])
    assert len(permissions(bench.ports.world)) == 1
    assert bench.ports.world.grants[RECORD].vid.startswith("000002.")


async def test_a_key_that_is_missing_halts_and_says_so(bench):
    verdict = bench.verdict()
    bench.keys.clear()
    with pytest.raises(IntegrityError, match="missing from the vault"):
        await bench.handlers.verdicts([verdict])
    assert not bench.ports.world.published


async def test_a_late_verdict_of_an_erased_record_brings_nothing_back(bench):
    late = bench.verdict(0)
    bench.keys.erased = frozenset({RECORD})
    bench.keys.clear()
    await bench.handlers.verdicts([late])
    world = bench.ports.world
    assert (world.grants, world.published, bench.dead) == ({}, [], [])


async def test_a_late_stop_whose_text_was_erased_still_counts_by_the_record_it_names(bench):
    await bench.handlers.verdicts([bench.verdict()])
    told = bench.stop(record=UUID)
    bench.keys.erased = frozenset({"stop/canalvert/s1"})
    del bench.keys["stop/canalvert/s1"]
    await bench.handlers.stops([told])
    assert ordered(bench.ports.world) == {"canalvert", "acme"}


async def test_a_stop_with_no_usable_contact_is_owed_by_its_party(bench):
    await bench.handlers.stops([
        bench.stop(0, "canalvert/s1", {"unusable": ["0"]}, unusable_contacts=1),
        bench.stop(1, "platform/s2", {"unusable": ["0"]}, unusable_contacts=1),
        bench.stop(2, "canalvert/s3", {"unusable": ["0"]}, unusable_contacts=1, record=RECORD),
        bench.stop(3, "canalvert/s4", {"subject_ref": "x", "collector_ref": "canalvert"}, lost_reference=True),
    ])  # fmt: skip
    owed = bench.ports.world.obligations
    assert {key: o.owner for key, o in owed.items()} == {
        "unusable/canalvert/s1": "canalvert", "unusable/platform/s2": "operator", "unusable/canalvert/s4": "canalvert",
    }  # fmt: skip
    assert len(bench.ports.world.stops) == 4


async def test_reports_of_every_kind_and_answers_that_are_nobodys(bench):
    await bench.handlers.verdicts([bench.verdict()])
    await bench.handlers.stops([bench.stop()])
    order = order_id("canalvert/s1", "canalvert", RECORD)
    await bench.handlers.reports([
        report("order.acknowledged", 1, order=order, status="applied", applied_at=None, last_send_at=None),
        report("order.acknowledged", 2, order="0" * 40, status="applied"),
        report("order.acknowledged", 3, order=order, source="acme", status="applied"),
        report("order.acknowledged", 4, status="applied"),
        report("data.transferred", 5, record=RECORD, to="televerveine", at="2026-09-20T00:00:00.000Z", fields=[]),
        report("notice.given", 6, record=RECORD, at="2026-09-20T00:00:00.000Z", channel="email"),
        report("contact.attempted", 7, record=RECORD, channel="call", at="2026-09-20T00:00:00.000Z", outcome="no_answer"),
    ])  # fmt: skip
    world = bench.ports.world
    assert world.rows[order].state == "closed"
    assert "televerveine" in ordered(world)
    assert sorted(bench.dead) == [(2, "ORDER-UNKNOWN"), (3, "ORDER-FOREIGN"), (4, "FACTS")]
    assert {key for _, key in world.reports} == {"canalvert/e5", "canalvert/e6", "canalvert/e7"}


async def test_a_request_is_handed_on_with_its_month_and_what_cannot_be_read_is_put_aside(bench):
    facts = {"kind": "request.received", "v": 1, "request": "acme/r1", "right": "access", "source": "acme",
             "asked_at": "2026-10-31T09:00:00.000Z", "received_at": "2026-11-02T09:00:00.000Z",
             "identity": {"verified": True, "method": "code"}}  # fmt: skip
    sealed = bench.seal("request.received", "request/acme/r1", {"contacts": [CONTACTS[0]]})
    await bench.handlers.requests([
        record("requests", {"facts": facts, "sealed": sealed}),
        record("requests", {"facts": {"kind": "request.received"}}, 1),
    ])  # fmt: skip
    (request,) = bench.received
    assert (request.id, request.right, request.verified) == ("acme/r1", "access", True)
    assert request.due_at == "2026-11-30T09:00:00.000Z"
    assert len(request.contact_keys) == 1
    assert bench.dead == [(1, "FACTS")]
