"""Answers to orders and what happens without one, on the real code over an index in memory."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from rights_world import PERSON, RECORD, START, TIMES, FakeRegistry, make_crossing, make_grant, make_line, make_stop

from services.rights_handler.acknowledging import Acknowledging
from services.rights_handler.deliveries import Answer
from services.rights_handler.domain import order_id
from services.rights_handler.escalating import Officers
from services.rights_handler.messaging import PersonMessages
from services.rights_handler.scheduler import LEASE, Scheduler
from shared.clock import ManualClock
from shared.crypto.sealing import RecordKey
from shared.instants import format_instant
from tests.fakes.rights import Direct


class Keys:
    async def read(self, record_ids):
        return {record: RecordKey(b"k" * 32) for record in record_ids}


class Quiet:
    def warning(self, *_args, **_fields):
        pass


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture
def registry():
    return FakeRegistry()


@pytest.fixture
async def ports(clock, registry):
    """A person known to canalvert and acme, who has just stopped."""
    ports = Direct()
    crossing = make_crossing(ports, clock=clock, registry=registry)
    await crossing.verdicts([make_grant(make_line())], {RECORD: PERSON})
    await crossing.stops([make_stop()])
    ports.world.published.clear()
    return ports


ORDER = order_id("canalvert/s1", "canalvert", RECORD)


def scheduler(ports, clock, registry):
    teller = make_crossing(ports, clock=clock, registry=registry)._teller
    officers = Officers(PersonMessages(Keys(), ports, clock), registry)
    return Scheduler(ports, ports, teller, ports, clock, TIMES, timedelta(seconds=1), Quiet(), officers)


def answer(status="applied", event="e1", source="canalvert", order=ORDER):
    return Answer(order, source, status, event, "2026-10-02T18:00:00.000Z")


def facts(world, kind):
    found = [orjson.loads(m.value)["facts"] for m in world.published if m.topic == "deliveries"]
    return [f for f in found if f["kind"] == kind]


async def test_an_answer_closes_its_branch_and_its_fact_is_published_on_every_replay(ports):
    acknowledging = Acknowledging(ports, ports)
    for _ in range(2):
        assert await acknowledging([answer()]) == {}
    assert ports.world.rows[ORDER].state == "closed"
    first, again = facts(ports.world, "delivery.acknowledged")
    assert first == again
    assert (first["status"], first["closed"], first["party"]) == ("applied", True, "canalvert")
    identities = {dict(m.headers)["ce_id"] for m in ports.world.published}
    assert len(identities) == 1


async def test_nobody_answers_for_another_or_for_an_order_that_is_not(ports):
    strangers = await Acknowledging(ports, ports)([answer(source="acme"), answer(event="e2", order="f" * 40)])
    assert strangers == {("e1", ORDER): "ORDER-FOREIGN", ("e2", "f" * 40): "ORDER-UNKNOWN"}
    assert ports.world.rows[ORDER].state == "open"
    assert not ports.world.published


async def test_two_answers_of_one_batch_both_count(ports):
    await Acknowledging(ports, ports)([answer("refused"), answer("applied", "e2")])
    row = ports.world.rows[ORDER]
    assert (row.state, row.rev) == ("closed", 2)  # one for `published`, one for both answers
    assert [f["closed"] for f in facts(ports.world, "delivery.acknowledged")] == [False, True]


async def test_a_batch_of_answers_costs_four_calls_whatever_its_size(ports):
    """One read, one write, one publishing, one closing: what an answer costs decides how fast a withdrawal comes back."""
    calls = []

    class Counting(Direct):
        def __getattr__(self, name):
            calls.append(name)
            return super().__getattr__(name)

        async def send_all(self, messages):
            calls.append("send_all")
            await super().send_all(messages)

    everyone = [answer(source=row.party, order=order, event=f"e-{order}") for order, row in ports.world.rows.items()]
    assert len(everyone) == 2
    counting = Counting(ports.world)
    await Acknowledging(counting, counting)(everyone)
    assert calls == ["deliveries", "save_deliveries", "send_all", "close_obligations"]
    assert {row.state for row in ports.world.rows.values()} == {"closed"}


async def test_only_requests_are_settled_and_only_once_their_order_is_closed(ports):
    settled, right = [], "d" * 40

    async def settle(names):
        settled.append(sorted(names))

    ports.world.rows[right] = replace(ports.world.rows[ORDER], order=right, stop="request/acme/r1", kind="erasure")
    acknowledging = Acknowledging(ports, ports, settle)
    await acknowledging([answer()])
    await acknowledging([answer("refused", "e2", order=right)])
    assert settled == []
    await acknowledging([answer("applied", "e3", order=right), answer("applied", "e3", source="acme", order=right)])
    assert settled == [["acme/r1"]]


async def test_an_answer_that_meets_another_change_looks_again(ports):
    world = ports.world

    class Racing(Direct):
        raced = False

        async def save_deliveries(self, rows):
            if not self.raced:
                self.raced = True
                world.open_deliveries([])
                row = world.rows[ORDER]
                world.rows[ORDER] = replace(row, rev=row.rev + 1)
            return world.save_deliveries(rows)

    racing = Racing(world)
    await Acknowledging(racing, racing)([answer()])
    assert world.rows[ORDER].state == "closed"
    assert len(facts(world, "delivery.acknowledged")) == 1


async def test_a_silent_party_is_reminded_on_schedule_then_escalated(ports, clock, registry):
    one = scheduler(ports, clock, registry)
    await Acknowledging(ports, ports)([answer(source="acme", order=order_id("canalvert/s1", "acme", RECORD))])
    ports.world.published.clear()
    said = []
    for _ in range(5):
        clock.advance(timedelta(hours=6))
        await one.sweep()
        orders = [orjson.loads(m.value) for m in ports.world.published if m.topic == "out.canalvert.withdrawals"]
        said.append([o["reminder"] for o in orders])
    assert said == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]
    assert [f["reminder"] for f in facts(ports.world, "delivery.reminded")] == [1, 2, 3, 4]
    last = [orjson.loads(m.value) for m in ports.world.published if m.topic == "out.canalvert.withdrawals"][-1]
    assert last["escalated"] is True
    assert len(facts(ports.world, "delivery.escalated")) == 1
    owed = ports.world.obligations[f"escalated/{ORDER}"]
    assert (owed.owner, owed.closed_at) == ("operator", None)
    assert ports.world.obligations[f"dpo/{ORDER}"].owner == "canalvert"
    clock.advance(timedelta(hours=24))
    await one.sweep()
    assert [f["reminder"] for f in facts(ports.world, "delivery.reminded")] == [1, 2, 3, 4, 5]
    await Acknowledging(ports, ports)([answer()])
    assert ports.world.obligations[f"escalated/{ORDER}"].closed_at is not None
    assert ports.world.obligations[f"dpo/{ORDER}"].closed_at is not None
    clock.advance(timedelta(hours=48))
    assert await one.sweep() == 0


async def test_an_answer_that_crosses_its_escalation_leaves_no_obligation_behind(ports, clock, registry):
    class Crossing(Direct):
        async def open_obligations(self, obligations):
            if any(one.kind == "order-escalated" for one in obligations):
                await Acknowledging(ports, ports)([answer()])  # closes the row, and finds no obligation yet
            ports.world.open_obligations(obligations)

    clock.advance(timedelta(hours=25))
    await scheduler(Crossing(ports.world), clock, registry).sweep()
    assert ports.world.rows[ORDER].state == "closed"
    owed = {key: one.closed_at for key, one in ports.world.obligations.items() if key.endswith(ORDER)}
    assert owed.keys() == {f"escalated/{ORDER}", f"dpo/{ORDER}"}
    assert None not in owed.values()


async def test_two_instances_never_act_on_one_order(ports, clock, registry):
    class Yielding(Direct):
        def __getattr__(self, name):
            inner = super().__getattr__(name)

            async def call(*args):
                await asyncio.sleep(0)
                return await inner(*args)

            return call

    clock.advance(timedelta(hours=6))
    both = Yielding(ports.world)
    await asyncio.gather(*(scheduler(both, clock, registry).sweep() for _ in range(4)))
    assert len([m for m in ports.world.published if m.topic == "out.canalvert.withdrawals"]) == 1


async def test_an_instance_that_dies_with_a_claim_is_replaced_when_its_lease_ends(ports, clock, registry):
    class Dying(Direct):
        async def send_all(self, _messages):
            raise ConnectionError

    clock.advance(timedelta(hours=6))
    with pytest.raises(ConnectionError):
        await scheduler(Dying(ports.world), clock, registry).sweep()
    assert await scheduler(ports, clock, registry).sweep() == 0
    clock.advance(LEASE)
    await scheduler(ports, clock, registry).sweep()
    (order,) = [orjson.loads(m.value) for m in ports.world.published if m.topic == "out.canalvert.withdrawals"]
    assert order["reminder"] == 1


async def test_a_party_registered_later_gets_its_order_then(clock):
    ports, registry = Direct(), FakeRegistry(["acme"])
    crossing = make_crossing(ports, clock=clock, registry=registry)
    await crossing.verdicts([make_grant(make_line())], {RECORD: PERSON})
    await crossing.stops([make_stop()])
    one = scheduler(ports, clock, registry)
    clock.advance(timedelta(hours=6))
    await one.sweep()
    assert not ports.world.rows[ORDER].published
    assert ports.world.obligations[f"unregistered/{ORDER}"].closed_at is None
    registry.view.known.add("canalvert")
    clock.advance(LEASE)
    await one.sweep()
    row = ports.world.rows[ORDER]
    assert row.published
    assert row.ordered_at == format_instant(clock.now())
    (order,) = [orjson.loads(m.value) for m in ports.world.published if m.topic == "out.canalvert.withdrawals"]
    assert (order["reminder"], order["ack_due_at"]) == (0, row.ack_due_at)
    assert ports.world.obligations[f"unregistered/{ORDER}"].closed_at is not None
