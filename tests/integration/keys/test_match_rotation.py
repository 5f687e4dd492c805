"""A party's match key rotated: both versions carried and accepted until it confirms; handed over once; killed anywhere."""

import datetime as dt

import httpx
import pytest
from fastapi import FastAPI
from pymongo import AsyncMongoClient

from services.rights_handler.index import MongoIndex
from services.rights_handler.match_api import MatchApi
from services.rights_handler.match_versions import MatchKeys
from services.rights_handler.naming import Naming
from services.rights_handler.persons import CONSENT_KIND, Person, Persons
from services.rights_handler.rematching import MatchRotation
from services.rights_handler.renaming import PepperRotation
from shared.clock import ManualClock
from shared.crypto.keys import match_key
from shared.crypto.sealing import RecordKey, seal
from shared.errors import ConfigurationError, InputError, Unavailable
from shared.keyring.ring import Ring
from shared.mongo import database
from shared.problems import install
from tests.unit.rights.rights_world import make_grant, make_line

pytestmark = pytest.mark.engines
CLOCK = ManualClock(dt.datetime(2026, 11, 2, tzinfo=dt.UTC))
PARTY = "canalvert"


class Killed(BaseException):
    """The process ends here."""


class Keys:
    """Record keys in memory; `gone` are erased or restricted."""

    def __init__(self):
        self.keys, self.lost = {}, set()

    async def read(self, records):
        return {record: self.keys[record] for record in records if record in self.keys and record not in self.lost}

    async def gone(self, records):
        return {record: "erased" for record in records if record in self.lost}


class Process:
    def __init__(self, world):
        self.naming = Naming(Ring(world.folder, "pepper"), world.client, world.name)
        self.persons = Persons(world.keys, pepper=self.naming, match_master=b"m" * 32)
        self.index = MongoIndex(world.client, world.name, self.naming)

    def grant(self, number, *parties):
        record = f"acme/{number:03}"
        person = Person((("email", f"p{number}@exemple.example"), ("phone", f"+3319900{number:04}")))
        keys, aliases = self.persons.index_keys(person, sorted(parties))
        doc = {"contacts": [{"type": t, "value": v} for t, v in person.contacts]}
        sealed = seal(self.world_key(record), CONSENT_KIND, record, doc)
        lines = [make_line(party) for party in parties] or [make_line("assurbrelle")]
        return make_grant(
            *lines, record=record, consent_id=str(number), contact_keys=frozenset(keys), aliases=aliases, sealed=sealed
        )

    def world_key(self, record):
        return self.persons._keys.keys.setdefault(record, RecordKey(record.encode().ljust(32, b".")))

    async def verdict(self, number, *parties):
        """As the batch loop does: made again from the start while it is Unavailable."""
        for _ in range(4):
            grant = self.grant(number, *parties)
            try:
                await self.index.put_grants([grant])
                await self.index.stops_about([grant])
            except Unavailable:
                continue
            return grant
        raise AssertionError("still unavailable")

    async def found(self, number, version, party=PARTY):
        """The records that the party's own key of this version finds, for both contacts of a person."""
        key, records = self.persons.party_match_key(party, version), set()
        for kind, value in (("email", f"p{number}@exemple.example"), ("phone", f"+3319900{number:04}")):
            alias = self.persons.alias(party, kind, match_key(version, key, kind, value))
            grants = await self.index.grants_asked(set(), {alias})
            records |= {g.record for g in grants if g.contact_of(alias) == self.persons.contact_key(kind, value)}
        return records


class World:
    def __init__(self, client, folder, name):
        self.client, self.folder, self.name, self.keys = client, folder, name, Keys()
        self.matching = MatchKeys(client, CLOCK, name)

    async def rotate(self, progress=lambda *_: None):
        process = Process(self)
        await process.naming.load()
        rotation = MatchRotation(self.client, self.matching, process.naming, process.persons, batch=4, name=self.name)
        return await rotation.run(PARTY, progress)


@pytest.fixture
async def world(mongo_uri, tmp_path, database_name):
    client = AsyncMongoClient(mongo_uri)
    (tmp_path / "pepper").write_bytes(b"p" * 32)
    one = World(client, tmp_path, database_name)
    await Process(one).index.prepare()
    yield one
    await client.close()


async def confirmed(world, version=2):
    assert await world.matching.deliver(PARTY) == version
    return await world.matching.confirm(PARTY, version)


async def test_both_versions_find_every_person_until_the_party_confirms(world):
    process = Process(world)
    for number in range(10):
        await process.verdict(number, PARTY, "hibou")
    await process.verdict(50)
    assert [await process.found(number, 2) for number in range(10)] == [set()] * 10
    seen = []
    standing = await world.rotate(lambda *at: seen.append(at))
    assert (standing.versions, standing.offered, standing.phase) == ((1, 2), 2, "offered")
    assert (seen[0], seen[-1]) == ((0, 10), (10, 10))
    for number in range(10):
        for version in (1, 2):
            assert await process.found(number, version) == {f"acme/{number:03}"}
        assert await process.found(number, 1, "hibou") == {f"acme/{number:03}"}
        assert await process.found(number, 2, "hibou") == set(), "no other party's key changed"
    person = Person((("email", "a@b.example"),))
    await process.naming.load()
    assert [k["key"][:3] for k in process.persons.match_keys(PARTY, person)] == ["m1.", "m2."]
    assert [k["key"][:3] for k in process.persons.match_keys("hibou", person)] == ["m1."]
    assert (await confirmed(world)).versions == (2,)
    await process.naming.load()
    assert [k["key"][:3] for k in process.persons.match_keys(PARTY, Person(person.contacts))] == ["m2."]
    assert await process.found(3, 2) == {"acme/003"}
    # The next rotation starts from there.
    assert (await world.rotate()).versions == (2, 3)


