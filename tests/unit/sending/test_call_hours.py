"""CALL-WINDOW: exact instants, the person's own clock everywhere, clock changes, holidays, appointments, settings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sending_world import CALL, bent, codes, why

from services.rights_handler.sending import hours
from services.rights_handler.sending.book import judge
from services.rights_handler.sending.hours import NATIONAL, holiday, holidays_of, zone_of
from services.rights_handler.sending.model import Permission, SendingSettings
from shared.contracts.types import instant
from shared.errors import IntegrityError

WINDOW = ["CALL-WINDOW"]
ALWAYS = Permission(datetime(2020, 1, 1, tzinfo=UTC), None)


def at_local(text, zone):
    """A wall time on the clock of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def asked(text, zone="Europe/Paris", **more):
    return bent(at_local(text, zone).astimezone(UTC), zone=zone, permissions=(ALWAYS,), **more)


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("2026-09-15T00:00:00", True), ("2026-09-15T09:59:59.999", True), ("2026-09-15T10:00:00", False),
        ("2026-09-15T12:59:59.999", False), ("2026-09-15T13:00:00", True), ("2026-09-15T13:59:59.999", True),
        ("2026-09-15T14:00:00", False), ("2026-09-15T19:59:59.999", False), ("2026-09-15T20:00:00", True),
        ("2026-09-15T23:59:59.999", True),
        ("2026-09-14T10:00:00", False), ("2026-09-18T19:59:59", False), ("2026-09-19T10:00:00", True), ("2026-09-20T15:00:00", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "zone",
    ["Europe/Paris", "Indian/Reunion", "America/Guadeloupe", "America/Martinique", "America/Cayenne", "Indian/Mayotte",
     "Pacific/Noumea", "Pacific/Tahiti", "America/Miquelon", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"],
)  # fmt: skip
def test_the_hours_are_those_of_the_persons_clock(text, zone, fires):
    assert codes(asked(text, zone)) == (WINDOW if fires else [])


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        # The last Sunday of March and of October: Paris moves, La Réunion and the Antilles do not.
        ("2026-03-27T09:00:00Z", "Europe/Paris", []), ("2026-03-27T08:59:59Z", "Europe/Paris", WINDOW),
        ("2026-03-30T08:00:00Z", "Europe/Paris", []), ("2026-03-30T07:59:59Z", "Europe/Paris", WINDOW),
        ("2026-10-23T17:59:59Z", "Europe/Paris", []), ("2026-10-23T18:00:00Z", "Europe/Paris", WINDOW),
        ("2026-10-26T18:59:59Z", "Europe/Paris", []), ("2026-10-26T19:00:00Z", "Europe/Paris", WINDOW),
        ("2026-10-23T06:00:00Z", "Indian/Reunion", []), ("2026-10-26T06:00:00Z", "Indian/Reunion", []),
        ("2026-10-26T14:00:00Z", "America/Guadeloupe", []), ("2026-10-26T13:59:59Z", "America/Guadeloupe", WINDOW),
        # One day here, another there.
        ("2026-09-19T01:00:00Z", "America/Guadeloupe", WINDOW), ("2026-09-18T23:30:00Z", "America/Guadeloupe", []),
        ("2026-09-20T23:30:00Z", "Pacific/Noumea", []), ("2026-09-14T01:00:00Z", "Pacific/Tahiti", WINDOW),
        # Miquelon changes its clock with North America.
        ("2026-03-09T12:00:00Z", "America/Miquelon", []), ("2026-03-06T12:30:00Z", "America/Miquelon", WINDOW),
    ],
)  # fmt: skip
def test_clock_changes_and_date_lines(at, zone, expected):
    assert codes(bent(at, zone=zone, permissions=(ALWAYS,))) == expected


@pytest.mark.parametrize(
    "zone", [None, "", "+33", "Europe/Atlantis", "Europe", "../etc/passwd", "/etc/localtime", "localtime", "Factory", "paris",
             "posix/Europe/Paris", "right/Europe/Paris", "Europe/Paris\x00", "Éurope/Paris", "posixrules"],
)  # fmt: skip
def test_an_unknown_zone_refuses(zone):
    assert codes(bent(zone=zone)) == WINDOW
    assert "fuseau horaire" in why(bent(zone=zone), "CALL-WINDOW")
    assert codes(bent(zone=zone, channel="email")) == []


