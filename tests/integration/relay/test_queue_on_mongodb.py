"""The queue on a real MongoDB: once by id, nothing revived, one holder a party, and no step that grows with what waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import AsyncMongoClient

from services.webhook_relay.domain import Breaker
from services.webhook_relay.store import DELIVERED, GIVEN_UP, QUEUED, Endpoint, Store
from tests.fakes.relay import waiting

pytestmark = pytest.mark.engines
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
async def client(mongo_uri):
    async with AsyncMongoClient(mongo_uri, tz_aware=True) as one:
        yield one


@pytest.fixture
async def store(client, database_name):
    made = Store(client, database_name)
    await made.prepare(60)
    await made.prepare(90)  # another setting, another day
    return made


async def test_an_event_waits_once_and_is_never_revived_but_by_a_replay(store):
    rows = [waiting(n, f"t{n}", NOW) for n in range(3)]
    assert await store.put(rows) == 3
    await store.settle([(rows[0].id, "200", NOW)], [(rows[1], LATER, "503", True)])
    assert await store.put([*rows, waiting(3, "t3", NOW)]) == 1
    assert [row.id for row in await store.due("acme", NOW, 10)] == ["acme/2", "acme/3"]
    await store.settle([], [(rows[0], NOW, "503", True)])  # an outcome that comes too late
    (done,) = await store.of_state(DELIVERED, "acme", 10)
    assert (done.id, done.attempts, done.body) == ("acme/0", 1, b"")
    assert await store.put_again(rows[:1]) == 1
    assert "acme/0" in {row.id for row in await store.due("acme", NOW, 10)}


async def test_what_waits_is_found_in_order_and_comes_forward_but_for_what_was_refused(store):
    rows = [waiting(n, "t", NOW, next_at=NOW + timedelta(seconds=n % 2)) for n in range(4)]
    await store.put(rows)
    assert [row.place for row in await store.due("acme", NOW, 10)] == [0, 2]
    standing = await store.threads("acme", {"withdrawals/t", "withdrawals/none"})
    assert [place for place, _, _ in standing["withdrawals/t"]] == [0, 1, 2, 3]
    await store.settle([], [(rows[0], LATER, "503", True), (rows[2], LATER, "422", True)])
    await store.pull_forward("acme", NOW)
    assert [row.place for row in await store.due("acme", NOW, 10)] == [0, 1, 3]
    assert await store.next_due("acme") == NOW
    assert await store.waiting("acme", 2) == 2
    assert await store.give_up(NOW + timedelta(seconds=1)) == 4
    assert {row.body for row in await store.of_state(GIVEN_UP, None, 10)} == {b""}
    assert await store.of_state(QUEUED, "acme", 10) == []


async def test_one_instance_holds_a_party_until_it_lets_go_or_dies(store):
    assert await store.lease("acme", "one", NOW, 10)
    assert not await store.lease("acme", "two", NOW, 10)
    assert await store.lease("acme", "one", NOW + timedelta(seconds=5), 10)
    assert not await store.lease("acme", "two", NOW + timedelta(seconds=14), 10)
    assert await store.lease("acme", "two", NOW + timedelta(seconds=16), 10)
    await store.release("acme", "one")
    assert not await store.lease("acme", "one", NOW + timedelta(seconds=17), 10)
    await store.release("acme", "two")
    assert await store.lease("acme", "one", NOW + timedelta(seconds=17), 10)


async def test_an_endpoints_state_comes_back_as_written(store):
    state = Endpoint(Breaker(3, 2, LATER, "TIMEOUT", NOW), "https://hooks.example/")
    await store.keep("acme", state)
    await store.lease("acme", "one", NOW, 10)
    assert await store.endpoint("acme") == state
    assert await store.endpoints() == {"acme": state}
    assert await store.endpoint("hibou") == Endpoint()


async def test_finding_whose_turn_it_is_costs_one_step_a_party(store, client, database_name):
    await store.put([waiting(n, f"t{n}", NOW) for n in range(300)])
    await store.put([replace(waiting(n, f"u{n}", LATER), id=f"hibou/{n}", party="hibou") for n in range(300)])
    assert await store.next_by_party() == {"acme": NOW, "hibou": LATER}
    pipeline = [
        {"$match": {"state": QUEUED}}, {"$sort": {"state": 1, "party": 1, "next_at": 1, "place": 1}},
        {"$group": {"_id": "$party", "next": {"$first": "$next_at"}}},
    ]  # fmt: skip
    command = {"aggregate": "deliveries", "pipeline": pipeline, "cursor": {}}
    explained = await client[database_name].command("explain", command, verbosity="executionStats")
    assert "DISTINCT_SCAN" in str(explained)
    stats = (
        explained["stages"][0]["$cursor"]["executionStats"] if "stages" in explained else explained["executionStats"]
    )
    assert stats["totalKeysExamined"] <= 10
