"""What is due of requests, by one instance, by two, by one that died: nothing is told twice, nothing is forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.rights_handler.requests.sweeping import LEASE
from services.rights_handler.scheduler import MOST, Scheduler
from shared.instants import parse_instant
from tests.unit.requests.requests_world import Bench
from tests.unit.rights.rights_world import TIMES


@pytest.fixture
def bench():
    return Bench()


async def test_an_unanswered_request_is_raised_with_the_archive_told_once(bench):
    await bench.receive("access")
    said = []
    for _ in range(40):
        bench.clock.advance(timedelta(days=1))
        await bench.sweeping.sweep(MOST)
    said = [fields["what"] for _, fields in bench.log.said]
    assert said[:4] == ["reminded"] * 3 + ["overdue"]
    assert set(said[4:]) == {"raised"}
    (fact,) = bench.facts("request.overdue")
    assert fact["due_at"] == "2026-11-05T09:00:00.000Z"
    await bench.handling.answer("acme/r1")
    bench.log.said.clear()
    bench.clock.advance(timedelta(days=3))
    assert await bench.sweeping.sweep(MOST) == 0
    assert not bench.log.said


async def test_five_years_after_it_closed_its_own_key_goes_and_what_was_done_remains(bench):
    name = await bench.receive("access")
    await bench.handling.answer(name)
    closed = bench.now(name)
    assert (closed.state, closed.next_at) == ("closed", f"{int(closed.closed_at[:4]) + 5}{closed.closed_at[4:]}")
    assert closed.sealed is not None
    assert closed.letters[0].sealed
    bench.clock.advance(parse_instant(closed.next_at) - bench.clock.now() - timedelta(milliseconds=1))
    assert await bench.sweeping.sweep(MOST) == 0
    assert bench.begun == []
    bench.clock.advance(timedelta(milliseconds=1))
    assert await bench.sweeping.sweep(MOST) == 1
    assert [(records, cause) for records, cause, _ in bench.begun] == [((f"request/{name}",), "retention")]
    after = bench.now(name)
    assert (after.sealed, [letter.sealed for letter in after.letters], after.next_at) == (None, [b""], None)
    assert [entry["what"] for entry in after.history] == [*(entry["what"] for entry in closed.history), "forgotten"]
    assert (after.state, after.closed_at, after.right) == ("closed", closed.closed_at, "access")
    bench.clock.advance(timedelta(days=400))
    assert await bench.sweeping.sweep(MOST) == 0, "and nothing is due of it any more"


async def test_an_instance_that_dies_while_it_forgets_is_followed_by_another(bench):
    name = await bench.receive("access")
    await bench.handling.answer(name)
    bench.clock.advance(parse_instant(bench.now(name).next_at) - bench.clock.now())

    async def dies(_records, *, cause):
        raise KeyboardInterrupt(cause)

    bench.settling.erasing.erase, good = dies, bench.settling.erasing.erase
    with pytest.raises(KeyboardInterrupt):
        await bench.sweeping.sweep(MOST)
    assert bench.now(name).sealed is not None, "the key is ordered to be destroyed first"
    bench.settling.erasing.erase = good
    bench.clock.advance(LEASE)
    assert await bench.sweeping.sweep(MOST) == 1
    assert bench.now(name).sealed is None


async def test_two_instances_never_act_on_one_request(bench):
    for n in range(20):
        await bench.receive("access", name=f"acme/r{n}")
    other = bench.again()
    bench.clock.advance(timedelta(days=17))
    due = await bench.ports.due("2026-10-23T00:00:00.000Z", MOST)
    assert len(due) == 20

    async def same_view(_now, _limit):
        return due

    one, two = bench.sweeping, other.sweeping
    for sweeping in (one, two):
        sweeping.store.due = same_view  # both have read the same rows before either claims
    await one.sweep(MOST)
    await two.sweep(MOST)
    told = [fields["request"] for log in (bench.log, other.log) for _, fields in log.said]
    assert sorted(told) == sorted(f"acme/r{n}" for n in range(20))
    assert not other.log.said


async def test_the_work_of_an_instance_that_died_is_taken_over_when_its_lease_ends(bench):
    await bench.consent()
    name = await bench.receive("restriction")

    async def dies(_messages):
        raise KeyboardInterrupt

    bench.handling.letters._messages.order, good = dies, bench.order
    with pytest.raises(KeyboardInterrupt):
        await bench.handling.answer(name)
    assert bench.now().state == "answered"
    assert not bench.ordered, "the letter stands on the request and is not ordered yet"
    other = bench.again()
    assert await other.sweeping.sweep(MOST) == 0, "whoever decides has a minute to tell the person"
    bench.clock.advance(LEASE)
    with pytest.raises(KeyboardInterrupt):
        await bench.sweeping.sweep(MOST)  # it dies again, holding the claim
    assert await other.sweeping.sweep(MOST) == 0, "the claim is another's for a minute"
    bench.clock.advance(LEASE + timedelta(seconds=1))
    assert await other.sweeping.sweep(MOST) == 1
    (message,) = other.ordered
    assert message.template == "request.answered.restriction"
    assert len(bench.facts("request.answered")) == 1
    bench.handling.letters._messages.order = good
    bench.clock.advance(LEASE + timedelta(seconds=1))
    await bench.sweeping.sweep(MOST)
    assert not bench.ordered, "told once"


async def test_a_letter_ordered_twice_by_a_crash_has_one_identity(bench):
    await bench.consent()
    name = await bench.receive("restriction")

    async def dies(_messages):
        raise KeyboardInterrupt

    bench.ports.send_all, good = dies, bench.ports.send_all
    with pytest.raises(KeyboardInterrupt):
        await bench.handling.answer(name)  # ordered; its fact is not published
    bench.ports.send_all = good
    bench.clock.advance(LEASE)
    await bench.sweeping.sweep(MOST)
    first, again = bench.ordered
    assert (first.id, first.text) == (again.id, again.text)
    assert len(bench.facts("request.answered")) == 1


async def test_an_answered_request_is_looked_at_daily_until_its_last_order_is_closed_by_any_means(bench):
    await bench.consent()
    await bench.receive("restriction")
    await bench.handling.answer("acme/r1")
    for row in list(bench.ports.world.rows.values()):  # an operator settles them by other means
        await bench.ports.save_deliveries([_closed(row)])
    bench.clock.advance(timedelta(days=1))
    await bench.sweeping.sweep(MOST)
    assert bench.now().state == "closed"


def _closed(row):
    return replace(row, state="closed", next_at=None, rev=row.rev + 1)


async def test_relayed_orders_are_reminded_and_escalated_by_the_machinery_of_stops(bench):
    await bench.consent()
    await bench.receive("erasure", verified=False)
    await bench.handling.answer("acme/r1")
    await bench.consent()  # the record is still in the index of this fake

    class Nobody:
        async def write(self, rows):
            return list(rows)

    scheduler = Scheduler(
        bench.ports, bench.ports, bench.crossing._teller, bench.ports, bench.clock, TIMES, timedelta(seconds=1), bench.log,
        Nobody(), [bench.sweeping],
    )  # fmt: skip
    for _ in range(5):
        bench.clock.advance(timedelta(hours=6))
        await scheduler.sweep()
    reminders = [body["reminder"] for party, body in bench.orders("erasure") if party == "canalvert"]
    assert reminders[:4] == [0, 1, 2, 3]
    escalated = [o for o in bench.ports.world.obligations.values() if o.kind == "order-escalated"]
    assert {dict(o.refs)["party"] for o in escalated} == {"acme", "canalvert", "assurbrelle"}
    assert {f["request"] for f in bench.facts("delivery.escalated")} == {"acme/r1"}


async def test_five_years_after_its_end_nothing_of_the_person_is_left_on_a_request(bench):
    await bench.consent()
    await bench.receive("access", details="écrivez-moi")
    await bench.handling.answer("acme/r1")
    assert bench.now().state == "closed"
    bench.clock.advance(timedelta(days=5 * 365 - 1))
    await bench.sweeping.sweep(MOST)
    assert bench.now().sealed
    bench.clock.advance(timedelta(days=2))
    await bench.sweeping.sweep(MOST)
    kept = bench.now()
    assert (kept.sealed, kept.contact_keys, kept.letters[0].sealed) == (None, frozenset(), b"")
    assert kept.letters[0].sha256
    assert bench.begun[-1][:2] == (("request/acme/r1",), "retention")
    assert "request/acme/r1" not in bench.keys
    assert await bench.sweeping.sweep(MOST) == 0
