"""The pepper rotated while grants, stops and attempts come in: nothing is missed, whoever knows of it and whenever it dies."""

import datetime as dt
from dataclasses import replace

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler import renaming
from services.rights_handler.erasing.hold_store import MongoHolds
from services.rights_handler.erasing.holds import Hold, HoldReason, ScopeKind, scope_text
from services.rights_handler.erasing.model import Cause, Erasure
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.erasing.tombstones import Tombstones
from services.rights_handler.index import MongoIndex
from services.rights_handler.naming import Naming
from services.rights_handler.persons import Person, Persons
from services.rights_handler.renaming import PepperRotation, naming_state
from services.rights_handler.reported import Attempt
from services.rights_handler.reports import MongoReports
from shared.clock import ManualClock
from shared.errors import ConfigurationError, Unavailable
from shared.keyring.ring import Fixed, Ring
from shared.mongo import database
from tests.unit.rights.rights_world import NoKeys, make_grant, make_line, make_stop

pytestmark = pytest.mark.engines
CLOCK = ManualClock(dt.datetime(2026, 11, 2, tzinfo=dt.UTC))
AT = "2026-09-20T10:00:00.000Z"


class Killed(BaseException):
    """The process ends here."""


class Process:
    """A rights handler as far as names go: its own view of the state, on the common database."""

    def __init__(self, world, peppers=None):
        self.naming = Naming(peppers or Ring(world.folder, "pepper"), world.client, world.name)
        self.persons = Persons(NoKeys(), pepper=self.naming, match_master=b"m" * 32)
        self.index = MongoIndex(world.client, world.name, self.naming)
        self.reports = MongoReports(world.client, world.name, self.naming)

    def person(self, number):
        post = f"DUPONT JEAN\n{number} RUE DES LILAS\n75001 PARIS"
        contacts = (("email", f"p{number}@exemple.example"), ("phone", f"+3319900{number:04}"), ("post", post))
        return Person(contacts, f"lead-{number}")

    def grant(self, number, *parties):
        person = self.person(number)
        keys, aliases = self.persons.index_keys(person, parties or ("canalvert",))
        return make_grant(
            *[make_line(party) for party in parties or ("canalvert",)], record=f"acme/{number}", consent_id=str(number),
            contact_keys=frozenset(keys), subject_key=self.persons.subject_key("acme", person.subject_ref),
            aliases=aliases, near_keys=self.persons.near_keys(person),
        )  # fmt: skip

    def stop(self, number, **more):
        person = self.person(number)
        keys = frozenset([self.persons.contact_key(*person.contacts[0])])
        return make_stop(id=f"acme/s{number}", at=AT, contact_keys=keys, record=None, subject_key=None, **more)

    def alias(self, number, party, place=0):
        (one,) = [
            k for k in self.persons.match_keys(party, self.person(number)) if k["type"] == ("email", "phone")[place]
        ]
        return self.persons.alias(party, **one)

    async def verdict(self, *numbers):
        grants = [self.grant(number) for number in numbers]
        await self.index.put_grants(grants)
        return {stop.id for stop in await self.index.stops_about(grants)}

    async def stopped(self, *numbers):
        stops = [self.stop(number) for number in numbers]
        await self.index.put_stops(stops)
        return {grant.record for grant in await self.index.grants_about(stops)}

    async def again(self, act, *numbers):
        """As the batch loop does: what is unavailable is done again, once the state was looked at."""
        for _ in range(5):
            try:
                return await act(*numbers)
            except Unavailable:
                await self.naming.load()
        raise AssertionError("still unavailable")


class World:
    def __init__(self, client, folder, name):
        self.client, self.folder, self.name = client, folder, name
        self.db = database(client, name)

    def rotation(self, batch=5):
        return PepperRotation(self.client, self.folder, CLOCK, batch=batch, database_name=self.name)

    async def bearing(self, *collections):
        rows = [row for name in collections for row in await self.db[name].find({}).to_list()]
        return {tuple(row.get("pvs", [1])) for row in rows}


@pytest.fixture
async def world(mongo_uri, tmp_path, database_name):
    client = AsyncMongoClient(mongo_uri)
    (tmp_path / "pepper").write_bytes(b"p" * 32)
    one = World(client, tmp_path, database_name)
    await Process(one).index.prepare()
    yield one
    await client.close()


async def everything_matches(world, process, numbers):
    """Whatever a person is known by still leads to its rows, and to no other's."""
    for number in numbers:
        grant = process.grant(number)
        assert {s.id for s in await process.index.stops_about([grant])} == {f"acme/s{number}"}, number
        (found,) = await process.index.grants_about([process.stop(number)])
        assert found == grant
        (asked,) = await process.index.grants_asked(set(), {process.alias(number, "canalvert", 1)})
        assert asked.contact_of(process.alias(number, "canalvert", 1)) == process.persons.contact_key(
            *process.person(number).contacts[1]
        )
        named = await process.reports.reported([], grant.contact_keys, ["canalvert"], AT, AT)
        assert [a.outcome for a in named.attempts] == [str(number)]
        by_subject = make_stop(id="x", contact_keys=frozenset(), record=None, subject_key=grant.subject_key)
        assert {g.record for g in await process.index.grants_about([by_subject])} == {f"acme/{number}"}


