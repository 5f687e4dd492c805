"""The permission check as a fold, on the public sending cases of the rules it decides and on its own edges."""

import json
from pathlib import Path

import pytest
from rights_world import PERSON, PERSONS, make_grant, make_line, make_stop

from services.rights_handler.permissions import Question, check, end_of
from services.rights_handler.rows import scope_of

DECIDED_HERE = {"STOPPED", "NO-GRANT", "REOPEN-UNCONFIRMED"}
CASES = [json.loads(line) for line in Path("tests/cases/sending.jsonl").read_text().splitlines()]
KEYS = frozenset([PERSONS.contact_key(*PERSON.contacts[0])])


def question(recipient="canalvert", channel="email", at="2026-12-01T00:00:00.000Z", **more):
    return Question(**({
        "contact_keys": KEYS, "recipient": recipient, "channel": channel, "purpose": "prospecting", "sector": "general",
        "at": at,
    } | more))  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_public_cases(case):
    asked, stops = case["check"], []
    for number, given in enumerate(asked["stops"]):
        scope = {name: scope_of(given.get(name, "all")) for name in ("recipients", "channels", "purposes")}
        stops.append(make_stop(f"x/{number}", at=given["at"], **scope))
    grants = []
    if asked["grant"] is not None:
        line = make_line(
            case["recipient"], asked["channel"], purpose=asked["purpose"], sector=asked["sector"],
            valid_until=asked["grant"]["valid_until"],
        )  # fmt: skip
        confirmed = asked["grant"].get("confirmed", True)
        collected = asked["grant"]["collected_at"]
        grants.append(make_grant(line, collected_at=collected, received_at=collected, confirmed=confirmed))
    ruling = check(
        question(case["recipient"], asked["channel"], asked["at"], purpose=asked["purpose"], sector=asked["sector"]),
        grants, stops,
    )  # fmt: skip
    expected = set(case["expect"]["must_have"]) & DECIDED_HERE
    assert set(ruling.reasons) == expected
    assert ruling.allowed is not bool(expected)


def test_yes_names_the_record_and_its_end():
    ruling = check(question(), [make_grant(make_line())], [])
    assert (ruling.allowed, ruling.record, ruling.valid_until) == (
        True, make_grant().record, "2029-09-14T08:31:07.120Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        question("assurbrelle"), question(channel="sms"), question(purpose="ad_tracking"), question(sector="press"),
        question(at="2029-09-14T08:31:07.120Z"), question(at="2026-09-14T08:31:07.119Z"),
        question(contact_keys=frozenset(["p1.other"])),
    ],
)  # fmt: skip
def test_no_without_a_valid_line_for_exactly_this(asked):
    assert check(asked, [make_grant(make_line())], []).reasons == ("NO-GRANT",)


def test_a_stop_by_a_linked_contact_counts():
    stop = make_stop(contact=PERSON.contacts[1])
    assert check(question(), [make_grant(make_line())], [stop]).reasons == ("STOPPED",)


def test_a_stop_is_not_yet_there_before_its_instant():
    assert check(question(at="2026-10-01T00:00:00.000Z"), [make_grant(make_line())], [make_stop()]).allowed


def test_a_stop_without_any_grant_is_said():
    assert check(question(), [], [make_stop()]).reasons == ("STOPPED",)
    assert check(question(), [], [make_stop(channels=frozenset(["sms"]))]).reasons == ("NO-GRANT",)


def test_one_of_two_consents_is_enough_and_the_confirmed_one_reopens():
    later = {"collected_at": "2026-11-01T00:00:00.000Z", "received_at": "2026-11-01T00:00:01.000Z"}
    old = make_grant(make_line())
    new = make_grant(make_line(), record="acme/new", confirmed=True, **later)
    held = make_grant(make_line(), record="acme/held", confirmed=False, **later)
    assert check(question(), [old, new], [make_stop()]).record == "acme/new"
    assert check(question(), [old, held], [make_stop()]).reasons == ("REOPEN-UNCONFIRMED", "STOPPED")


def test_a_day_counts_whole_in_paris():
    assert end_of(make_line(valid_until="2027-09-13")) == "2027-09-13T22:00:00.000Z"
    assert end_of(make_line(valid_until="2027-01-13")) == "2027-01-13T23:00:00.000Z"
