"""The life of an order: when it is open, whose turn it is, what closes it, and that the same report counts once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rights_world import TIMES, make_grant, make_line, make_stop

from services.rights_handler.deliveries import (
    Answer,
    Times,
    answered,
    chased,
    escalated,
    leased,
    may_hold,
    open_delivery,
    overdue,
)
from services.rights_handler.moments import duration, one_month_after
from services.rights_handler.settings import RightsSettings
from services.rights_handler.terms import Terms
from shared.errors import InputError

NOW = "2026-10-02T17:05:01.000Z"


def delivery(*, holds=True, within=timedelta(hours=24), published=True, times=TIMES):
    row = open_delivery(
        make_stop(), make_grant(), "canalvert", may_hold=holds, now=NOW, ack_within=within, times=times
    )  # fmt: skip
    return replace(row, published=published)


def answer(status="applied", event="e1"):
    return Answer("o", "canalvert", status, event, "2026-10-02T18:00:00.000Z", applied_at="2026-10-02T17:59:00.000Z")


def test_a_new_order_waits_for_its_party_and_knows_its_next_moment():
    row = delivery()
    assert (row.state, row.owner, row.cause) == ("open", "canalvert", "no answer yet")
    assert row.ack_due_at == "2026-10-03T17:05:01.000Z"
    assert row.next_at == "2026-10-02T23:05:01.000Z"


def test_an_order_not_yet_published_is_the_operators():
    assert delivery(published=False).owner == "operator"


@pytest.mark.parametrize(
    ("status", "holds", "state", "owner"),
    [
        ("applied", True, "closed", None),
        ("unknown_person", False, "closed", None),
        ("unknown_person", True, "contested", "canalvert"),
        ("refused", False, "refused", "canalvert"),
    ],
)
def test_what_an_answer_does(status, holds, state, owner):
    row = answered(delivery(holds=holds), answer(status))
    assert (row.state, row.status, row.rev) == (state, status, 1)
    assert (row.next_at is None) == (state == "closed")
    assert owner is None or row.owner == owner
    assert row.history[-1]["closed"] is (state == "closed")


def test_the_same_report_counts_once_and_applied_is_final():
    once = answered(delivery(), answer())
    assert answered(once, answer()) is once
    later = answered(once, answer("unknown_person", "e2"))
    assert (later.state, later.status) == ("closed", "applied")
    assert len(later.history) == len(once.history) + 1


def test_a_refusal_can_be_taken_back_and_an_escalated_order_applied():
    assert answered(answered(delivery(), answer("refused")), answer("applied", "e2")).state == "closed"
    late = escalated(delivery(), "2026-10-03T17:05:02.000Z", TIMES)
    assert answered(late, answer("refused")).state == "escalated"
    assert answered(late, answer("applied")).state == "closed"


def test_reminders_then_escalation_then_repetition():
    row, seen = delivery(), []
    while not overdue(row, row.next_at):
        seen.append(row.next_at)
        row = chased(leased(row, "2030-01-01T00:00:00.000Z"), row.next_at, TIMES)
    assert seen == ["2026-10-02T23:05:01.000Z", "2026-10-03T05:05:01.000Z", "2026-10-03T11:05:01.000Z"]
    assert row.reminders == 3
    assert row.next_at == row.ack_due_at
    late = escalated(row, row.next_at, TIMES)
    assert (late.state, late.owner, late.next_at) == ("escalated", "operator", "2026-10-04T17:05:01.000Z")
    assert not overdue(late, late.next_at)
    assert late.reminders == 4  # an escalation is told to the party as one more reminder
    assert chased(late, late.next_at, TIMES).reminders == 5


def test_there_is_always_a_reminder_before_an_escalation():
    row = delivery(within=timedelta(hours=1))
    assert row.next_at == "2026-10-02T17:35:01.000Z"


def test_a_late_first_delivery_starts_its_own_time():
    row = chased(delivery(published=False), "2026-10-05T00:00:00.000Z", TIMES)
    assert (row.published, row.reminders, row.owner) == (True, 0, "canalvert")
    assert row.ack_due_at == "2026-10-06T00:00:00.000Z"
    assert row.next_at == "2026-10-05T06:00:00.000Z"


def test_who_may_hold_the_data():
    grant = make_grant(make_line("canalvert"), make_line("assurbrelle"), via=("passeplat",))
    assert may_hold("canalvert", grant, None)
    assert may_hold("canalvert", grant, {"canalvert"})
    assert not may_hold("assurbrelle", grant, {"canalvert"})
    assert may_hold("acme", grant, frozenset())
    assert may_hold("passeplat", grant, frozenset())
    assert may_hold("televerveine", grant, frozenset())  # reached by a transfer


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-31T10:00:00.000Z", "2026-02-28T10:00:00.000Z"),
        ("2028-01-31T10:00:00.000Z", "2028-02-29T10:00:00.000Z"),
        ("2026-12-15T10:00:00.000Z", "2027-01-15T10:00:00.000Z"),
        ("2026-11-30T10:00:00.000Z", "2026-12-30T10:00:00.000Z"),
    ],
)
def test_one_month(start, end):
    assert one_month_after(start) == end


@pytest.mark.parametrize(
    ("text", "hours"), [("PT24H", 24), ("P14D", 336), ("P1DT12H", 36), ("PT90M", 1.5), ("PT3600S", 1), ("P1W", 168)]
)
def test_durations(text, hours):
    assert duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "P", "PT", "24H", "P1Y", "PT1.5H"])
def test_what_is_no_duration(text):
    with pytest.raises(InputError):
        duration(text)


class Agreed:
    class view:  # noqa: N801
        @staticmethod
        def agreements(collector, party):
            class One:
                def __init__(self, sla):
                    self.stop_sla = sla

            return [One("PT12H"), One(None), One("PT6H")] if (collector, party) == ("acme", "canalvert") else []


def test_the_shortest_agreed_time_else_the_default_else_the_setting(monkeypatch):
    terms = Terms(Agreed(), RightsSettings())
    assert terms.ack_within("acme", "canalvert") == timedelta(hours=6)
    assert terms.ack_within("acme", "acme") == timedelta(hours=24)
    monkeypatch.setenv("OPPOSABLE_RIGHTS_ACK_WITHIN", "15")
    assert Terms(Agreed(), RightsSettings()).ack_within("acme", "canalvert") == timedelta(seconds=15)


def test_reminder_delays_come_from_the_environment_in_seconds(monkeypatch):
    monkeypatch.setenv("OPPOSABLE_RIGHTS_REMIND_AFTER", "10,5")
    assert RightsSettings().remind_after == (timedelta(seconds=5), timedelta(seconds=10))
    times = Times(RightsSettings().remind_after, timedelta(hours=1))
    assert times.moments(NOW, "2026-10-02T17:05:16.000Z") == [
        "2026-10-02T17:05:06.000Z", "2026-10-02T17:05:11.000Z", "2026-10-02T17:05:16.000Z",
    ]  # fmt: skip