async def filled(world, process, numbers):
    await process.again(process.verdict, *numbers)
    await process.again(process.stopped, *numbers)
    await process.reports.put_reports({
        f"a{number}": Attempt("canalvert", "call", AT, None, process.grant(number).contact_keys, str(number))
        for number in numbers
    })  # fmt: skip


async def test_everything_is_found_before_and_after_and_under_the_new_pepper_only(world):
    before = Process(world)
    await filled(world, before, range(12))
    await everything_matches(world, before, range(12))
    seen = []
    done = await world.rotation().run(lambda *at: seen.append(at))
    assert (done.old, done.new, done.lifted, done.narrowed, done.left) == (1, 2, 36, 36, 0)
    assert (36, 36) in seen
    after = Process(world)
    await after.naming.load()
    await everything_matches(world, after, range(12))
    text = str([row for name in ("grants", "stops", "attempts") for row in await world.db[name].find({}).to_list()])
    assert "p1." not in text
    assert "s1." not in text
    assert "n1." not in text
    assert before.alias(3, "canalvert") not in text
    # A third pepper goes the same way; one that is without the second could not follow.
    assert (await world.rotation().run()).new == 3
    third = Process(world)
    with pytest.raises(Unavailable, match="version 2 of 'secret'"):
        await Process(world, Fixed({1: b"p" * 32, 3: b"3" * 32})).naming.load()
    await third.naming.load()
    await everything_matches(world, third, range(12))


async def test_an_erased_person_is_still_stopped(world):
    process = Process(world)
    await filled(world, process, [1])
    await world.db.grants.delete_many({})  # nothing is left but the stop: no contact, no sealed part
    await world.rotation().run()
    assert await process.again(process.verdict, 1) == {"acme/s1"}


@pytest.mark.parametrize("where", ["widen", "lift", "switch", "narrow"])
async def test_stops_and_grants_cross_at_any_moment_and_none_is_missed(world, where, monkeypatch):
    """Two processes that never look at the state by themselves, one before and one after each moment of the rotation."""
    slow, quick = Process(world), Process(world)
    await filled(world, slow, range(10))
    met = {}

    async def traffic():
        first = 100 + 10 * len(met)
        for one, other in ((slow, quick), (quick, slow)):
            assert await one.again(one.stopped, first) == set()
            met[first] = await other.again(other.verdict, first)
            assert await other.again(other.verdict, first + 1) == set()
            met[first + 1] = {r.replace("acme/", "acme/s") for r in await one.again(one.stopped, first + 1)}
            assert await one.again(one.verdict, 3) == {"acme/s3"}
            first += 5

    rotation = world.rotation()
    note, passing = rotation._note, rotation._pass

    async def noted(**values):
        await note(**values)
        if (where, True) in (("widen", "newest" in values), ("switch", "lookup" in values)):
            await traffic()

    async def passed(what, *rest):
        await passing(what, *rest)
        if what == where:
            await traffic()

    monkeypatch.setattr(rotation, "_note", noted)
    monkeypatch.setattr(rotation, "_pass", passed)
    done = await rotation.run()
    assert done.left == 0
    assert met == {number: {f"acme/s{number}"} for number in met}
    assert len(met) >= 4
    await traffic()
    assert await world.bearing("grants", "stops", "attempts") == {(2,)}


async def test_a_lookup_that_lasted_through_the_whole_rotation_is_done_again(world):
    paused = Process(world)
    await filled(world, paused, [1])
    grant = paused.grant(2)
    await paused.index.put_grants([grant])  # written, and then the process stands still
    await Process(world).index.put_stops([paused.stop(2)])
    await world.rotation().run()
    with pytest.raises(Unavailable, match="looked up again"):
        await paused.index.stops_about([grant])
    assert await paused.again(paused.verdict, 2) == {"acme/s2"}
    asked = Process(world)
    old_alias = Process(world, Fixed({1: b"p" * 32})).alias(1, "canalvert")
    with pytest.raises(Unavailable, match="looked up again"):
        await asked.index.grants_asked(set(), {old_alias})


async def test_a_stop_widened_meanwhile_keeps_what_it_gained(world, monkeypatch):
    process, stale = Process(world), Process(world)
    await filled(world, process, [1, 2])
    rotation = world.rotation()
    note = rotation._note

    async def noted(**values):
        await note(**values)
        if "lookup" in values:  # every row bears both by now
            wider = stale.stop(1)
            wider = make_stop(
                id=wider.id, at=AT, record=None, subject_key=None, contact_keys=stale.grant(2).contact_keys
            )
            with pytest.raises(Unavailable, match="widened again"):
                await stale.index.widen_stops([wider])
            await stale.naming.load()
            names = stale.grant(2).contact_keys
            await stale.index.widen_stops(
                [make_stop(id=wider.id, at=AT, record=None, subject_key=None, contact_keys=names)]
            )

    monkeypatch.setattr(rotation, "_note", noted)
    await rotation.run()
    await process.naming.load()
    assert {s.id for s in await process.index.stops_about([process.grant(2)])} == {"acme/s1", "acme/s2"}