def national_days(year):
    """The eleven days of C. trav. L.3133-1, with Easter worked out apart (Gauss, Meeus)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * week) // 451
    easter = date(year, (h + week - 7 * m + 114) // 31, (h + week - 7 * m + 114) % 31 + 1)
    fixed = {date(year, *day) for day in ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))}
    return fixed | {easter + timedelta(days=days) for days in (1, 39, 50)}, easter


@pytest.mark.parametrize("year", range(2023, 2101))
def test_the_holidays_are_those_of_the_labour_code_and_no_others(year):
    days, easter = national_days(year)
    assert set(holidays_of(year, alsace_moselle=False)) == days
    extra = {easter - timedelta(days=2), date(year, 12, 26)}
    assert set(holidays_of(year, alsace_moselle=True)) == days | extra


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2027-03-29", "Lundi de Pâques"), ("2026-05-14", "Ascension"), ("2026-05-25", "Lundi de Pentecôte"),
        ("2027-01-01", "Jour de l'an"), ("2026-05-01", "Fête du Travail"), ("2028-05-08", "Fête de la Victoire"),
        ("2026-07-14", "Fête nationale"), ("2028-08-15", "Assomption"), ("2027-11-01", "Toussaint"),
        ("2026-11-11", "Armistice"), ("2026-12-25", "Noël"), ("2035-05-03", "Ascension"),
    ],
)  # fmt: skip
def test_each_holiday_refuses_and_is_named(day, name):
    check = asked(f"{day}T11:00:00")
    assert codes(check) == WINDOW
    assert f"jour férié ({name})" in why(check, "CALL-WINDOW")
    assert codes(bent(check=check, channel="sms")) == []
    following = date.fromisoformat(day) + timedelta(days=1)
    if following.weekday() < 5 and holiday(following) is None:
        assert codes(asked(f"{following}T11:00:00")) == []


def test_two_holidays_on_one_day_are_one():
    assert holiday(date(2008, 5, 1)) in {"Ascension et Fête du Travail", "Fête du Travail et Ascension"}


def test_a_holiday_is_a_day_on_the_persons_clock():
    # 11 November 23:30 in Paris is the 12th, 09:30 in Nouméa; 12 November 00:30 in Paris is still the 11th in Guadeloupe.
    assert codes(bent("2026-11-11T23:30:00Z", zone="Pacific/Noumea", permissions=(ALWAYS,))) == []
    assert codes(bent("2026-11-11T23:30:00Z", zone="America/Guadeloupe", permissions=(ALWAYS,))) == WINDOW
    assert codes(bent("2026-11-10T23:30:00Z", zone="Pacific/Noumea", permissions=(ALWAYS,))) == WINDOW


def test_days_that_are_no_holiday_of_the_labour_code():
    for day in (
        "2026-04-03",
        "2028-12-26",
        "2026-05-27",
        "2027-05-27",
        "2026-06-10",
        "2028-12-20",
        "2026-12-24",
        "2026-12-31",
    ):
        assert codes(asked(f"{day}T11:00:00")) == [], day


def test_alsace_moselle_is_a_setting():
    there = SendingSettings(alsace_moselle=True)
    for day in ("2026-04-03", "2028-12-26"):
        assert codes(asked(f"{day}T11:00:00", settings=there)) == WINDOW
    assert codes(asked("2026-12-28T11:00:00", settings=there)) == []
    assert holiday(date(2026, 4, 3)) is None
    assert holiday(date(2026, 4, 3), alsace_moselle=True) == "Vendredi saint"


def test_a_library_that_lost_or_renamed_a_holiday_refuses_instead_of_opening_a_day(monkeypatch):
    real = holidays.country_holidays

    def renamed(*args, **options):
        days = real(*args, **options)
        days.pop(date(2031, 5, 8))
        return days

    monkeypatch.setattr(hours.holidays, "country_holidays", renamed)
    holidays_of.cache_clear()
    with pytest.raises(IntegrityError):
        holidays_of(2031, alsace_moselle=False)
    assert codes(asked("2031-05-07T11:00:00")) == WINDOW
    monkeypatch.undo()
    assert codes(asked("2031-05-07T11:00:00")) == []


def test_all_names_are_known():
    assert {n for name in holidays_of(2027, alsace_moselle=False).values() for n in name.split(" et ")} == NATIONAL


@pytest.mark.parametrize(
    ("minutes", "allowed"),
    [(0, True), (30, True), (-30, True), (30.00002, False), (-30.00002, False), (60, False), (24 * 60, False)],
)
def test_an_appointment_allows_thirty_minutes_around_it(minutes, allowed):
    at = instant("2026-09-20T09:00:00Z")  # a Sunday
    check = bent(at, appointment=at + timedelta(minutes=minutes))
    assert codes(check) == ([] if allowed else WINDOW)


def test_an_appointment_is_an_instant_and_needs_no_zone_but_closes_no_hours():
    sunday = instant("2026-09-20T09:00:00Z")
    assert codes(bent(sunday, zone=None, appointment=sunday)) == []
    assert codes(bent(appointment=sunday)) == []  # a working Tuesday stays allowed
    narrow = SendingSettings(appointment_tolerance=timedelta(minutes=5))
    assert codes(bent(sunday, appointment=sunday + timedelta(minutes=6), settings=narrow)) == WINDOW


def test_automated_calls_keep_the_hours_by_a_setting():
    sunday = bent("2026-09-20T09:00:00Z", channel="automated_call")
    assert codes(sunday) == WINDOW
    assert codes(bent(check=sunday, settings=SendingSettings(automated_calls_keep_hours=False))) == []
    assert codes(bent("2026-09-20T09:00:00Z", settings=SendingSettings(automated_calls_keep_hours=False))) == WINDOW


@pytest.mark.parametrize("channel", ["email", "sms", "post", "push", "social", "tracker"])
def test_other_channels_have_no_hours(channel):
    assert codes(bent("2026-12-25T03:00:00Z", channel=channel)) == []


def test_the_rule_is_law_since_march_2023():
    sunday = {"permissions": (ALWAYS,), "zone": "Europe/Paris"}
    assert codes(bent("2023-02-26T11:00:00Z", **sunday)) == []
    assert codes(bent("2023-02-28T22:59:59.999Z", **sunday)) == []  # 23:59:59 in Paris
    assert codes(bent("2023-02-28T23:00:00Z", **sunday)) == WINDOW
    assert codes(bent("2023-03-05T11:00:00Z", **sunday)) == WINDOW


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "9000-01-05T10:30:00Z", "5000-06-01T09:00:00Z"])
def test_beyond_the_calendars_it_refuses(at):
    assert codes(bent(at, permissions=(ALWAYS,))) == WINDOW
    assert codes(bent(at, zone="Pacific/Kiritimati", permissions=(ALWAYS,))) == WINDOW


def test_an_answer_ends_with_the_hours_that_allowed_it():
    assert judge(CALL).holds_until == at_local("2026-09-15T13:00", "Europe/Paris")
    assert judge(asked("2026-09-15T19:55:00", "Indian/Reunion")).holds_until == at_local(
        "2026-09-15T20:00", "Indian/Reunion"
    )
    sunday = instant("2026-09-20T09:00:00Z")
    assert judge(bent(sunday, appointment=sunday)).holds_until == sunday + timedelta(minutes=30)
    far = bent(appointment=sunday)  # an appointment another day neither shortens nor prolongs
    assert judge(far).holds_until == at_local("2026-09-15T13:00", "Europe/Paris")
    assert judge(bent(channel="email")).holds_until == CALL.permissions[0].valid_until


ZONES = st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Guadeloupe", "Pacific/Noumea", "America/Miquelon"])


@given(st.datetimes(datetime(2023, 3, 2), datetime(2099, 12, 30)), ZONES)  # noqa: DTZ001 - hypothesis wants naive bounds
def test_the_window_equals_its_definition(moment, zone):
    """Against the article read again: wall clock, weekday, eleven days."""
    at = moment.replace(tzinfo=UTC)
    wall = at.astimezone(zone_of(zone))
    minutes = wall.hour * 60 + wall.minute
    open_ = (600 <= minutes < 780 or 840 <= minutes < 1200) and wall.isoweekday() <= 5
    expected = open_ and wall.date() not in national_days(wall.year)[0]
    assert (codes(bent(at, zone=zone, permissions=(ALWAYS,))) == []) is expected