async def test_a_verdict_in_flight_is_made_again_with_both(world):
    process = Process(world)
    late = process.grant(2, PARTY)  # made while one version was known
    await world.rotate()
    with pytest.raises(Unavailable, match="done again with both versions"):
        await process.index.put_grants([late])
    assert await process.found(2, 2) == set()
    await process.verdict(2, PARTY)
    stale, watched = Process(world), Process(world)
    late = watched.grant(3, PARTY)
    await watched.naming.load()  # by its own clock, between making the row and writing it
    with pytest.raises(Unavailable, match="done again with both versions"):
        await watched.index.put_grants([late])
    await stale.verdict(1, PARTY, "hibou")
    assert await process.found(1, 2) == {"acme/001"}
    assert await process.found(2, 2) == {"acme/002"}


@pytest.mark.parametrize("after", [0, 4, 8])
async def test_killed_after_a_batch_it_goes_on(world, after):
    process = Process(world)
    for number in range(10):
        await process.verdict(number, PARTY)

    def progress(done, _total):
        if done == after:
            raise Killed

    with pytest.raises(Killed):
        await world.rotate(progress)
    assert (await world.matching.standing(PARTY)).phase == "filling"
    assert await world.matching.deliver(PARTY) == 1, "the new one is not offered before every record knows it"
    assert (await world.rotate()).phase == "offered"
    assert [await process.found(number, 2) for number in range(10)] == [{f"acme/{number:03}"} for number in range(10)]


async def test_what_may_not_be_opened_is_given_nothing(world):
    process = Process(world)
    await process.verdict(1, PARTY)
    await process.verdict(2, PARTY)
    world.keys.lost.add("acme/001")
    await world.rotate()
    assert (await process.found(1, 2), await process.found(2, 2)) == (set(), {"acme/002"})


async def test_rotations_of_pepper_and_match_key_follow_each_other(world, monkeypatch):
    process = Process(world)
    await process.verdict(1, PARTY)
    await world.rotate()
    rotation = PepperRotation(world.client, world.folder, CLOCK, database_name=world.name)
    monkeypatch.setattr(rotation, "_narrow", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        await rotation.run()
    with pytest.raises(ConfigurationError, match="pepper is being rotated"):
        await world.rotate()
    await PepperRotation(world.client, world.folder, CLOCK, database_name=world.name).run()
    await process.naming.load()
    assert [await process.found(1, version) for version in (1, 2)] == [{"acme/001"}, {"acme/001"}]
    await confirmed(world)
    await world.rotate()
    await process.naming.load()
    assert [await process.found(1, version) for version in (2, 3)] == [{"acme/001"}, {"acme/001"}]
    rows = await database(world.client, world.name).grants.find({}).to_list()
    assert [row["pvs"] for row in rows] == [[2]]


class Edge:
    """The routes, with the callers that a header names."""

    def __init__(self, world):
        app = FastAPI()
        install(app, None)
        persons = Persons(None, pepper=b"p" * 32, match_master=b"m" * 32)
        app.include_router(MatchApi(auth=self, persons=persons, deliveries=world.matching).router())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t")

    def caller(self, request):
        class One:
            party = request.headers.get("x-party")

        return One


async def test_a_key_is_handed_over_once_and_confirmed_by_its_party(world):
    edge = Edge(world)
    mine = {"x-party": PARTY}
    first = await edge.http.get("/v1/match-key", headers=mine)
    assert (first.status_code, first.json()["version"], first.headers["cache-control"]) == (200, 1, "no-store")
    other = await edge.http.get("/v1/match-key", headers={"x-party": "hibou"})
    assert other.json()["key"] != first.json()["key"]
    assert (await edge.http.get("/v1/match-key")).status_code == 403
    again = await edge.http.get("/v1/match-key", headers=mine)
    assert (again.status_code, again.json()["code"]) == (410, "MATCH-KEY-DELIVERED")
    await world.matching.deliver_again(PARTY)
    assert (await edge.http.get("/v1/match-key", headers=mine)).json() == first.json()
    refused = [
        await edge.http.post("/v1/match-key/confirm", headers=mine, content=body)
        for body in (b"", b"[]", b'{"version":"x"}', b'{"version":2}', b'{"version":1,"more":1}')
    ]
    assert {answer.status_code for answer in refused} == {422}
    await world.rotate()
    undelivered = await edge.http.post("/v1/match-key/confirm", headers=mine, json={"version": 2})
    assert undelivered.json()["problems"][0]["code"] == "MATCH-UNDELIVERED"
    second = await edge.http.get("/v1/match-key", headers=mine)
    assert (second.json()["version"], second.json()["form"][:3]) == (2, "m2.")
    assert second.json()["key"] != first.json()["key"]
    for _ in range(2):
        done = await edge.http.post("/v1/match-key/confirm", headers=mine, json={"version": 2})
        assert (done.status_code, done.json()) == (200, {"versions": [2]})
    assert (await edge.http.get("/v1/match-key", headers=mine)).status_code == 410
    await edge.http.aclose()


async def test_a_third_version_waits_for_the_confirmation_of_the_second(world):
    await world.rotate()
    with pytest.raises(InputError, match="MATCH-UNCONFIRMED"):
        await world.rotate()
    for version in (1, 3):
        with pytest.raises(InputError, match="MATCH-VERSION"):
            await world.matching.confirm(PARTY, version)
    assert [s.party for s in await world.matching.all()] == [PARTY]
