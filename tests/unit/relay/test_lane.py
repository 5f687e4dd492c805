"""One party's lane on a queue in memory: order in each thread, limits, endpoints that fail, recover, are gone; writes that fail."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from services.webhook_relay import lane as lane_module
from services.webhook_relay.domain import Answer, Policy
from services.webhook_relay.lane import Lane, Parts
from services.webhook_relay.store import Endpoint
from shared.clock import SystemClock
from shared.logging import configure
from shared.metrics import Metrics
from tests.fakes.relay import OK, MemoryStore, Outbox, Wire, waiting

POLICY = Policy((0.05, 0.1), 3600.0, 3, 0.05, 0.2)


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(lane_module, "LINGER_S", 0.05)
    monkeypatch.setattr(lane_module, "BACKOFF_S", 0.01)


def parts(store, wire, outbox=None, concurrency=4):
    return Parts(store=store, sending=wire, publisher=outbox or Outbox(), clock=SystemClock(), policy=POLICY,
                 concurrency=concurrency, lease_s=5.0, owner="me", metrics=Metrics(), log=configure("test"))  # fmt: skip


async def drain(store, made, seconds=20):
    """Run lanes as the sweep does until nothing waits."""
    async with asyncio.timeout(seconds):
        while store.rows:
            await Lane("acme", made).run()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", range(6))
async def test_threads_keep_their_order_whatever_fails(seed):
    luck, now, store = random.Random(seed), datetime.now(UTC), MemoryStore()
    rows = [waiting(n, f"t{luck.randrange(12)}", now) for n in range(120)]
    store.put(*rows[:60])
    answers = {row.id: [luck.choice([OK, OK, OK, Answer(503), Answer(400), Answer(None, "TIMEOUT")]) for _ in range(2)]
               for row in rows}  # fmt: skip
    wire = Wire(lambda row: (answers[row.id] or [OK]).pop(0) if answers[row.id] else OK)
    made = parts(store, wire)
    late = asyncio.get_running_loop().call_later(0.05, lambda: store.put(*rows[60:]))
    await drain(store, made)
    if not late.cancelled() and len(store.done) < 120:
        await asyncio.sleep(0.1)
        await drain(store, made)
    assert sorted(store.done) == sorted(row.id for row in rows)
    threads = {row.id: row.thread for row in rows}
    delivered = {}
    for identity in store.done:
        delivered.setdefault(threads[identity], []).append(int(identity.partition("/")[2]))
    # Written in groups, so look at what was sent: the last sending of an event comes before the first of the next one.
    for thread in delivered:
        own = [int(i.partition("/")[2]) for i in wire.sent if threads[i] == thread]
        assert own == sorted(own), (thread, own)
    assert wire.most <= 4


async def test_a_dead_endpoint_is_probed_one_at_a_time_and_what_waited_comes_at_once():
    now, store, up = datetime.now(UTC), MemoryStore(), []
    store.put(*(waiting(n, f"t{n}", now) for n in range(30)))
    wire = Wire(lambda _row: OK if up else Answer(None, "CONNECT"))
    made = parts(store, wire)
    end = asyncio.get_running_loop().time() + 1.0
    while asyncio.get_running_loop().time() < end:
        await Lane("acme", made).run()
        await asyncio.sleep(0.01)
    first = len(wire.sent)
    assert first < 30, "it is left alone"
    assert store.states["acme"].breaker.probing
    assert store.states["acme"].breaker.cause == "CONNECT"
    up.append(True)
    await drain(store, made)
    assert len(store.done) == 30
    assert store.states["acme"] == Endpoint()


async def test_gone_stops_until_the_address_changes():
    now, store = datetime.now(UTC), MemoryStore()
    store.put(*(waiting(n, f"t{n}", now) for n in range(10)))
    wire = Wire(lambda _row: Answer(410) if wire.address.endswith("old") else OK, url="https://hooks.example/old")
    made = parts(store, wire)
    for _ in range(3):
        await Lane("acme", made).run()
    assert len(wire.sent) <= 4, "those under way, no more"
    assert store.states["acme"].disabled == "https://hooks.example/old"
    assert len(store.rows) == 10
    wire.address = "https://hooks.example/new"
    await drain(store, made)
    assert len(store.done) == 10


async def test_what_the_endpoint_refuses_for_itself_blames_nobody_else():
    now, store = datetime.now(UTC), MemoryStore()
    store.put(waiting(0, "bad", now), *(waiting(n, f"t{n}", now) for n in range(1, 10)))
    wire = Wire(lambda row: Answer(422) if row.key == "bad" else OK)
    lane = Lane("acme", parts(store, wire))
    await asyncio.wait_for(lane.run(), 10)
    assert len(store.done) == 9
    assert store.states.get("acme", Endpoint()) == Endpoint()
    (left,) = store.rows.values()
    assert (left.code, left.attempts >= 1) == ("422", True)


async def test_outcomes_that_cannot_be_written_are_kept_and_nothing_is_sent_again():
    now, store, outbox = datetime.now(UTC), MemoryStore(), Outbox()
    store.put(*(waiting(n, f"t{n}", now) for n in range(8)))
    store.down, outbox.fault = 4, 3
    wire = Wire(lambda row: Answer(200, None, b"ack " + row.id.encode()))
    await drain(store, parts(store, wire, outbox))
    assert sorted(wire.sent) == sorted(f"acme/{n}" for n in range(8)), "each once"
    assert {identity for identity, _ in outbox.sent} == {f"acme/{n}" for n in range(8)}


async def test_acknowledgements_are_stored_before_the_row_is_done():
    now, store, outbox = datetime.now(UTC), MemoryStore(), Outbox()
    store.put(waiting(0, "t", now))
    outbox.fault = 1_000_000
    lane = asyncio.create_task(Lane("acme", parts(store, Wire(lambda _r: Answer(200, None, b"ack")), outbox)).run())
    await asyncio.sleep(0.2)
    assert store.rows, "the broker has not taken the acknowledgement: the event is not done"
    outbox.fault = 0
    await asyncio.wait_for(lane, 10)
    assert not store.rows
    assert len(outbox.sent) == 1


async def test_another_instances_party_is_left_to_it():
    store = MemoryStore()
    store.put(waiting(0, "t", datetime.now(UTC)))
    store.owner = "other"
    wire = Wire(lambda _row: OK)
    lane = Lane("acme", parts(store, wire))
    await lane.run()
    assert wire.sent == []
    assert lane.resume_at is not None


async def test_a_lane_that_is_stopped_gives_back_what_it_had_not_sent():
    now, store = datetime.now(UTC), MemoryStore()
    store.put(*(waiting(n, f"t{n}", now) for n in range(20)))
    wire = Wire(lambda _row: OK, delay=0.2)
    task = asyncio.create_task(Lane("acme", parts(store, wire, concurrency=2)).run())
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert store.owner is None
    assert len(store.rows) + len(store.done) == 20
    assert len(store.done) >= 2
