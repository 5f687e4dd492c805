"""The order of an erasure on a real database, with a crash after every step: object, tell, index, proof, at last the key."""

import uuid
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from pymongo import AsyncMongoClient

from services.eraser.domain import order_of
from services.rights_handler.domain import Stop, Transfer
from services.rights_handler.erasing.acts import HoldActs
from services.rights_handler.erasing.arrivals import Arrivals
from services.rights_handler.erasing.erase import Erasing
from services.rights_handler.erasing.hold_store import MongoHolds
from services.rights_handler.erasing.holds import Hold, HoldReason, ScopeKind, scope_text
from services.rights_handler.erasing.model import Cause, Fate
from services.rights_handler.erasing.retention import Retention
from services.rights_handler.erasing.steps import LEASE, Steps
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.erasing.tombstones import Tombstones
from services.rights_handler.fanout import FanOut
from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.ports import Written
from services.rights_handler.protocol import Crossing
from services.rights_handler.reported import Attempt
from services.rights_handler.reports import MongoReports
from services.rights_handler.requesting import Requesting
from services.rights_handler.teller import Teller
from shared.clock import ManualClock
from shared.errors import InputError, IntegrityError
from shared.instants import format_instant, parse_instant
from shared.kafka.record import StoredRecord
from shared.logging import configure
from shared.metrics import Metrics
from shared.topics import ERASURES, IN_PLATFORM_RIGHTS
from tests.unit.rights.rights_world import PERSONS, TIMES, TOKENS, FakeRegistry, make_grant, make_line, make_stop

pytestmark = pytest.mark.engines
NOW = parse_instant("2026-11-27T10:00:00.000Z")
LOG = configure("test", "CRITICAL")


