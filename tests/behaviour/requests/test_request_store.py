"""The contract of the store of requests, on the fake and on a real MongoDB; two instances racing on the real one."""

import asyncio
from dataclasses import replace

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler.index import MongoIndex
from services.rights_handler.kinds import SUSPENDING, row_of
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.requests import domain
from services.rights_handler.requests.model import Letter, Request
from services.rights_handler.requests.store import MongoRequests
from services.rights_handler.requests.sweeping import LEASE, RequestSweep
from tests.fakes.rights import Direct
from tests.unit.requests.requests_world import Bench
from tests.unit.rights.rights_world import make_grant, make_stop

AT = "2026-10-05T09:00:00.000Z"
LETTER = Letter("request.refused", b"\x00sealed", "0" * 64, AT, facts=(("reason", "excessive"),))


def make(n=0, right="access", **more):
    values = {"id": f"acme/r{n}", "source": "acme", "right": right, "asked_at": AT, "received_at": AT, "due_at": AT,
              "verified": True, "sealed": b"\x01"}  # fmt: skip
    return domain.opened(Request(**{**values, **more}))


@pytest.fixture(params=["fake", pytest.param("mongodb", marks=pytest.mark.engines)])
async def store(request):
    if request.param == "fake":
        yield Direct()
        return
    client = AsyncMongoClient(request.getfixturevalue("mongo_uri"))
    made = MongoRequests(client, request.getfixturevalue("database_name"))
    await made.prepare()
    yield made
    await client.close()


async def test_what_is_written_is_read_back_equal_at_each_step_of_a_life(store):
    request = make(record="acme/r")
    await store.put([replace(request, contact_keys=frozenset(["p1.a"]), subject_key="s1.x")])  # names are not stored
    assert await store.get([request.id]) == [request]
    for step in (
        lambda r: domain.acting(r, AT),
        lambda r: domain.extended(r, AT, "complex", LETTER),
        lambda r: domain.erased_records(r, ["acme/b", "acme/a"], AT),
        lambda r: domain.refused(r, AT, "excessive", replace(LETTER, sent=True)),
        lambda r: domain.settled(r, AT),
    ):
        request = step(request)
        assert await store.save([request]) == {request.id}
        assert await store.get([request.id]) == [request]
    assert await store.get([]) == []


async def test_put_again_changes_nothing_and_an_older_revision_loses(store):
    request = make()
    await store.put([request])
    acted = domain.acting(request, AT)
    await store.save([acted])
    await store.put([request])
    assert await store.get([request.id]) == [acted]
    assert await store.save([domain.acting(request, AT)]) == set()
    other = make(1)
    await store.put([other])
    assert await store.save([domain.leased(request, AT), domain.leased(other, AT)]) == {other.id}


async def test_due_are_those_whose_moment_has_come_the_oldest_first(store):
    early, late = make(0, asked_at="2026-09-01T00:00:00.000Z"), make(1)
    closed = replace(make(2), next_at=None, closed_at=AT)
    await store.put([late, early, closed])
    assert [r.id for r in await store.due("2026-12-01T00:00:00.000Z", 10)] == [early.id, late.id]
    assert [r.id for r in await store.due("2026-12-01T00:00:00.000Z", 1)] == [early.id]
    assert await store.due("2026-09-01T00:00:00.000Z", 10) == []
    assert [r.id for r in await store.listed(open_only=True, limit=10)] == [early.id, late.id]
    assert len(await store.listed(open_only=False, limit=10)) == 3


@pytest.mark.engines
async def test_two_instances_on_one_database_act_once_and_a_dead_ones_work_is_taken_over(mongo_uri, database_name):
    clients = [AsyncMongoClient(mongo_uri) for _ in range(2)]
    stores = [MongoRequests(client, database_name) for client in clients]
    await stores[0].prepare()
    benches = [Bench(), Bench()]
    benches[1].clock = benches[0].clock
    await stores[0].put([make(n) for n in range(60)])
    clock = benches[0].clock
    clock.advance(domain.parse_instant(make().next_at) - clock.now())
    sweeps = [
        RequestSweep(store, bench.settling, bench.ports, clock, bench.log)
        for store, bench in zip(stores, benches, strict=True)
    ]
    for _ in range(3):
        await asyncio.gather(*(one.sweep(50) for one in sweeps))
    told = sorted(fields["request"] for bench in benches for _, fields in bench.log.said)
    assert told == sorted(f"acme/r{n}" for n in range(60))
    # One claims and dies; the other sees nothing until the lease ends, then does it.
    (victim,) = await stores[0].get(["acme/r7"])
    now = domain.format_instant(clock.now())
    await stores[0].save([domain.leased(victim, domain.format_instant(clock.now() + LEASE))])
    assert await stores[1].due(now, 10) == []
    clock.advance(LEASE)
    benches[1].log.said.clear()
    await sweeps[1].sweep(50)
    assert [fields["request"] for _, fields in benches[1].log.said] == ["acme/r7"]
    for client in clients:
        await client.close()


@pytest.mark.engines
async def test_lookups_use_an_index_and_a_lifted_suspension_stays_lifted(mongo_uri, database_name):
    client = AsyncMongoClient(mongo_uri)
    store, index = MongoRequests(client, database_name), MongoIndex(client, database_name)
    await store.prepare()
    await index.prepare()
    await MongoLedger(client, database_name).prepare()
    await store.put([make(n) for n in range(50)])
    plan = await client[database_name]["requests"].find({"next_at": {"$type": "string", "$lte": AT}}).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
    grant = make_grant()
    suspension = make_stop(row_of("acme/r1"), kind="restriction", source="acme")
    await index.put_stops([suspension])
    assert [stop.kind for stop in await index.stops_about([grant])] == ["restriction"]
    assert [stop.id for stop in await index.stops_about([grant], (), SUSPENDING)] == [suspension.id]
    await index.put_stops([make_stop()])
    assert len(await index.stops_about([grant])) == 2
    assert [stop.id for stop in await index.stops_about([grant], (), SUSPENDING)] == [suspension.id]
    await index.lift(suspension.id, AT)
    await index.put_stops([suspension])  # a replay
    assert [stop.id for stop in await index.stops_about([grant])] == ["canalvert/s1"]
    await client.close()
