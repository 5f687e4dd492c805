"""The other rules one by one, the catalogue, and what each says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sending_world import CALL, GRANT, NOON, bent, codes, duty, why

from services.rights_handler.sending.book import CATALOGUE, find, judge, on
from services.rights_handler.sending.model import Check
from services.rights_handler.sending.permission_rules import notice_due_at
from shared.contracts.types import instant

COLLECTED = GRANT.collected_at
MS = timedelta(milliseconds=1)
EMAIL = replace(CALL, channel="email")


def mail(grant=None, **more):
    return bent(check=EMAIL, grant=grant or {}, **more)


# The catalogue


def test_the_catalogue_is_in_the_documented_order():
    assert [rule.code for rule in CATALOGUE] == [
        "STOPPED", "NO-GRANT", "CALL-WINDOW", "CALL-FREQUENCY", "ART14-OVERDUE", "REOPEN-UNCONFIRMED", "UNREACHABLE",
        "PERMISSION-STALE",
    ]  # fmt: skip


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.code)
def test_each_rule_says_what_it_is(rule):
    for text in (rule.title_fr, rule.title_en, rule.cure_fr, rule.cure_en, rule.source):
        assert len(text) > 5
        assert "  " not in text
    assert rule.title_fr != rule.title_en
    assert rule.cure_fr != rule.cure_en
    assert rule.confidence in {"primary", "reported"}
    assert (rule.phase, rule.effect) == ("sending", "refused")
    assert find(rule.code) is rule


def test_confidence_and_dates():
    assert {rule.code for rule in CATALOGUE if rule.confidence == "reported"} == {"CALL-WINDOW", "CALL-FREQUENCY"}
    dated = {rule.code: rule.applies_from for rule in CATALOGUE if rule.applies_from is not None}
    assert dated == {
        "CALL-WINDOW": date(2023, 3, 1), "CALL-FREQUENCY": date(2023, 3, 1), "ART14-OVERDUE": date(2018, 5, 25),
    }  # fmt: skip
    assert all(rule.applies_until is None for rule in CATALOGUE)
    assert {r.code for r in CATALOGUE if r.of_permission} == {"STOPPED", "ART14-OVERDUE", "REOPEN-UNCONFIRMED"}


def test_the_law_of_a_day():
    assert len(on(date(2018, 5, 24))) == 5
    assert len(on(date(2018, 5, 25))) == 6
    assert len(on(date(2023, 2, 28))) == 6
    assert len(on(date(2023, 3, 1))) == 8
    ended = replace(CATALOGUE[0], applies_until=date(2027, 1, 1))
    assert [ended.in_force(date(2026, 12, 31)), ended.in_force(date(2027, 1, 1))] == [True, False]
    assert find("NOPE") is None


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2018-05-24T12:00:00Z", "9999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("channel", ["call", "email"])
def test_on_no_day_of_the_calendar_is_nothing_needed(channel, at):
    moment = instant(at)
    assert "NO-GRANT" in codes(Check(channel, moment, "Europe/Paris"))
    assert codes(Check(channel, moment, "Pacific/Niue", stops=(moment,)))[:2] == ["STOPPED", "NO-GRANT"]


# STOPPED


@pytest.mark.parametrize(
    ("stop", "fires"),
    [
        (COLLECTED - MS, False), (COLLECTED, True), (COLLECTED + MS, True), (NOON - MS, True), (NOON, True), (NOON + MS, False),
    ],
)  # fmt: skip
def test_a_stop_counts_from_the_grant_to_the_check(stop, fires):
    assert codes(mail({"stops": (stop,)})) == (["STOPPED"] if fires else [])


def test_a_stop_counts_from_receipt_where_the_collectors_clock_is_ahead():
    grant = {"stops_from": COLLECTED - timedelta(hours=1), "stops": (COLLECTED - timedelta(minutes=30),)}
    assert codes(mail(grant)) == ["STOPPED"]


def test_without_a_grant_both_are_said():
    assert codes(mail(permissions=(), stops=(NOON,))) == ["STOPPED", "NO-GRANT"]
    assert codes(mail(permissions=(), stops=(NOON + MS,))) == ["NO-GRANT"]


def test_with_an_ended_grant():
    ended = {"valid_until": NOON - timedelta(days=1)}
    assert codes(mail(ended)) == ["NO-GRANT"]
    assert codes(mail({**ended, "stops": (NOON,)})) == ["STOPPED", "NO-GRANT"]
    assert codes(mail({**ended, "stops": (COLLECTED - MS,), "confirmed": False})) == ["NO-GRANT"]


def test_a_grant_of_the_future_is_none_yet():
    later = {"collected_at": NOON + MS, "stops": (NOON,)}
    assert codes(mail(later)) == ["NO-GRANT"]
    assert codes(mail(later, stops=(NOON,))) == ["STOPPED", "NO-GRANT"]


def test_why_a_stop_names_the_last_one():
    text = why(mail({"stops": (COLLECTED, instant("2026-09-14T20:00:30Z"), NOON + MS)}), "STOPPED")
    assert "lundi 14 septembre 2026 à 22 h 00 min 30 s (heure de Paris)" in text


# NO-GRANT


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        (COLLECTED - MS, False), (COLLECTED, True), (GRANT.valid_until - MS, True), (GRANT.valid_until, False),
    ],
)  # fmt: skip
def test_from_included_until_excluded(at, allowed):
    assert codes(mail(at=at)) == ([] if allowed else ["NO-GRANT"])


def test_a_grant_may_have_no_end():
    assert codes(mail({"valid_until": None}, at=datetime(2999, 1, 1, tzinfo=UTC))) == []


def test_why_no_grant_tells_an_end_where_there_was_one():
    assert "a pris fin le jeudi 19 août 2027 à 2 h 00" in why(mail(at=GRANT.valid_until), "NO-GRANT")
    assert why(mail(permissions=()), "NO-GRANT").startswith("Aucun accord valable")
    assert why(mail(at=COLLECTED - MS), "NO-GRANT").startswith("Aucun accord valable")


# REOPEN-UNCONFIRMED


@pytest.mark.parametrize(("confirmed", "fires"), [(False, True), (True, False), (None, False)])
def test_only_what_is_known_to_be_unconfirmed_is_held(confirmed, fires):
    held = mail({"confirmed": confirmed, "stops": (COLLECTED - MS,)})
    assert codes(held) == (["REOPEN-UNCONFIRMED"] if fires else [])
    assert codes(mail({"confirmed": confirmed})) == []


def test_an_older_and_a_newer_stop_are_both_said():
    both = mail({"confirmed": False, "stops": (COLLECTED - MS, COLLECTED)})
    assert codes(both) == ["STOPPED", "REOPEN-UNCONFIRMED"]
    assert "jeudi 20 août 2026 à 9 h 59 min 59 s" in why(both, "REOPEN-UNCONFIRMED")


def test_one_permission_free_of_faults_is_enough():
    held = replace(GRANT, confirmed=False, stops=(COLLECTED - MS,), record="held")
    stopped = replace(GRANT, stops=(NOON,), record="stopped")
    good = replace(GRANT, collected_at=NOON - MS, stops=(COLLECTED,), confirmed=True, record="good")
    assert codes(mail(permissions=(held, stopped))) == ["STOPPED", "REOPEN-UNCONFIRMED"]
    for order in ((held, stopped, good), (good, stopped, held)):
        answer = judge(mail(permissions=order))
        assert (answer.allowed, answer.permission) == (True, good)
    assert codes(mail(permissions=(held, replace(good, valid_until=NOON)))) == ["REOPEN-UNCONFIRMED"]


# ART14-OVERDUE


def owed(at=NOON, **more):
    return mail({"duty": duty(**more)}, at=at)


def test_within_the_month_the_message_carries_the_notice():
    answer = judge(owed())
    assert (answer.allowed, answer.attach_notice) == (True, True)
    assert answer.holds_until == instant("2026-10-01T08:00:00Z")


@pytest.mark.parametrize(
    ("at", "fires"),
    [("2026-10-01T07:59:59.999Z", False), ("2026-10-01T08:00:00.000Z", False), ("2026-10-01T08:00:00.001Z", True)],
)
def test_the_month_is_over_the_instant_after(at, fires):
    assert codes(owed(instant(at))) == (["ART14-OVERDUE"] if fires else [])


def test_a_month_without_the_day_ends_on_its_last():
    assert notice_due_at(duty("2026-01-31T08:00:00Z")) == instant("2026-02-28T08:00:00Z")


@pytest.mark.parametrize("what", ["contacted_at", "disclosed_at"])
@pytest.mark.parametrize(
    ("when", "fires"), [(NOON - MS, True), (NOON, True), (NOON + MS, False)], ids=["before", "same", "after"]
)
def test_contact_and_disclosure_end_the_delay(what, when, fires):
    check = mail({"duty": replace(duty(), **{what: when})})
    assert codes(check) == (["ART14-OVERDUE"] if fires else [])


def test_a_notice_given_settles_it_from_its_instant():
    late = "2026-12-01T09:00:00Z"
    given = owed(
        instant(late), notice_at=late, contacted_at="2026-09-02T00:00:00Z", disclosed_at="2026-09-02T00:00:00Z"
    )
    assert codes(given) == []
    assert judge(given).attach_notice is False
    assert codes(bent(check=given, at=instant(late) - MS)) == ["ART14-OVERDUE"]


def test_nothing_is_owed_by_who_collected_the_data_itself():
    answer = judge(mail())
    assert (answer.allowed, answer.attach_notice) == (True, False)


def test_a_permission_whose_notice_was_given_is_preferred():
    owes = replace(GRANT, duty=duty(), valid_until=None, record="owes")
    free = replace(GRANT, duty=duty(notice_at="2026-09-02T08:00:00Z"), record="free")
    answer = judge(mail(permissions=(owes, free)))
    assert (answer.permission.record, answer.attach_notice) == ("free", False)
    longer = replace(free, valid_until=None, record="longer")
    assert judge(mail(permissions=(free, longer, owes))).permission.record == "longer"


def test_the_duty_is_law_since_the_gdpr():
    def at(text):
        return mail(
            {"collected_at": instant("2018-01-01T00:00:00Z"), "duty": duty("2018-01-01T00:00:00Z")}, at=instant(text)
        )

    assert codes(at("2018-05-24T21:59:59.999Z")) == []
    assert codes(at("2018-05-24T22:00:00Z")) == ["ART14-OVERDUE"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "obtenues le mardi 1er septembre 2026 à 10 h 00 (heure de Paris), il y a plus d'un mois"),
        ({"contacted_at": "2026-09-03T08:00:00Z"}, "un premier contact a eu lieu le jeudi 3 septembre 2026"),
        ({"disclosed_at": "2026-09-04T08:00:00Z"}, "transmises à un tiers le vendredi 4 septembre 2026"),
    ],
)
def test_why_the_information_is_late(more, said):
    assert said in why(owed(instant("2026-11-01T00:00:00Z"), **more), "ART14-OVERDUE")


def test_no_duty_is_told_where_there_is_no_right_to_send_at_all():
    ended = {"valid_until": COLLECTED + MS, "duty": duty()}
    assert codes(mail(ended, at=instant("2026-11-01T00:00:00Z"))) == ["NO-GRANT"]


# UNREACHABLE, PERMISSION-STALE


def test_what_cannot_be_known_is_no():
    assert codes(mail(unreachable=True)) == ["UNREACHABLE"]
    assert "c'est non" in why(mail(unreachable=True), "UNREACHABLE")


@pytest.mark.parametrize(
    ("age", "fires"),
    [
        (timedelta(), False),
        (timedelta(minutes=15), False),
        (timedelta(minutes=15) + MS, True),
        (-timedelta(hours=1), False),
    ],
)
def test_an_answer_lives_fifteen_minutes(age, fires):
    check = mail(answered_at=NOON - age)
    assert codes(check) == (["PERMISSION-STALE"] if fires else [])
    if fires:
        assert "15 minutes" in why(check, "PERMISSION-STALE")


def test_all_reasons_are_given_in_catalogue_order():
    sunday = instant("2026-09-20T09:00:00Z")
    attempts = tuple(sunday - timedelta(days=d) for d in (1, 2, 3, 4))
    check = bent(
        sunday, grant={"stops": (COLLECTED, COLLECTED - MS), "confirmed": False, "duty": duty("2026-08-01T00:00:00Z")},
        attempts=attempts, unreachable=True, answered_at=sunday - timedelta(hours=1),
    )  # fmt: skip
    expected = [rule.code for rule in CATALOGUE if rule.code != "NO-GRANT"]
    assert codes(check) == expected
    assert not judge(check).allowed
