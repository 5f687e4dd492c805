"""The permission check as a fold of what is stored: the public sending cases whole, then its own edges."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rights_world import PERSON, PERSONS, RECORD, make_grant, make_line, make_stop

from services.rights_handler.permissions import Question, check, end_of, ever_granted
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from services.rights_handler.rows import scope_of
from shared.contracts.types import instant

CASES = [json.loads(line) for line in Path("tests/cases/sending.jsonl").read_text().splitlines()]
EMAIL, PHONE = (PERSONS.contact_key(*contact) for contact in PERSON.contacts)
KEYS = frozenset([EMAIL])
TOLD = Reported([Notice(RECORD, "canalvert", "2026-09-15T00:00:00.000Z")])
"""The information of RGPD 14 was given: what most tests are not about."""


def question(recipient="canalvert", channel="email", at="2026-12-01T00:00:00.000Z", **more):
    return Question(**({
        "contact_keys": KEYS, "recipient": recipient, "channel": channel, "purpose": "prospecting", "sector": "general",
        "at": at,
    } | more))  # fmt: skip


def ask(asked, grants, stops=(), reported=TOLD, **more):
    return check(asked, grants, stops, reported, **more)


def codes(*args, **more):
    return ask(*args, **more).codes


def attempt(at, *, source="canalvert", record=RECORD, keys=(), channel="call", outcome="answered"):
    return Attempt(source, channel, at, record, frozenset(keys), outcome)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_public_cases(case):
    asked, who, stops = case["check"], case["recipient"], []
    for number, given in enumerate(asked["stops"]):
        scope = {name: scope_of(given.get(name, "all")) for name in ("recipients", "channels", "purposes")}
        stops.append(make_stop(f"x/{number}", at=given["at"], **scope))
    grants = []
    if asked["grant"] is not None:
        line = make_line(
            who, asked["channel"], purpose=asked["purpose"], sector=asked["sector"],
            valid_until=asked["grant"]["valid_until"],
        )  # fmt: skip
        collected = asked["grant"]["collected_at"]
        grants.append(make_grant(
            line, collected_at=collected, received_at=collected, confirmed=asked["grant"].get("confirmed", True)
        ))  # fmt: skip
    ruling = check(
        question(
            who, asked["channel"], asked["at"], purpose=asked["purpose"], sector=asked["sector"], zone=asked["zone"],
            appointment=None if asked["appointment"] is None else instant(asked["appointment"]),
        ),
        grants, stops,
        Reported(
            [Notice(RECORD, who, "2026-08-20T08:00:00.000Z")],
            attempts=[attempt(at, source=who, record=None, keys=KEYS) for at in asked["attempts"]],
        ),
    )  # fmt: skip
    assert ruling.codes == case["expect"]["must_have"]
    assert ruling.allowed is case["expect"]["allowed"]


# Which line


def test_yes_rests_on_a_line_of_a_record():
    ruling = ask(question(), [make_grant(make_line("assurbrelle"), make_line())])
    assert (ruling.allowed, ruling.grant.record, ruling.line) == (True, RECORD, make_line())
    assert ruling.answer.holds_until == instant("2029-09-14T08:31:07.120Z")
    refused = ask(question("televerveine"), [make_grant()])
    assert (refused.allowed, refused.grant, refused.line) == (False, None, None)


@pytest.mark.parametrize(
    "asked",
    [
        question("assurbrelle"), question(channel="sms"), question(purpose="ad_tracking"), question(sector="press"),
        question(at="2029-09-14T08:31:07.120Z"), question(at="2026-09-14T08:31:07.119Z"),
        question(contact_keys=frozenset(["p1.other"])), question(contact_keys=frozenset()),
    ],
)  # fmt: skip
def test_no_without_a_valid_line_for_exactly_this(asked):
    assert codes(asked, [make_grant(make_line())]) == ["NO-GRANT"]


@pytest.mark.parametrize("verdict", ["invalid", "review"])
def test_only_a_valid_line_permits(verdict):
    assert codes(question(), [make_grant(make_line(verdict=verdict, reasons=("X",)))]) == ["NO-GRANT"]


def test_within_one_event_refused_beats_granted():
    grant = make_grant(make_line(), make_line(value="refused", verdict="invalid", reasons=("REFUSED",)))
    assert codes(question(), [grant]) == ["NO-GRANT"]


def test_a_day_counts_whole_in_paris():
    assert end_of(make_line(valid_until="2027-09-13")) == instant("2027-09-13T22:00:00.000Z")
    assert end_of(make_line(valid_until="2027-01-13")) == instant("2027-01-13T23:00:00.000Z")
    assert end_of(make_line(valid_until=None)) is None
    assert codes(question(at="9999-01-01T00:00:00.000Z"), [make_grant(make_line(valid_until=None))]) == []


# Stops


def test_a_stop_by_a_linked_contact_counts():
    stop = make_stop(contact=PERSON.contacts[1])
    assert codes(question(), [make_grant(make_line())], [stop]) == ["STOPPED"]


def test_a_stop_is_not_yet_there_before_its_instant():
    assert ask(question(at="2026-10-01T00:00:00.000Z"), [make_grant(make_line())], [make_stop()]).allowed


def test_a_stop_counts_from_receipt_where_the_collectors_clock_is_ahead():
    grant = make_grant(make_line(), collected_at="2026-11-01T00:00:00.000Z", received_at="2026-09-14T08:31:07.900Z")
    assert codes(question(), [grant], [make_stop()]) == ["STOPPED"]


def test_one_of_two_consents_is_enough_and_the_confirmed_one_reopens():
    later = {"collected_at": "2026-11-20T00:00:00.000Z", "received_at": "2026-11-20T00:00:01.000Z"}
    old = make_grant(make_line())
    new = make_grant(make_line(), record="acme/new", confirmed=True, **later)
    held = make_grant(make_line(), record="acme/held", confirmed=False, **later)
    assert ask(question(), [old, new], [make_stop()]).grant.record == "acme/new"
    assert codes(question(), [old, held], [make_stop()]) == ["STOPPED", "REOPEN-UNCONFIRMED"]
    assert codes(question(), [held], [make_stop()]) == ["REOPEN-UNCONFIRMED"]


def test_a_stop_is_told_only_to_who_was_ever_given_the_person():
    everyone = make_stop()
    assert codes(question(), [], [everyone]) == ["NO-GRANT"]
    assert codes(question("televerveine"), [make_grant()], [everyone]) == ["NO-GRANT"]
    assert codes(question(channel="sms"), [make_grant()], [everyone]) == ["STOPPED", "NO-GRANT"]
    assert codes(question("acme"), [make_grant()], [everyone]) == ["STOPPED", "NO-GRANT"]  # it collected the person
    ended = make_grant(make_line(valid_until="2026-11-01"))
    assert codes(question(), [ended], [everyone]) == ["STOPPED", "NO-GRANT"]
    never = make_grant(make_line(verdict="invalid"))
    assert codes(question(), [never], [everyone]) == ["NO-GRANT"]
    assert codes(question(), [ended], [make_stop(channels=frozenset(["sms"]))]) == ["NO-GRANT"]


def test_ever_granted_looks_at_valid_lines_and_at_who_collected():
    assert ever_granted("canalvert", [make_grant(make_line("assurbrelle"), make_line("canalvert", "sms"))])
    assert ever_granted("acme", [make_grant(make_line("assurbrelle"))])
    assert not ever_granted(
        "canalvert", [make_grant(make_line("assurbrelle"), make_line("canalvert", verdict="review"))]
    )
    assert not ever_granted("canalvert", [])


# RGPD 14

AT = "2026-09-20T00:00:00.000Z"


def owed(*, at=AT, reported=None, **more):
    ruling = check(question(at=at, **more), [make_grant(make_line(), make_line("acme"))], [], reported or Reported())
    return ruling.codes, ruling.answer.attach_notice


def test_the_first_message_carries_the_notice_for_a_month():
    assert owed() == ([], True)
    assert owed(at="2026-10-14T08:31:07.900Z") == ([], True)
    assert owed(at="2026-10-14T08:31:07.901Z") == (["ART14-OVERDUE"], False)
    assert owed(recipient="acme", at="2026-12-01T00:00:00.000Z") == ([], False)  # who collected owes article 13, not 14


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        (Notice(RECORD, "canalvert", AT), ([], False)),
        (Notice(RECORD, "canalvert", "2026-09-20T00:00:00.001Z"), ([], True)),
        (Notice(RECORD, "assurbrelle", AT), ([], True)),
        (Notice("acme/other", "canalvert", AT), ([], True)),
    ],
)
def test_only_its_own_notice_for_this_record_settles(notice, expected):
    assert owed(reported=Reported([notice])) == expected


@pytest.mark.parametrize(
    ("one", "overdue"),
    [
        (attempt(AT), True), (attempt(AT, channel="email"), True), (attempt("2026-09-20T00:00:00.001Z"), False),
        (attempt(AT, outcome="no_answer"), False), (attempt(AT, outcome="bounced"), False), (attempt(AT, outcome="x"), True),
        (attempt(AT, source="assurbrelle"), False), (attempt(AT, record="acme/other"), False),
        (attempt(AT, record=None, keys=[EMAIL]), True), (attempt(AT, record=None, keys=[PHONE]), True),
        (attempt(AT, record=None, keys=["p1.other"]), False),
        (attempt("2026-09-01T00:00:00.000Z", record=None, keys=[EMAIL]), False),  # before it had these data
        (attempt(AT, record="acme/other", keys=[EMAIL]), False),  # under another record's right
    ],
)  # fmt: skip
def test_a_contact_without_notice_is_too_late(one, overdue):
    assert owed(reported=Reported(attempts=[one])) == ((["ART14-OVERDUE"], False) if overdue else ([], True))


@pytest.mark.parametrize(
    ("one", "overdue"),
    [
        (Disclosure(RECORD, "canalvert", "hibou", AT), True), (Disclosure(RECORD, "acme", "hibou", AT), False),
        (Disclosure("acme/other", "canalvert", "hibou", AT), False),
        (Disclosure(RECORD, "canalvert", "hibou", "2026-09-20T00:00:00.001Z"), False),
        (Disclosure(RECORD, "acme", "canalvert", "2026-08-19T00:00:00.000Z"), True),  # it had the data a month before
        (Disclosure(RECORD, "acme", "canalvert", "2026-09-19T00:00:00.000Z"), False),
    ],
)  # fmt: skip
def test_transfers_end_or_begin_the_delay(one, overdue):
    assert owed(reported=Reported(disclosures=[one])) == ((["ART14-OVERDUE"], False) if overdue else ([], True))


# Calls

TUESDAY = "2026-09-15T09:00:00.000Z"


def call(attempts, *, at=TUESDAY, callers=(), contact=PHONE, grants=None, **more):
    asked = question(channel="call", at=at, zone="Europe/Paris", contact_keys=frozenset([contact]), **more)
    grants = [make_grant(make_line(channel="call"))] if grants is None else grants
    return check(asked, grants, [], Reported(TOLD.notices, attempts=attempts), callers=callers).codes


def four(**more):
    return [attempt(f"2026-09-15T0{hour}:00:00.000Z", **more) for hour in range(1, 5)]


OFTEN = ["CALL-FREQUENCY"]


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        (four(), OFTEN), (four()[1:], []), (four(outcome="no_answer"), OFTEN), (four(channel="automated_call"), OFTEN),
        (four(channel="email"), []), (four(channel="sms"), []), (four(source="assurbrelle"), []),
        (four(record=None, keys=[PHONE]), OFTEN), (four(record=None, keys=[EMAIL]), OFTEN),  # the same person's
        (four(record=None, keys=["p1.other"]), []), (four(record="acme/other"), []),
        ([*four()[2:], *four(record=None, keys=[PHONE])[:2]], OFTEN),
    ],
)  # fmt: skip
def test_calls_to_the_person_are_counted_however_they_name_it(attempts, expected):
    assert call(attempts) == expected


def test_calls_of_who_calls_for_it_count():
    assert call(four(source="allocentre")) == []
    assert call(four(source="allocentre"), callers={"allocentre"}) == OFTEN
    assert call([*four()[2:], *four(source="allocentre")[2:]], callers={"allocentre"}) == OFTEN


def test_calls_count_without_any_grant():
    assert call(four(record=None, keys=[PHONE]), grants=[]) == ["NO-GRANT", "CALL-FREQUENCY"]


def test_the_zone_and_the_appointment_are_those_asked():
    sunday = "2026-09-20T09:00:00.000Z"
    assert call([], at=sunday) == ["CALL-WINDOW"]
    assert call([], at=sunday, appointment=datetime(2026, 9, 20, 9, 15, tzinfo=UTC)) == []
    assert call([], at="2026-09-15T06:30:00.000Z") == ["CALL-WINDOW"]
    asked = replace(question(channel="call", at="2026-09-15T06:30:00.000Z"), zone="Indian/Reunion")
    assert check(asked, [make_grant(make_line(channel="call"))], [], TOLD).codes == []