@pytest.mark.parametrize(
    "step", ["intend", "make", "widen-1", "lift-2", "count", "switch", "narrow-1", "narrow-3", "done"]
)
async def test_killed_after_a_step_it_goes_on(world, step, monkeypatch):
    process = Process(world)
    await filled(world, process, range(12))
    rotation, beats = world.rotation(), []
    note, passing = rotation._note, rotation._pass

    def progress(done, _total):
        beats.append(done)
        if step in (f"lift-{len(beats)}", f"widen-{len(beats)}") and rotation._done["lift"] == 0:
            raise Killed
        if rotation._done["lift"] and step == f"narrow-{len(beats)}":
            raise Killed

    async def noted(**values):
        await note(**values)
        if (step == "make" and any(key.startswith("checks") for key in values)) or (
            step == "switch" and "lookup" in values
        ):
            raise Killed

    async def passed(*arguments):
        await passing(*arguments)
        beats.clear()
        if step == "count":
            raise Killed

    monkeypatch.setattr(rotation, "_note", noted)
    monkeypatch.setattr(rotation, "_pass", passed)
    if step == "intend":
        monkeypatch.setattr(renaming, "create_version", lambda *_: (_ for _ in ()).throw(Killed))
    if step == "done":
        await rotation.run(progress)
    else:
        with pytest.raises(Killed):
            await rotation.run(progress)
    monkeypatch.undo()
    await process.naming.load()
    await everything_matches(world, process, range(12))
    await filled(world, process, range(20, 23))
    again = await world.rotation().run()
    assert (again.new, again.left) == (3 if step == "done" else 2, 0)
    await process.naming.load()
    await everything_matches(world, process, [*range(12), *range(20, 23)])
    assert await world.bearing("grants", "stops", "attempts") == {(again.new,)}


async def test_a_pepper_lost_half_way_is_never_replaced(world, monkeypatch):
    process = Process(world)
    await filled(world, process, range(3))
    rotation = world.rotation()
    monkeypatch.setattr(rotation, "_narrow", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        await rotation.run()
    (world.folder / "pepper.2").rename(world.folder / "away")
    noted = (await naming_state(world.client, world.name))["checks"]["2"]
    with pytest.raises(ConfigurationError, match=noted):
        await world.rotation().run()
    with pytest.raises(Unavailable, match="version 2 of 'pepper'"):
        await Process(world).naming.load()
    (world.folder / "away").rename(world.folder / "pepper.2")
    assert (await world.rotation().run()).left == 0


async def test_erasures_holds_and_requests_follow(world, monkeypatch):
    """Restricted records and legal holds are found at every moment; a writer that compares `rev` puts no older name back."""
    process = Process(world)
    erasures, holds = MongoErasures(world.client, world.name), MongoHolds(world.client, world.name)
    grant = process.grant(1)
    (contact,) = process.stop(1).contact_keys
    row = Erasure(
        grant.record, Cause.PERSON_REQUEST, AT, "restricted", contact_keys=tuple(sorted(grant.contact_keys)),
        subject_key=grant.subject_key,
    )  # fmt: skip
    scope = scope_text(ScopeKind.CONTACT, contact)
    await erasures.begin([row])
    await holds.add(Hold("h1", ScopeKind.CONTACT, scope, "dpo", HoldReason.LITIGATION, AT, AT))
    await world.db.requests.insert_one({"_id": "r1", "rev": 4, "cks": sorted(grant.contact_keys)})
    late = replace((await erasures.of([grant.record]))[grant.record], rev=1)

    async def found():
        await process.naming.load()
        (key,) = process.stop(1).contact_keys
        assert [e.record for e in await erasures.about([key])] == [grant.record]
        assert [h.id for h in await holds.on([scope_text(ScopeKind.CONTACT, key)])] == ["h1"]

    rotation = world.rotation()
    note = rotation._note

    async def noted(**values):
        await note(**values)
        await found()

    monkeypatch.setattr(rotation, "_note", noted)
    assert (await rotation.run()).left == 0
    await found()
    assert await erasures.save([late]) == set(), "it was read under the old names"
    after = (await erasures.of([grant.record]))[grant.record]
    now = Process(world)
    await now.naming.load()
    assert set(after.contact_keys) == now.grant(1).contact_keys
    assert after.subject_key == now.grant(1).subject_key
    request = await world.db.requests.find_one({"_id": "r1"})
    assert (set(request["cks"]), request["rev"]) == (now.grant(1).contact_keys, 5)
    assert (await holds.get("h1")).scope == scope_text(ScopeKind.CONTACT, next(iter(now.stop(1).contact_keys)))


async def test_a_tombstone_may_be_written_at_any_time(world):
    process = Process(world)
    await filled(world, process, [1])
    await world.rotation().run()
    await Tombstones(world.client, world.name).strip({"acme/1": "erased", "acme/never-seen": "erased"}, {}, AT)
    assert (await world.rotation().run()).left == 0
    assert await world.db.grants.count_documents({"erased": "erased"}) == 2
