"""What the table keeps, and until when: on request, and when nobody asks."""

from dataclasses import replace

import pytest

from services.rights_handler.domain import Grant, Line, Stop
from services.rights_handler.erasing.holds import Hold, HoldReason, ScopeKind, held, next_look, scope_text, scopes_of
from services.rights_handler.erasing.model import Fate
from services.rights_handler.erasing.table import (
    TABLE,
    ends_at,
    first_look,
    kept_until,
    on_request,
    row_for,
    years_after,
)
from services.rights_handler.former import name_of

AT, NOW = "2026-09-14T08:31:07.120Z", "2026-12-01T00:00:00.000Z"
EMAIL = Line("canalvert", "email", "prospecting", "general", None, "granted", "valid", "consent", AT, None)
CONFIRMED = True
CALL = replace(EMAIL, channel="call", object="offres", valid_until="2027-09-13")


def grant(*lines, at=AT):
    return Grant(
        "acme/1",
        "000001.000000000001.x",
        "acme",
        "1",
        at,
        at,
        CONFIRMED,
        (),
        frozenset({"p1.a"}),
        "s1.a",
        "r",
        lines,
        b"x",
    )


def stop(at="2026-10-02T17:05:00.000Z", kind="withdrawal", **scope):
    return Stop("acme/s1", "acme", kind, at, frozenset({"p1.a"}), None, None, **scope)


def test_every_row_has_a_source_and_every_line_a_row():
    assert all(row.source and row.text_fr and row.text_en for row in TABLE)
    assert (TABLE[-1].channel, TABLE[-1].basis) == ("*", "*")
    assert len({row.code for row in TABLE}) == len(TABLE)
    for channel, basis, code in [
        ("call", "consent", "PHONE-PROOF"), ("call", "press_exemption", "OTHER"), ("email", "consent", "CONSENT"),
        ("automated_call", "consent", "CONSENT"), ("email", "soft_opt_in", "SOFT-OPT-IN"), ("post", "legitimate_interest", "OTHER"),
        ("tracker", "none", "OTHER"),
    ]:  # fmt: skip
        assert row_for(channel, basis).code == code


def test_an_email_consent_is_erased_and_a_telephone_one_is_restricted_for_three_years():
    assert on_request(grant(EMAIL), (), NOW) == Fate("erase")
    restricted = Fate("restrict", "2029-09-14T08:31:07.120Z", ("PHONE-PROOF",))
    assert on_request(grant(EMAIL, CALL), (), NOW) == restricted  # the longest of its lines
    assert on_request(grant(CALL), (), "2029-09-14T08:31:07.119Z") == restricted
    assert on_request(grant(CALL), (), "2029-09-14T08:31:07.120Z") == Fate("erase")


@pytest.mark.parametrize(
    "line", [replace(CALL, verdict="invalid"), replace(CALL, verdict="review"), replace(CALL, basis="press_exemption")]
)
def test_a_call_that_was_never_permitted_by_consent_proves_nothing_to_keep(line):
    assert on_request(grant(line), (), NOW) == Fate("erase")


def test_a_call_that_an_earlier_verdict_permitted_is_proof_still():
    invalid = replace(CALL, verdict="invalid")
    assert on_request(grant(invalid), {name_of(CALL)}, NOW).outcome == "restrict"
    assert on_request(grant(EMAIL), {name_of(CALL)}, NOW).outcome == "restrict"  # its line is gone altogether


def test_a_line_ends_at_its_last_day_or_at_the_first_lasting_stop_that_covers_it():
    record = grant(CALL)
    assert ends_at(record, CALL, (), ()) == "2027-09-13T22:00:00.000Z"  # the whole day, in Paris
    assert ends_at(record, CALL, [stop(), stop("2026-10-05T00:00:00.000Z")], ()) == "2026-10-02T17:05:00.000Z"
    assert ends_at(record, CALL, [stop(channels=frozenset({"sms"}))], ()) == "2027-09-13T22:00:00.000Z"
    assert ends_at(record, CALL, [stop(kind="dispute")], ()) == "2027-09-13T22:00:00.000Z"  # suspends, ends nothing
    assert ends_at(record, replace(CALL, verdict="invalid"), (), ()) == AT
    assert ends_at(grant(EMAIL), EMAIL, (), ()) == "2029-09-14T08:31:07.120Z"  # no end of its own: three years


