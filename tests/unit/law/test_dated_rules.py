"""The law changes at midnight in Paris: each dated rule on both sides of its day, at collection and at use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from law_world import bend, call, decision, event, one

from services.consent_validator.rules.book import STANDARD, RuleBook
from services.consent_validator.rules.days import add_months, end_of, paris_day, start_of
from services.consent_validator.rules.model import CALL_CONSENT, RuleSettings
from shared.contracts.types import instant


def rules_on(day: date) -> set[str]:
    return {rule.code for rule in STANDARD.on(day)}


def test_the_law_of_a_day() -> None:
    phone = {"PHONE-STATEMENTS", "PHONE-PERIOD", "PHONE-OBJECT"}
    assert not phone & rules_on(date(2026, 8, 10))
    assert phone <= rules_on(date(2026, 8, 11))
    assert "SECTOR-BANNED" not in rules_on(date(2020, 7, 25))
    assert "SECTOR-BANNED" in rules_on(date(2020, 7, 26))
    assert rules_on(date(2018, 5, 24)) == {"CHANNEL-UNCOVERED", "SOFT-TRANSFER", "SOFT-CONDITIONS"}


@pytest.mark.parametrize(
    ("collected", "at", "basis", "fires"),
    [
        ("2026-08-10T21:59:59.999Z", None, "legitimate_interest", False),  # 23:59:59.999 in Paris
        ("2026-08-10T22:00:00.000Z", None, "consent", True),  # midnight in Paris
        ("2026-08-10T21:59:59.999Z", "2026-08-10T21:59:59.999Z", "legitimate_interest", False),
        ("2026-08-10T21:59:59.999Z", "2026-08-10T22:00:00.000Z", "consent", True),  # collected before, used after
    ],
)
def test_calls_need_consent_from_11_august_2026(collected: str, at: str | None, basis: str, *, fires: bool) -> None:
    data = event(
        "call-last-second-of-10-august-in-paris", collected_at=collected, decisions=[call(object=None)],
    )  # fmt: skip
    data["recipient_list"]["displayed_at"] = collected
    line = one(data, at=at, received_at=collected)
    assert line.basis == basis
    assert ("PHONE-OBJECT" in line.reasons) is fires
    assert ("PHONE-STATEMENTS" in line.reasons) is fires


def test_what_rests_on_the_old_law_of_calls_ends_with_it() -> None:
    data = event("call-last-second-of-10-august-in-paris")
    assert one(data).valid_until == "2026-08-10T22:00:00.000Z"


def test_press_needs_no_consent_whatever_the_act() -> None:
    for value in ("granted", "not_objected"):
        data = event("press-call-without-consent")
        data["decisions"] = [{**data["decisions"][0], "value": value}]
        line = one(data, source="merle-cendre")
        assert (line.verdict, line.basis) == ("valid", "press_exemption")
    data["decisions"] = [{**data["decisions"][0], "value": "refused"}]
    assert one(data, source="merle-cendre").reasons == ("REFUSED",)


@pytest.mark.parametrize(
    ("sector", "channel", "day", "banned"),
    [
        ("energy_renovation", "call", "2020-07-26", True),
        ("energy_renovation", "automated_call", "2020-07-26", True),
        ("energy_renovation", "email", "2020-07-26", False),
        ("energy_renovation", "email", "2025-07-01", False),
        ("energy_renovation", "email", "2025-07-02", True),
        ("energy_renovation", "push", "2025-07-02", True),
        ("energy_renovation", "post", "2026-09-01", False),
        ("housing_adaptation", "call", "2026-08-10", False),
        ("housing_adaptation", "call", "2026-08-11", True),
        ("housing_adaptation", "sms", "2025-07-01", False),
        ("housing_adaptation", "sms", "2025-07-02", True),
        ("cpf_training", "email", "2022-12-20", False),
        ("cpf_training", "email", "2022-12-21", True),
        ("cpf_training", "social", "2022-12-21", True),
        ("cpf_training", "automated_call", "2022-12-21", True),
        ("cpf_training", "post", "2026-09-01", False),
        ("general", "call", "2026-09-01", False),
    ],
)
def test_banned_sectors(sector: str, channel: str, day: str, *, banned: bool) -> None:
    """On each side of Paris midnight; also for what was collected the day before and is used on the day."""
    midnight = start_of(date.fromisoformat(day))
    collected = midnight.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = event(collected_at=collected, decisions=[decision(channel, sector=sector)])
    assert ("SECTOR-BANNED" in one(data).reasons) is banned
    if banned:
        before = event(collected_at="2020-01-01T00:00:00.000Z", decisions=[decision(channel, sector=sector)])
        assert "SECTOR-BANNED" in one(before, at=collected).reasons
        professional = {**data, "audience": "professional"}
        assert "SECTOR-BANNED" not in one(professional).reasons


def test_the_last_millisecond_before_a_ban() -> None:
    data = event(collected_at="2025-07-01T21:59:59.999Z", decisions=[decision(sector="energy_renovation")])
    assert "SECTOR-BANNED" not in one(data).reasons
    assert "SECTOR-BANNED" in one(data, at="2025-07-01T22:00:00.000Z").reasons


def test_housing_calls_are_a_setting() -> None:
    data = event(collected_at="2025-07-01T10:00:00.000Z", decisions=[decision("call", sector="housing_adaptation")])
    assert "SECTOR-BANNED" not in one(data).reasons
    book = RuleBook(RuleSettings(housing_calls_banned_from=date(2025, 7, 1)))
    assert "SECTOR-BANNED" in one(data, book=book).reasons


@pytest.mark.parametrize(
    ("collected", "held"),
    [
        ("2025-12-31T22:59:59.999Z", False),  # still 31 December in Paris
        ("2025-12-31T23:00:00.000Z", True),
        ("2026-12-31T22:59:59.999Z", True),
        ("2026-12-31T23:00:00.000Z", False),
    ],
)
def test_agreement_days_are_paris_days_both_included(collected: str, *, held: bool) -> None:
    view = bend("form:jeu-tilleuls:1", lambda d: d.update(published_at="2020-01-01T00:00:00Z"))
    data = event(collected_at=collected)
    assert ("AGREEMENT-MISSING" not in one(data, view=view).reasons) is held


def test_valid_until_is_a_whole_day_in_paris_cut_for_calls() -> None:
    mail = event(decisions=[decision(valid_until="2026-07-31")])
    assert one(mail).valid_until == "2026-07-31T22:00:00.000Z"
    assert one(mail, at="2026-07-31T21:59:59.999Z").verdict == "valid"
    assert one(mail, at="2026-07-31T22:00:00.000Z").reasons == ("EXPIRED",)
    phone = event(collected_at="2026-08-20T10:00:00.000Z", decisions=[call(valid_until="2027-08-20")])
    assert one(phone).valid_until == "2027-08-20T10:00:00.000Z"  # 365 days, not the end of that day
    assert one(phone, at="2027-08-20T10:00:00.000Z").reasons == ("EXPIRED",)


def test_a_stated_period_is_cut_for_a_professionals_calls_too() -> None:
    data = event("b2b-call")
    data["decisions"] = [{**data["decisions"][0], "valid_until": "2030-01-01"}]
    assert one(data, source="comparlune").valid_until == "2027-09-07T08:10:00.000Z"
    data["decisions"] = [{**data["decisions"][0], "valid_until": None}]
    assert one(data, source="comparlune").valid_until == "2029-09-07T08:10:00.000Z"


def test_the_period_of_calls_counts_from_the_day_in_paris() -> None:
    late = event(collected_at="2026-08-20T22:30:00.000Z", decisions=[call(valid_until="2027-08-21")])
    assert one(late).reasons == ()  # collected on the 21st in Paris
    early = event(collected_at="2026-08-20T21:30:00.000Z", decisions=[call(valid_until="2027-08-21")])
    assert one(early).reasons == ("PHONE-PERIOD",)


def test_days_and_months_in_paris() -> None:
    assert paris_day(instant("2026-03-28T23:00:00Z")) == date(2026, 3, 29)
    assert start_of(date(2026, 3, 30)) == datetime(2026, 3, 29, 22, tzinfo=UTC)  # summer time since the 29th
    assert end_of(date(2026, 10, 24)) == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert end_of(date(2026, 10, 25)) == datetime(2026, 10, 25, 23, tzinfo=UTC)  # a day of 25 hours
    assert add_months(instant("2026-08-31T10:00:00Z"), 6) == instant("2027-02-28T11:00:00Z")
    assert add_months(instant("2024-02-29T11:00:00Z"), 36) == instant("2027-02-28T11:00:00Z")
    assert end_of(date.max) > start_of(date(9998, 1, 1))


def test_rules_that_ended_still_judge_what_was_collected_under_them() -> None:
    rule = next(r for r in STANDARD.catalogue if r.code == "PHONE-OBJECT")
    ended = RuleBook(catalogue=(replace(rule, applies_until=date(2027, 1, 1)),))
    under = event(collected_at="2026-08-20T10:00:00.000Z", decisions=[call(object=None)])
    assert one(under, at="2027-02-01T00:00:00Z", book=ended).reasons == ("PHONE-OBJECT",)
    after = event(collected_at="2027-02-01T10:00:00.000Z", decisions=[call(object=None)])
    assert one(after, book=ended).reasons == ()
    assert date(2026, 8, 11) == CALL_CONSENT
