"""The life of a request as the law writes it: every path from its receipt to its end, with the clock in hand."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rights_handler.requests import domain
from services.rights_handler.requests.model import Letter, Request
from shared.errors import InputError
from shared.instants import format_instant, parse_instant

AT = "2026-10-05T09:00:00.000Z"
LETTER = Letter("request.answered", b"sealed", "0" * 64, AT)


def make(right="access", at=AT, **more):
    values = {"id": "acme/r1", "source": "acme", "right": right, "asked_at": at, "received_at": at, "due_at": at,
              "verified": True}  # fmt: skip
    return domain.opened(Request(**{**values, **more}))


def after(instant, **delta):
    return format_instant(parse_instant(instant) + timedelta(**delta))


def code(refused):
    return refused.value.problems[0].code


@pytest.mark.parametrize(("asked", "due"), [
    ("2026-10-05T09:00:00.000Z", "2026-11-05T09:00:00.000Z"),
    ("2026-12-31T23:30:00.000Z", "2027-01-31T23:30:00.000Z"),
    ("2027-01-31T08:00:00.000Z", "2027-02-28T08:00:00.000Z"),
])  # fmt: skip
def test_one_month_runs_from_when_the_person_asked(asked, due):
    """RGPD 12(3); règlement 1182/71 art. 3."""
    request = make(at=asked)
    assert request.due_at == due
    assert request.next_at == after(due, days=-15)
    assert request.owner == "operator"
    assert request.cause


def test_the_month_runs_from_the_partner_that_received_it_and_not_from_us():
    request = make(received_at="2026-10-20T09:00:00.000Z")
    assert request.due_at == "2026-11-05T09:00:00.000Z"
    assert request.next_at == after(request.due_at, days=-15)


def test_reminded_three_times_then_overdue_then_raised_every_day_until_answered():
    request, said = make(), []
    while len(said) < 6:
        moment = request.next_at
        request = domain.chased(domain.leased(request, after(moment, seconds=60)), moment)
        said.append((request.history[-1]["what"], moment))
    due = make().due_at
    assert said == [
        ("reminded", after(due, days=-15)), ("reminded", after(due, days=-7)), ("reminded", after(due, days=-2)),
        ("overdue", due), ("raised", after(due, days=1)), ("raised", after(due, days=2)),
    ]  # fmt: skip
    assert request.overdue
    answered = domain.answered(request, request.next_at, LETTER)
    assert (answered.state, answered.live) == ("answered", False)
    assert domain.settled(answered, after(due, days=3)).closed_at == after(due, days=3)


def test_extended_by_two_months_told_within_the_first():
    request = make()
    longer = domain.extended(request, after(request.due_at, seconds=-1), "complex", LETTER)
    assert longer.due_at == "2027-01-05T09:00:00.000Z"
    assert longer.letters == (LETTER,)
    assert (longer.extended, longer.overdue) == (True, False)
    assert longer.next_at == after(request.due_at, seconds=59), "its author has a minute to tell the person"
    told = domain.told(longer, request.due_at, 1)
    assert told.next_at == after(longer.due_at, days=-15)


def test_no_extension_once_the_month_is_over_nor_twice():
    request = make()
    with pytest.raises(InputError) as late:
        domain.extended(request, after(request.due_at, milliseconds=1), "complex", LETTER)
    assert code(late) == "REQUEST-EXTEND-LATE"
    longer = domain.extended(request, request.due_at, "complex", LETTER)
    with pytest.raises(InputError) as twice:
        domain.extended(longer, AT, "many", LETTER)
    assert code(twice) == "REQUEST-EXTENDED"


def test_the_month_stands_still_while_the_identity_is_waited_for():
    """RGPD 12(6): only what is asked without delay and on reasonable doubt stops the clock."""
    request = make(verified=False)
    waiting = domain.identity_asked(request, after(AT, days=2), LETTER)
    assert waiting.state == "identity"
    assert "stands still" in waiting.cause
    back = domain.identity_given(waiting, after(AT, days=7))
    assert back.due_at == after(request.due_at, days=5)
    assert (back.state, back.verified) == ("open", True)
    with pytest.raises(InputError) as twice:
        domain.identity_asked(back, after(AT, days=8), LETTER)
    assert code(twice) == "REQUEST-IDENTITY-TWICE"


def test_an_identity_that_never_comes_is_the_operators_to_decide_and_is_not_overdue():
    waiting = domain.identity_asked(make(verified=False), after(AT, days=2), LETTER)
    waiting = domain.told(waiting, after(AT, days=2), 1)
    assert waiting.next_at == after(AT, days=32)
    raised = domain.chased(waiting, waiting.next_at)
    assert raised.history[-1]["what"] == "overdue"
    assert not raised.overdue, "the person has not answered: no delay of ours is exceeded"
    refused = domain.refused(raised, after(AT, days=33), "identity", LETTER)
    assert (refused.state, refused.reason) == ("refused", "identity")


@pytest.mark.parametrize("end", [
    lambda r: domain.answered(r, AT, LETTER), lambda r: domain.refused(r, AT, "unfounded", LETTER),
])  # fmt: skip
@pytest.mark.parametrize("act", [
    lambda r: domain.answered(r, AT, LETTER),
    lambda r: domain.refused(r, AT, "unfounded", LETTER),
    lambda r: domain.extended(r, AT, "many", LETTER),
    lambda r: domain.identity_asked(r, AT, LETTER),
    lambda r: domain.identity_given(r, AT),
])  # fmt: skip
def test_what_is_answered_takes_no_other_decision(end, act):
    with pytest.raises(InputError):
        act(end(make()))


def test_only_a_granted_restriction_is_lifted_once():
    with pytest.raises(InputError):
        domain.lifted(domain.answered(make("erasure"), AT, LETTER), AT, LETTER)
    with pytest.raises(InputError):
        domain.lifted(make("restriction"), AT, LETTER)
    lifted = domain.lifted(domain.answered(domain.acting(make("restriction"), AT), AT, LETTER), AT, LETTER)
    assert not domain.stands(lifted)
    with pytest.raises(InputError):
        domain.lifted(lifted, AT, LETTER)


def test_a_letter_added_while_another_is_ordered_is_not_taken_for_ordered():
    asked = domain.identity_asked(make(verified=False), AT, LETTER)
    both = domain.refused(asked, AT, "identity", LETTER)
    after_first = domain.told(both, AT, 1)
    assert [letter.sent for letter in after_first.letters] == [True, False]
    assert after_first.next_at == AT
    assert all(letter.sent for letter in domain.told(after_first, AT, 2).letters)


@pytest.mark.parametrize(("right", "verified", "at_once"), [
    ("restriction", False, True), ("dispute", False, True), ("erasure", True, True), ("erasure", False, False),
    ("access", True, False), ("portability", True, False), ("rectification", True, False),
])  # fmt: skip
def test_what_can_be_undone_acts_before_anything_is_asked(right, verified, at_once):
    assert domain.acts_at_once(make(right, verified=verified)) is at_once


@given(
    st.datetimes(min_value=parse_instant("2020-01-01T00:00:00Z").replace(tzinfo=None),
                 max_value=parse_instant("2090-01-01T00:00:00Z").replace(tzinfo=None)),
    st.lists(st.floats(min_value=0.1, max_value=40), max_size=12),
)  # fmt: skip
def test_whatever_the_hour_an_open_request_always_has_a_next_moment_ahead(start, steps):
    request = make(at=format_instant(parse_instant(start.isoformat() + "Z")))
    now = request.asked_at
    for days in steps:
        now = after(now, days=days)
        if request.next_at <= now:
            request = domain.chased(request, now)
            assert request.next_at > now
            assert request.overdue == (now >= request.due_at)
    assert request.cause