def test_retention_counts_from_the_end_and_never_before_what_a_text_says():
    assert kept_until(grant(EMAIL), (), (), 3) == "2032-09-14T08:31:07.120Z"
    assert kept_until(grant(EMAIL), [stop()], (), 3) == "2029-10-02T17:05:00.000Z"
    assert kept_until(grant(CALL), [stop()], (), 0) == "2029-09-14T08:31:07.120Z"  # the proof of the call
    assert kept_until(grant(EMAIL), [stop()], (), 0) == "2026-10-02T17:05:00.000Z"
    assert kept_until(grant(EMAIL, CALL), [stop()], (), 3) == "2029-10-02T17:05:00.000Z"
    assert kept_until(grant(), (), (), 3) == AT


@pytest.mark.parametrize("years", [0, 1, 3, 10])
def test_no_record_is_over_before_its_first_look(years):
    for record in (grant(EMAIL), grant(CALL), grant(EMAIL, CALL), grant(replace(EMAIL, verdict="invalid"))):
        for stops in ((), [stop(AT)]):
            over = kept_until(record, stops, (), years)
            assert first_look(over, years) >= AT, (record.lines, years)


def test_years_end_on_the_last_day_where_a_day_is_missing():
    assert years_after("2028-02-29T10:00:00.000Z", 3) == "2031-02-28T10:00:00.000Z"
    assert years_after("2028-02-29T10:00:00.000Z", 4) == "2032-02-29T10:00:00.000Z"
    assert years_after("2026-09-14T08:31:07.120Z", -3) == "2023-09-14T08:31:07.120Z"
    assert years_after("9998-01-01T00:00:00.000Z", 5)[:4] == "9999"


def hold(name="case-1", kind=ScopeKind.RECORD, value="acme/1", review="2027-06-30T23:59:59.000Z"):
    return Hold(name, kind, scope_text(kind, value), "legal", HoldReason.LITIGATION, review, NOW)


def test_a_hold_restricts_what_would_be_erased_and_adds_to_what_is_kept():
    assert held(Fate("erase"), []) == Fate("erase")
    assert held(Fate("erase"), [hold("b"), hold("a")]) == Fate("restrict", None, ("HOLD:a", "HOLD:b"))
    kept = Fate("restrict", "2029-09-14T08:31:07.120Z", ("PHONE-PROOF",))
    assert held(kept, [hold()]) == replace(kept, codes=("PHONE-PROOF", "HOLD:case-1"))


def test_a_hold_is_found_by_the_record_its_contacts_and_its_parties():
    scopes = scopes_of("acme/1", ["p1.a"], ["acme", "canalvert"])
    named = [hold(), hold(kind=ScopeKind.CONTACT, value="p1.a"), hold(kind=ScopeKind.PARTY, value="canalvert")]
    assert {one.scope for one in named} <= scopes
    assert hold(value="acme/2").scope not in scopes
    assert hold(kind=ScopeKind.PARTY, value="acme/1").scope not in scopes


def test_when_something_kept_is_looked_at_again():
    tomorrow = "2026-12-02T00:00:00.000Z"
    late = hold(review="2026-11-01T00:00:00.000Z")
    assert next_look("2029-09-14T08:31:07.120Z", [], NOW, tomorrow) == "2029-09-14T08:31:07.120Z"
    assert next_look("2029-09-14T08:31:07.120Z", [hold()], NOW, tomorrow) == "2027-06-30T23:59:59.000Z"
    assert next_look(None, [late], NOW, tomorrow) == tomorrow  # its review is overdue: kept all the same
    assert next_look(None, [], NOW, tomorrow) is None
    assert next_look("2026-11-30T00:00:00.000Z", [], NOW, tomorrow) is None
    assert next_look("2026-11-30T00:00:00.000Z", [hold()], NOW, tomorrow) == "2027-06-30T23:59:59.000Z"
