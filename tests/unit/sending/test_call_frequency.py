"""CALL-FREQUENCY: four calls on the thirty calendar days that end on the day of the check, on the person's own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sending_world import NOON, bent, codes, why

from services.rights_handler.sending.model import Permission, SendingSettings
from shared.contracts.types import instant

OFTEN = ["CALL-FREQUENCY"]
ALWAYS = Permission(datetime(2020, 1, 1, tzinfo=UTC), None)


def days_before(*days):
    return tuple(NOON - timedelta(days=d) for d in days)


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ((), []), (days_before(1, 2, 3), []), (days_before(1, 2, 3, 4), OFTEN), (days_before(1, 2, 3, 4, 5), OFTEN),
        (days_before(1, 2, 3, 29), OFTEN), (days_before(1, 2, 3, 30), []), (days_before(1, 2, 3, 31), []),
        (days_before(29, 29, 29, 29), OFTEN), (days_before(30, 30, 30, 30), []),
        (days_before(0, 0, 0, 0), OFTEN),  # at this very instant: other calls than the one being checked
        ((*days_before(1, 2, 3), NOON + timedelta(milliseconds=1)), []),  # not yet made
        (days_before(1, 1, 1, 1), OFTEN),  # the same instant four times is four calls
    ],
)  # fmt: skip
def test_four_in_thirty_days(attempts, expected):
    assert codes(bent(attempts=attempts)) == expected


@pytest.mark.parametrize(
    ("zone", "first", "expected"),
    [
        # The check is on 15 September on the person's clock: the first day that counts is 17 August, from its midnight there.
        ("Europe/Paris", "2026-08-16T22:00:00.000Z", OFTEN), ("Europe/Paris", "2026-08-16T21:59:59.999Z", []),
        ("Indian/Reunion", "2026-08-16T20:00:00.000Z", OFTEN), ("Indian/Reunion", "2026-08-16T19:59:59.999Z", []),
    ],
)  # fmt: skip
def test_a_day_begins_at_midnight_where_the_person_is(zone, first, expected):
    attempts = (instant(first), *days_before(1, 2, 3))
    assert codes(bent("2026-09-15T08:30:00Z", zone=zone, attempts=attempts)) == expected


def test_where_the_day_of_the_check_is_another_the_thirty_days_move():
    # 15 September 23:30 UTC is 19:30 on the 15th in Guadeloupe and 10:30 on the 16th in Nouméa.
    first = instant("2026-08-17T04:00:00.000Z")  # the 17th, 00:00, in Guadeloupe; the 17th, 15:00, in Nouméa
    attempts = (first, *days_before(1, 2, 3))
    at = "2026-09-15T23:30:00Z"
    assert codes(bent(at, zone="America/Guadeloupe", attempts=attempts)) == OFTEN
    assert codes(bent(at, zone="America/Guadeloupe", attempts=(first - timedelta(milliseconds=1), *attempts[1:]))) == []
    assert codes(bent(at, zone="Pacific/Noumea", attempts=attempts)) == []
    assert codes(bent(at, zone="Pacific/Noumea", attempts=(first + timedelta(hours=9), *attempts[1:]))) == OFTEN


@pytest.mark.parametrize(
    ("at", "first", "expected"),
    [
        # Over the end of summer time the first day is thirty days and an hour away, over its beginning an hour less.
        ("2026-11-10T15:00:00Z", "2026-10-11T22:00:00.000Z", OFTEN), ("2026-11-10T15:00:00Z", "2026-10-11T21:59:59.999Z", []),
        ("2026-04-10T14:00:00Z", "2026-03-11T23:00:00.000Z", OFTEN), ("2026-04-10T14:00:00Z", "2026-03-11T22:59:59.999Z", []),
    ],
)  # fmt: skip
def test_clock_changes_move_the_first_midnight(at, first, expected):
    recent = tuple(instant(at) - timedelta(days=d) for d in (1, 2, 3))
    assert codes(bent(at, permissions=(ALWAYS,), attempts=(instant(first), *recent))) == expected


def test_the_longest_period_over_the_end_of_summer_time():
    sunday = instant("2026-11-15T22:59:00Z")  # 23:59 in Paris, thirty days and nearly an hour after the first midnight
    first = instant("2026-10-16T22:00:00Z")
    attempts = (first, *(sunday - timedelta(days=d) for d in (1, 2, 3)))
    assert codes(bent(sunday, permissions=(ALWAYS,), attempts=attempts)) == ["CALL-WINDOW", "CALL-FREQUENCY"]
    attempts = (first - timedelta(milliseconds=1), *attempts[1:])
    assert codes(bent(sunday, permissions=(ALWAYS,), attempts=attempts)) == ["CALL-WINDOW"]


def test_without_a_zone_the_longest_period_counts():
    just_within = NOON - timedelta(days=30) + timedelta(milliseconds=1)
    assert codes(bent(zone=None, attempts=(just_within, *days_before(1, 2, 3)))) == ["CALL-WINDOW", "CALL-FREQUENCY"]
    assert codes(bent(zone=None, attempts=days_before(1, 2, 3, 30))) == ["CALL-WINDOW"]


def test_an_appointment_does_not_lift_the_count():
    sunday = instant("2026-09-20T09:00:00Z")
    assert codes(bent(sunday, appointment=sunday, attempts=days_before(1, 2, 3, 4))) == OFTEN


@pytest.mark.parametrize("channel", ["email", "sms", "post", "push", "social", "tracker"])
def test_only_calls_are_counted_for(channel):
    assert codes(bent(channel=channel, attempts=days_before(1, 2, 3, 4))) == []


def test_automated_calls_by_the_setting():
    check = bent(channel="automated_call", attempts=days_before(1, 2, 3, 4))
    assert codes(check) == OFTEN
    assert codes(bent(check=check, settings=SendingSettings(automated_calls_keep_hours=False))) == []


def test_the_rule_is_law_since_march_2023():
    def at(text):
        moment = instant(text)
        attempts = tuple(moment - timedelta(days=d) for d in (1, 2, 3, 4))
        return codes(bent(moment, permissions=(ALWAYS,), attempts=attempts))

    assert at("2023-02-28T10:00:00Z") == []
    assert at("2023-03-01T10:00:00Z") == OFTEN


def test_why_tells_how_many_and_since_when():
    text = why(bent(attempts=days_before(1, 2, 3, 14, 40)), "CALL-FREQUENCY")
    assert text.startswith("4 appels ou tentatives")
    assert "le premier le mardi 1er septembre 2026 à 11 h 00" in text


@given(
    st.lists(st.integers(-3 * 86_400, 40 * 86_400), max_size=8), st.integers(0, 86_399),
    st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Guadeloupe", "Pacific/Noumea"]),
)  # fmt: skip
def test_the_count_equals_its_definition(seconds, offset, zone):
    at = datetime(2026, 10, 30, tzinfo=UTC) + timedelta(seconds=offset)
    attempts = tuple(at - timedelta(seconds=s) for s in seconds)
    today = at.astimezone(ZoneInfo(zone)).date()
    days = {today - timedelta(days=n) for n in range(30)}
    expected = sum(a <= at and a.astimezone(ZoneInfo(zone)).date() in days for a in attempts) >= 4
    assert ("CALL-FREQUENCY" in codes(bent(at, zone=zone, permissions=(ALWAYS,), attempts=attempts))) is expected
