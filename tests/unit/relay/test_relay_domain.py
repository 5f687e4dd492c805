"""What an attempt means, when the next one is, when an endpoint is left alone, and which answers acknowledge."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhook_relay.domain import (
    Answer,
    Breaker,
    Meaning,
    Policy,
    acknowledgement,
    after_failure,
    message_id,
    next_attempt,
    sentence,
)
from services.webhook_relay.settings import RelaySettings

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
POLICY = Policy((5.0, 60.0, 300.0), 86_400.0, 3, 2.0, 30.0)


@pytest.mark.parametrize(("status", "meaning"), [
    (200, Meaning.DELIVERED), (202, Meaning.DELIVERED), (299, Meaning.DELIVERED), (301, Meaning.FAILED),
    (307, Meaning.FAILED), (400, Meaning.REFUSED), (422, Meaning.REFUSED), (401, Meaning.FAILED), (404, Meaning.FAILED),
    (410, Meaning.GONE), (429, Meaning.FAILED), (500, Meaning.FAILED), (None, Meaning.FAILED),
])  # fmt: skip
def test_what_an_answer_means(status, meaning):
    assert Answer(status, None if status else "TIMEOUT").meaning is meaning


@given(attempts=st.integers(1, 10_000), luck=st.floats(0, 0.999), asked=st.none() | st.floats(0, 1e6))
def test_delays_are_those_of_the_schedule_shortened_at_most_by_a_fifth(attempts, luck, asked):
    delay = (next_attempt(attempts, NOW, POLICY, luck, asked) - NOW).total_seconds()
    planned = POLICY.retry_after[min(attempts, 3) - 1]
    wanted = min(asked or 0.0, 3600.0)
    assert max(planned * 0.8, wanted) - 0.001 <= delay <= max(planned, wanted) + 0.001


def test_the_usual_schedule_spreads_over_days_and_ends_before_receipts_are_forgotten():
    settings = RelaySettings()
    assert sum(settings.webhook_retry_after) > 2 * 86_400
    assert settings.webhook_give_up_after < 7 * 86_400


def test_an_endpoint_is_left_alone_after_failures_in_a_row_then_probed_ever_more_rarely():
    breaker = Breaker()
    for _ in range(2):
        breaker = after_failure(breaker, "503", NOW, POLICY, 0)
        assert not breaker.probing
    breaker = after_failure(breaker, "503", NOW, POLICY, 0)
    assert breaker.until == NOW + timedelta(seconds=2)
    assert breaker.open_at(NOW)
    assert after_failure(breaker, "503", NOW, POLICY, 0).until == breaker.until  # one that was under way
    pauses, at = [], breaker.until
    for _ in range(6):
        assert not breaker.open_at(at)
        breaker = after_failure(breaker, "TIMEOUT", at, POLICY, 0)
        pauses.append((breaker.until - at).total_seconds())
        at = breaker.until
    assert pauses == [4, 8, 16, 30, 30, 30]
    assert breaker.since == NOW
    assert after_failure(Breaker(), "ADDRESS-REFUSED", NOW, POLICY, 0.5).until == NOW + timedelta(seconds=1.8)


def test_the_same_event_has_the_same_id_and_another_receipt_another():
    one = message_id("platform", "e1", b"{}")
    assert one == message_id("platform", "e1", b"{}")
    others = [
        message_id("platform", "e1", b"{ }"),
        message_id("platform", "e2", b"{}"),
        message_id("platforme", "1", b"{}"),
    ]
    assert len({one, *others}) == 4


def test_the_answer_may_acknowledge():
    body = orjson.dumps({"status": "applied", "applied_at": "2026-11-27T08:00:00Z", "more": 1, "reason": 5})
    event, data = acknowledgement("o1", "m1", body)
    assert orjson.loads(data) == {"order_id": "o1", "status": "applied", "applied_at": "2026-11-27T08:00:00Z"}
    assert acknowledgement("o1", "m1", body) == (event, data)
    assert acknowledgement("o1", "m2", body)[0] != event
    assert acknowledgement("o1", "m1", orjson.dumps({"status": "refused"}))[0] != event
    assert acknowledgement("o1", "m1", orjson.dumps({"status": "applied", "order_id": "o1"})) is not None
    assert len(event) <= 64


@pytest.mark.parametrize("body", [
    b"", b"OK", b"[]", b'"applied"', b"{}", b'{"status":"done"}', b'{"status":["applied"]}',
    b'{"status":"applied","order_id":"o2"}', b"\xff",
])  # fmt: skip
def test_answers_that_acknowledge_nothing(body):
    assert acknowledgement("o1", "m1", body) is None


def test_every_cause_is_a_sentence():
    assert sentence(None) == "not tried yet"
    assert "503" in sentence("503")
