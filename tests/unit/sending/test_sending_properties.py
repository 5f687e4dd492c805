"""Whatever the case: one more stop or attempt never permits, order and repetition change nothing, no grant is never yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.rights_handler.sending.book import CATALOGUE, judge
from services.rights_handler.sending.model import Check, Duty, Permission, SendingSettings

BASE = datetime(2026, 9, 15, 9, tzinfo=UTC)
moments = st.integers(-60 * 24, 20 * 24).map(lambda hours: BASE + timedelta(hours=hours))
some = st.lists(moments, max_size=4).map(tuple)
maybe = st.none() | moments
duties = st.none() | st.builds(Duty, moments, maybe, maybe, maybe)
permissions = st.builds(
    Permission, collected_at=moments, valid_until=maybe, confirmed=st.sampled_from([None, True, False]), stops_from=maybe,
    stops=some, duty=duties, record=st.none(),
)  # fmt: skip
checks = st.builds(
    Check, channel=st.sampled_from(["call", "automated_call", "email"]), at=moments,
    zone=st.sampled_from([None, "Europe/Paris", "Indian/Reunion", "America/Guadeloupe"]),
    permissions=st.lists(permissions, max_size=3).map(tuple), stops=some, attempts=st.lists(moments, max_size=6).map(tuple),
    appointment=maybe, answered_at=maybe, unreachable=st.booleans(),
    settings=st.builds(SendingSettings, st.booleans(), st.booleans()),
)  # fmt: skip
ORDER = [rule.code for rule in CATALOGUE]


def more_stops(check, stop):
    """A stop about the person, known everywhere it matters."""
    given_more = tuple(replace(p, stops=(*p.stops, stop)) for p in check.permissions)
    return replace(check, stops=(*check.stops, stop), permissions=given_more)


@given(checks, moments)
def test_one_more_stop_never_permits(check, stop):
    before, after = judge(check), judge(more_stops(check, stop))
    assert before.allowed or not after.allowed
    if stop <= check.at and all(p.covered_from <= stop for p in check.permissions):
        assert not after.allowed


@given(checks, moments)
def test_one_more_attempt_never_permits(check, attempt):
    before, after = judge(check), judge(replace(check, attempts=(*check.attempts, attempt)))
    assert before.allowed or not after.allowed
    assert set(before.codes) <= set(after.codes)


@given(checks, moments)
def test_a_contact_or_a_disclosure_never_permits(check, moment):
    def earlier(known):
        return moment if known is None else min(known, moment)

    for name in ("contacted_at", "disclosed_at"):
        changed = tuple(
            p if p.duty is None else replace(p, duty=replace(p.duty, **{name: earlier(getattr(p.duty, name))}))
            for p in check.permissions
        )
        assert judge(check).allowed or not judge(replace(check, permissions=changed)).allowed


@given(checks, st.randoms())
def test_order_and_repetition_change_nothing(check, random):
    def shuffled(items):
        mixed = list(items)
        random.shuffle(mixed)
        return tuple(mixed)

    mixed = replace(
        check, permissions=shuffled(check.permissions), stops=shuffled(check.stops), attempts=shuffled(check.attempts)
    )
    assert judge(mixed).codes == judge(check).codes
    doubled = replace(check, permissions=check.permissions * 2, stops=check.stops * 2)
    assert judge(doubled).codes == judge(check).codes


@given(checks)
def test_yes_rests_on_a_permission_that_stands_and_lasts(check):
    answer = judge(check)
    assert answer.allowed is (answer.codes == [])
    assert answer.codes == sorted(set(answer.codes), key=ORDER.index)
    assert all(reason.text_fr.endswith((".", ")")) and len(reason.text_fr) > 20 for reason in answer.reasons)
    if answer.allowed:
        assert answer.permission in check.permissions
        assert answer.permission.standing(check.at)
        assert not any(answer.permission.covered_from <= stop <= check.at for stop in answer.permission.stops)
        assert answer.holds_until is None or answer.holds_until >= check.at
    else:
        assert (answer.permission, answer.attach_notice, answer.holds_until) == (None, False, None)


@given(checks)
def test_yes_holds_until_it_says(check):
    """All else equal, the same question an instant before the end is still yes, and at the end it is no."""
    answer = judge(replace(check, answered_at=None))
    if answer.allowed and len(check.permissions) == 1 and answer.holds_until is not None:
        calm = replace(
            check, answered_at=None, attempts=(), stops=(), permissions=(replace(answer.permission, stops=()),)
        )
        just_before = replace(calm, at=max(check.at, answer.holds_until - timedelta(milliseconds=1)))
        assert judge(just_before).allowed or answer.permission.duty is not None
        assert not judge(replace(calm, at=answer.holds_until + timedelta(milliseconds=1))).allowed


@given(checks)
def test_no_permission_is_never_yes(check):
    assert not judge(replace(check, permissions=())).allowed