class Crash(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


class Fuse:
    """Counts the steps that reach outside; blows after one of them."""

    def __init__(self, after=None):
        self.after, self.count = after, 0

    def step(self):
        self.count += 1
        if self.count == self.after:
            raise Crash


class Fused:
    """A port whose every call counts once it is done."""

    def __init__(self, port, fuse):
        self._port, self._fuse = port, fuse

    def __getattr__(self, name):
        method = getattr(self._port, name)

        async def call(*args, **named):
            result = await method(*args, **named)
            self._fuse.step()
            return result

        return call


class Keys:
    """The vault: what was ever admitted."""

    def __init__(self):
        self.admitted = set()

    async def known(self, names):
        return {name for name in names if name in self.admitted}


class Scene:
    """One database, one topic of everything published, and the service as it is started again after each crash."""

    def __init__(self, client, name, clock=None):
        self.client, self.name, self.db = client, name, client[name]
        self.clock = clock or ManualClock(NOW)
        self.published, self.read, self.keys, self.history = [], 0, Keys(), []
        self.index, self.ledger = MongoIndex(client, name), MongoLedger(client, name)
        self.reports = MongoReports(client, name)

    async def prepare(self):
        for part in (self.index, self.ledger, self.reports, MongoErasures(self.client, self.name),
                     MongoHolds(self.client, self.name), Tombstones(self.client, self.name)):  # fmt: skip
            await part.prepare()
        return self

    async def send_all(self, messages):
        self.published.extend(messages)

    def start(self, fuse=None):
        """The parts of the service, new."""
        fuse = fuse or Fuse()
        part = lambda kind: Fused(kind(self.client, self.name), fuse)  # noqa: E731
        outbox, index, ledger = Fused(self, fuse), part(MongoIndex), part(MongoLedger)
        store, holds, tombstones = part(MongoErasures), part(MongoHolds), part(Tombstones)
        teller = Teller(
            outbox=outbox, persons=PERSONS, registry=FakeRegistry(), tokens=TOKENS, metrics=Metrics(),
            public_url="https://oppo.example", proof_url="https://oppo.example",
        )  # fmt: skip
        fan = FanOut(index, ledger, teller, self.clock, lambda *_: timedelta(hours=24), TIMES)
        self.crossing = Crossing(index, fan, teller)
        self.erasing = Erasing(store=store, holds=holds, index=index, vault=self.keys, clock=self.clock)
        self.steps = Steps(
            store, holds, tombstones, index, ledger, teller, Requesting(outbox, self.clock), outbox, self.clock,
            timedelta(seconds=1), LOG,
        )  # fmt: skip
        self.arrivals = Arrivals(store=store, tombstones=tombstones, index=index, ledger=ledger, clock=self.clock)
        self.acts = HoldActs(holds, store, ledger, outbox, self.clock, timedelta(seconds=1))
        self.retention = Retention(tombstones, index, self.erasing, self.keys, self.clock, 3, timedelta(seconds=1), LOG)
        return self

    async def consent(self, *lines, record=None, **more):
        record = record or f"acme/{uuid.uuid4()}"
        grant = make_grant(*lines, record=record, consent_id=record[5:], sealed=b"x", **more)
        await self.index.put_grants([grant])
        self.keys.admitted.add(record)
        return grant

    async def deliver(self):
        """What the other processes do with what is published since; the offset moves only when all of it is done."""
        for place in range(self.read, len(self.published)):
            message = self.published[place]
            if message.topic == IN_PLATFORM_RIGHTS.name:
                asked = orjson.loads(message.value)
                at = format_instant(self.clock.now())
                name = f"platform/{asked['stop_id']}"
                await self.crossing.stops(
                    [Stop(name, "platform", asked["kind"], at, frozenset(), None, asked["record"])]
                )
            elif message.topic == ERASURES.name:
                record = StoredRecord(ERASURES.name, 0, place, 0, message.key, message.value)
                await self.arrivals.process([record])
                await self._destroy(record)
            self.read = place + 1

    async def _destroy(self, record):
        order = order_of(record)
        if order is not None and order.destroys:
            self.history.append(("key", order.record, await self.db.grants.find_one({"_id": order.record})))
            facts = {"kind": "key.destroyed", "v": 1, "record": order.record}
            value = orjson.dumps({"facts": facts})
            await self.arrivals.process([StoredRecord(ERASURES.name, 0, record.offset, 0, None, value)])

    async def run(self, states=("done", "restricted"), turns=60):
        """Sweep and deliver until every erasure is finished."""
        for _ in range(turns):
            await self.steps.sweep()
            await self.deliver()
            found = {row["state"] async for row in self.db.erasures.find({}, {"state": 1})}
            if found and found <= set(states):
                return
            self.clock.advance(timedelta(milliseconds=400))
        raise AssertionError(found)

    def facts(self, kind):
        return [
            facts for m in self.published
            if m.topic == ERASURES.name and (facts := orjson.loads(m.value)["facts"])["kind"] == kind
        ]  # fmt: skip

    def places(self, suffix):
        return [place for place, m in enumerate(self.published) if m.topic.endswith(suffix)]


@pytest.fixture
async def client(mongo_uri):
    one = AsyncMongoClient(mongo_uri)
    yield one
    await one.close()


@pytest.fixture
async def scene(client, database_name):
    return (await Scene(client, database_name).prepare()).start()


def check_order(scene, grant):
    """Everyone was ordered to stop, and told that it ended, before the entry; the index was a tombstone before the key."""
    entry = min(
        p
        for p in scene.places(ERASURES.name)
        if orjson.loads(scene.published[p].value)["facts"]["kind"] == "record.erased"
    )
    orders = {scene.published[p].topic.split(".")[1] for p in scene.places(".withdrawals") if p < entry}
    assert orders == {"acme", "canalvert", "assurbrelle"}
    told = {
        scene.published[p].topic.split(".")[1] for p in scene.places(".permissions")
        if p < entry and "ERASED" in orjson.loads(scene.published[p].value)["reasons"]
    }  # fmt: skip
    assert told == {"canalvert", "assurbrelle"}
    assert scene.history
    for what, record, row in scene.history:
        assert (what, record, row["erased"], row["cks"], row["aks"], row["sealed"]) == (
            "key",
            grant.record,
            "erased",
            [],
            [],
            None,
        )


async def check_left(scene, grant):
    """A stop with every contact of the person is all that is left of them."""
    (stop,) = [row async for row in scene.db.stops.find()]
    assert set(stop["cks"]) == grant.contact_keys
    assert await scene.db.attempts.count_documents({}) == 0
    row = await scene.db.erasures.find_one({"_id": grant.record})
    assert row["state"] == "done"
    assert not {"contact_keys", "subject_key"} & set(row)
    assert await scene.db.obligations.count_documents({"kind": "erasure", "closed_at": None}) == 0
    again = await scene.index.put_grants([replace(grant, vid="000009.000000000001.x")])
    assert again == {grant.record: Written.SUPERSEDED}  # a late verdict writes over no tombstone
    assert (await scene.index.grants_of([grant.record]))[0].contact_keys == frozenset()


async def whole(scene, fuse=None):
    """One erasure from the consent on; a crash starts the service again, once the lease of the dead one is over."""
    grant = await scene.consent()
    attempt = Attempt("canalvert", "email", "2026-11-01T00:00:00.000Z", grant.record, grant.contact_keys, "sent")
    await scene.reports.put_reports({"canalvert/e-1": attempt})
    scene.start(fuse)
    crashed = False
    try:
        await scene.erasing.erase([grant.record], cause=Cause.PERSON_REQUEST)
        await scene.run()
    except Crash:
        crashed = True
        scene.clock.advance(LEASE + timedelta(seconds=1))
        scene.start()
        await scene.erasing.erase([grant.record], cause=Cause.PERSON_REQUEST)  # whoever asked asks again
        await scene.run()
    return grant, crashed


async def test_object_first_then_the_index_then_the_key(scene):
    grant, _ = await whole(scene)
    check_order(scene, grant)
    await check_left(scene, grant)
    (entry,) = scene.facts("record.erased")
    (stop,) = [row["_id"] async for row in scene.db.stops.find()]
    assert entry["stop"] == stop
    assert set(entry["also"]) == {f"stop/{stop}", "report/canalvert/e-1"}
    assert (entry["cause"], entry["source"]) == ("person_request", "RGPD 17(1)")


async def test_a_crash_after_any_step_changes_nothing_of_what_is_promised(client, database_name):
    fuse, crashes = Fuse(), 0
    scene = await Scene(client, database_name).prepare()
    await whole(scene, fuse)
    assert fuse.count > 40
    for after in range(1, fuse.count + 1):
        for collection in await client[database_name].list_collection_names():
            await client[database_name][collection].delete_many({})
        scene = Scene(client, database_name)
        grant, crashed = await whole(scene, Fuse(after))
        crashes += crashed
        check_order(scene, grant)
        await check_left(scene, grant)
        assert len({orjson.dumps(facts) for facts in scene.facts("record.erased")}) == 1  # said again, it says the same
    assert crashes >= fuse.count - 3


async def test_a_stop_that_told_everyone_every_contact_is_enough_and_a_narrower_one_is_not(scene):
    full, part = await scene.consent(), await scene.consent()
    stops = [
        make_stop("acme/all", record=full.record, at="2026-11-01T00:00:00.000Z", contact=None),
        make_stop("acme/mail", record=part.record, contact=None, channels=frozenset({"email"}), at="2026-11-01T00:00:00.000Z"),
    ]  # fmt: skip
    await scene.crossing.stops(stops)
    await scene.erasing.erase([full.record, part.record], cause=Cause.WITHDRAWN)
    await scene.run()
    by_record = {facts["record"]: facts["stop"] for facts in scene.facts("record.erased")}
    assert by_record[full.record] == "acme/all"
    assert by_record[part.record] in (
        "acme/all",
        *[r["_id"] async for r in scene.db.stops.find({"source": "platform"})],
    )


async def test_a_party_found_out_later_is_told_though_the_record_is_a_tombstone(scene):
    grant = await scene.consent()
    await scene.crossing.stops(
        [make_stop("acme/all", contact=None, record=grant.record, at="2026-11-01T00:00:00.000Z")]
    )
    await scene.db.stops.update_one({"_id": "acme/all"}, {"$unset": {"record": ""}})  # known by its contacts alone
    await scene.erasing.erase([grant.record], cause=Cause.WITHDRAWN)
    await scene.run()
    await scene.crossing.transfers([Transfer(grant.record, "televerveine", "2026-11-02T00:00:00.000Z")])
    assert "out.televerveine.withdrawals" in {m.topic for m in scene.published}


async def test_a_telephone_proof_is_restricted_then_erased_at_its_date(scene):
    grant = await scene.consent(make_line(), make_line(channel="call", object="offres"))
    (planned,) = await scene.erasing.erase([grant.record], cause=Cause.PERSON_REQUEST)
    fate = Fate("restrict", "2029-09-14T08:31:07.120Z", ("PHONE-PROOF",))
    assert planned.fate == fate
    await scene.run()
    await scene.steps.sweep()
    assert scene.history == []
    assert (await scene.db.grants.find_one({"_id": grant.record}))["erased"] == "restricted"
    row = (await MongoErasures(scene.client, scene.name).of([grant.record]))[grant.record]
    assert (row.fate, row.next_at, set(row.contact_keys)) == (fate, fate.until, grant.contact_keys)
    scene.clock.advance(parse_instant(fate.until) - scene.clock.now())
    await scene.run(states=("done",))
    assert [record for _, record, _ in scene.history] == [grant.record]
    assert [len(scene.facts(kind)) for kind in ("record.restricted", "record.erased")] == [1, 1]


async def test_a_hold_on_a_contact_keeps_until_released_and_a_late_one_is_told(scene):
    held, gone = (
        await scene.consent(),
        await scene.consent(record=f"acme/{uuid.uuid4()}", contact_keys=frozenset({"p1.x"})),
    )
    value = min(held.contact_keys)
    hold = Hold("case-1", ScopeKind.CONTACT, scope_text(ScopeKind.CONTACT, value), "legal", HoldReason.LITIGATION,
                "2027-01-31T00:00:00.000Z", format_instant(scene.clock.now()))  # fmt: skip
    assert await scene.acts.add(hold) == []
    assert await scene.acts.add(hold) == []
    await scene.erasing.erase([held.record, gone.record], cause=Cause.OBJECTION)
    await scene.run()
    assert {record for _, record, _ in scene.history} == {gone.record}
    late = replace(hold, id="case-2", kind=ScopeKind.RECORD, scope=scope_text(ScopeKind.RECORD, gone.record))
    assert await scene.acts.add(late) == [gone.record]
    scene.clock.advance(timedelta(days=100))  # its review is overdue: it keeps all the same
    await scene.steps.sweep()
    assert {record for _, record, _ in scene.history} == {gone.record}
    with pytest.raises(InputError, match="HOLD-REVIEW-PAST"):
        await scene.acts.review("case-1", "2026-12-01T00:00:00.000Z")
    await scene.acts.name_overdue()
    owed = {"kind": "hold-review", "refs.hold": "case-1", "closed_at": None}
    assert await scene.db.obligations.count_documents(owed) == 1
    await scene.acts.review("case-1", "2027-12-31T00:00:00.000Z")
    await scene.acts.name_overdue()
    assert await scene.db.obligations.count_documents(owed) == 0
    released, records = await scene.acts.release("case-1")
    assert (released.released_at is not None, records) == (True, [held.record])
    await scene.run(states=("done",))
    assert {record for _, record, _ in scene.history} == {gone.record, held.record}
    facts = [f for kind in ("added", "reviewed", "released") for f in scene.facts(f"hold.{kind}")]
    assert [f["kind"] for f in facts] == ["hold.added", "hold.added", "hold.added", "hold.reviewed", "hold.released"]
    assert value not in orjson.dumps(facts).decode()  # no pseudonym in a log


async def test_what_ended_is_erased_by_itself_and_what_lives_is_looked_at_later(scene):
    old = await scene.consent(make_line(valid_until=None), collected_at="2020-01-01T00:00:00.000Z",
                              received_at="2020-01-01T00:00:00.000Z")  # fmt: skip
    ending = await scene.consent(make_line(valid_until=None), collected_at="2023-06-01T00:00:00.000Z",
                                 received_at="2023-06-01T00:00:00.000Z")  # fmt: skip
    await scene.consent()
    assert await scene.retention.look() == 2
    assert [row["_id"] async for row in scene.db.erasures.find()] == [old.record]
    await scene.run()
    assert scene.places(IN_PLATFORM_RIGHTS.name) == []  # nobody asked: nobody is told to stop, only that it ended
    assert {record for _, record, _ in scene.history} == {old.record}
    assert (await scene.db.grants.find_one({"_id": ending.record}))["look_at"] == "2029-06-01T00:00:00.000Z"
    assert await scene.retention.look() == 0
    scene.clock.advance(parse_instant("2029-06-01T00:00:00.000Z") - scene.clock.now())
    await scene.retention.look()
    assert {row["_id"] async for row in scene.db.erasures.find()} >= {old.record, ending.record}


async def test_the_text_of_an_old_stop_is_given_up_and_what_it_does_stays(scene):
    old = make_stop("acme/old", at="2023-11-27T09:59:59.000Z")
    await scene.index.put_stops(
        [old, make_stop("acme/new"), make_stop("request/acme/r", at="2020-01-01T00:00:00.000Z")]
    )
    scene.keys.admitted |= {"stop/acme/old", "stop/acme/new"}
    assert await scene.retention.look_at_stops() == 1
    await scene.run()
    assert [facts["record"] for facts in scene.facts("owner.shredded")] == ["stop/acme/old"]
    assert await scene.retention.look_at_stops() == 0
    grant = await scene.consent(collected_at="2022-01-01T00:00:00.000Z", received_at="2022-01-01T00:00:00.000Z")
    assert "acme/old" in {stop.id for stop in await scene.index.stops_about([grant])}


async def test_the_key_of_a_request_goes_and_a_hold_on_who_received_it_keeps_it(scene):
    scene.keys.admitted |= {"request/acme/r1", "request/hibou/r2"}
    hold = Hold("case-3", ScopeKind.PARTY, scope_text(ScopeKind.PARTY, "hibou"), "legal", HoldReason.LITIGATION,
                format_instant(NOW + timedelta(days=90)), format_instant(NOW))  # fmt: skip
    await scene.acts.add(hold)
    await scene.erasing.erase(["request/acme/r1", "request/hibou/r2"], cause=Cause.RETENTION)
    await scene.run(states=("done", "restricted"))
    assert [facts["record"] for facts in scene.facts("owner.shredded")] == ["request/acme/r1"]
    assert [(f["record"], f["because"]) for f in scene.facts("record.restricted")] == [
        ("request/hibou/r2", ["HOLD:case-3"])
    ]
    assert {record for _, record, _ in scene.history} == {"request/acme/r1"}, "what the eraser destroyed"
    assert await scene.db.grants.count_documents({}) == 0, "a request is no consent: no tombstone of one appears"
    await scene.acts.release("case-3")
    scene.clock.advance(timedelta(days=1))
    await scene.run(states=("done",))
    assert {record for _, record, _ in scene.history} == {"request/acme/r1", "request/hibou/r2"}


@pytest.mark.parametrize(
    "value", [b"", b"{", b'{"facts":{}}', b'{"facts":{"kind":"record.erased","record":"a/b"},"sealed":"?"}']
)
async def test_an_entry_that_cannot_be_read_halts_the_index_too(scene, value):
    with pytest.raises(IntegrityError, match="cannot be read"):
        await scene.arrivals.process([StoredRecord(ERASURES.name, 0, 0, 0, None, value)])


async def test_what_was_never_admitted_is_refused_before_anything_begins(scene):
    grant = await scene.consent()
    with pytest.raises(InputError, match="RECORD-UNKNOWN"):
        await scene.erasing.erase(
            [grant.record, "acme/0190f6c2-0000-7cc3-9a55-2f4e0f5b8a11"], cause=Cause.PERSON_REQUEST
        )
    assert await scene.db.erasures.count_documents({}) == 0


async def test_an_erasure_that_does_not_end_becomes_an_obligation_and_is_closed_when_it_does(scene):
    grant = await scene.consent()
    await scene.erasing.erase([grant.record], cause=Cause.PERSON_REQUEST)
    for _ in range(3):  # the collector is away: the stop never comes through
        await scene.steps.sweep()
        scene.clock.advance(timedelta(minutes=6))
    (owed,) = [row async for row in scene.db.obligations.find({"kind": "erasure"})]
    assert (owed["owner"], owed["closed_at"], owed["refs"]["record"]) == ("operator", None, grant.record)
    assert "has not reached everyone" in owed["cause"]
    await scene.run()
    (owed,) = [row async for row in scene.db.obligations.find({"kind": "erasure"})]
    assert owed["closed_at"] is not None
