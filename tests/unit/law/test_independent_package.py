"""`demarchage-consent`, written by others, agrees on consents to calls wherever its model applies; where it does not is listed.

It models age, revocation and proof of a consent to calls after 2026-08-11 (décret 2026-662). Each disagreement is argued in
docs/decisions/0013-where-an-independent-package-disagrees.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from law_world import call, event, one

from services.consent_validator.rules.days import paris_day
from services.rights_handler.sending.book import judge
from services.rights_handler.sending.model import Check, Permission
from shared.contracts.types import instant
from shared.instants import format_instant

theirs = pytest.importorskip("demarchage_consent", reason="the independent package is not installed")

COLLECTED = st.datetimes(datetime(2026, 9, 2), datetime(2026, 12, 30)).map(  # noqa: DTZ001 - hypothesis draws naive ones
    lambda d: instant(d.replace(microsecond=0).isoformat() + "Z")
)
AFTER = st.timedeltas(timedelta(0), timedelta(days=800))
YEAR = timedelta(days=365)
MANY = settings(max_examples=150, deadline=None)


def ours(collected, at, *, days=365, received=None):
    """Our line for a call consented to on the complete page, for so many days."""
    until = (paris_day(collected) + timedelta(days=days)).isoformat()
    data = event(
        "four-channels-each-granted", collected_at=format_instant(collected), decisions=[call(valid_until=until)]
    )
    data["recipient_list"] = {k: v for k, v in data["recipient_list"].items() if k != "displayed_at"}
    data["recipient_list"]["displayed_at"] = format_instant(collected)
    return one(data, at=format_instant(at), received_at=format_instant(received or collected))


def said(collected, at, revoked=None):
    return theirs.assess_consent(collected, now=at, revoked_at=revoked).status


@MANY
@given(COLLECTED, AFTER)
def test_both_agree_on_the_age_of_a_consent(collected, after) -> None:
    assume(after != YEAR)  # the last instant: disagreement 1
    line = ours(collected, collected + after)
    assert (line.verdict == "valid") == (said(collected, collected + after) == "valide"), line.reasons
    if after > YEAR:
        assert line.reasons == ("EXPIRED",)
        assert said(collected, collected + after) == "expire"


@MANY
@given(
    COLLECTED, st.timedeltas(timedelta(days=1), timedelta(days=360)), st.timedeltas(timedelta(0), timedelta(days=300))
)
def test_both_agree_on_a_revocation_between_consent_and_call(collected, after, before) -> None:
    at, stop = collected + after, collected + min(before, after)
    permission = Permission(collected, collected + YEAR, confirmed=True, stops=(stop,))
    assert "STOPPED" in judge(Check("call", at, "Europe/Paris", (permission,))).codes
    assert said(collected, at, stop) == "revoque"


@MANY
@given(COLLECTED, st.timedeltas(timedelta(minutes=6), timedelta(days=100)))
def test_both_agree_that_a_consent_of_tomorrow_proves_nothing(collected, ahead) -> None:
    received = collected - ahead
    assert "TIME-FUTURE" in ours(collected, received, received=received).reasons
    assert said(collected, received) == "preuve_manquante"


def test_disagreement_1_the_last_instant_of_the_year() -> None:
    collected = instant("2026-10-01T10:00:00Z")
    assert ours(collected, collected + YEAR).reasons == ("EXPIRED",)
    assert said(collected, collected + YEAR) == "valide"


def test_disagreement_2_five_minutes_of_clock() -> None:
    collected = instant("2026-10-01T10:04:00Z")
    received = collected - timedelta(minutes=4)
    assert ours(collected, received, received=received).verdict == "valid"
    assert said(collected, received) == "preuve_manquante"


def test_disagreement_3_a_period_shorter_than_a_year() -> None:
    collected = instant("2026-10-01T10:00:00Z")
    at = collected + timedelta(days=40)
    assert ours(collected, at, days=30).reasons == ("EXPIRED",)
    assert said(collected, at) == "valide"


def test_disagreement_4_a_new_consent_after_a_revocation() -> None:
    collected = instant("2026-10-01T10:00:00Z")
    at, stop = instant("2026-10-06T09:00:00Z"), collected - timedelta(days=30)
    confirmed = Permission(collected, collected + YEAR, confirmed=True, stops=(stop,))
    assert judge(Check("call", at, "Europe/Paris", (confirmed,))).allowed
    unconfirmed = Permission(collected, collected + YEAR, confirmed=False, stops=(stop,))
    assert judge(Check("call", at, "Europe/Paris", (unconfirmed,))).codes == ["REOPEN-UNCONFIRMED"]
    assert said(collected, at, stop) == "revoque"


def test_disagreement_5_everything_but_dates() -> None:
    collected = instant("2026-10-01T10:00:00Z")
    until = (paris_day(collected) + timedelta(days=300)).isoformat()
    data = event("four-channels-each-granted", collected_at=format_instant(collected))
    nameless = data | {"decisions": [call(valid_until=until, object=None)]}
    reasons = one(nameless, at=format_instant(collected)).reasons
    assert "PHONE-OBJECT" in reasons
    assert said(collected, collected) == "valide"
