"""A message on its way: retries that spread and end, bounces that count once, content that goes when it is done."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifier.bounces import read_bounce
from services.notifier.domain import Failed, Row, Sent, after, again, bounced, closed, expired, obligation
from shared.errors import InputError
from shared.instants import parse_instant

NOW = "2026-09-14T10:00:00.000Z"
ROW = Row("m1", "acme/x", "email", "portal.link", b"sealed", NOW, None, next_at=NOW, attempts=1)
GIVE_UP = timedelta(days=3)


def attempt(row, outcome, now=NOW, jitter=0.5):
    return after(row, outcome, now, first=timedelta(seconds=15), give_up=GIVE_UP, jitter=jitter)


def test_what_is_sent_drops_its_content_and_waits_for_nothing():
    sent = attempt(ROW, Sent())
    assert (sent.state, sent.sealed, sent.next_at, sent.closed_at) == ("sent", None, None, NOW)


def test_a_refusal_for_good_keeps_the_content_for_the_operator_and_is_owed():
    failed = attempt(ROW, Failed("SMTP-550 5.1.1", permanent=True))
    assert (failed.state, failed.sealed, failed.next_at) == ("failed", b"sealed", None)
    owed = obligation(failed, GIVE_UP)
    assert (owed["owner"], owed["code"], owed["refs"]["message"]) == ("operator", "SMTP-550 5.1.1", "m1")
    assert owed["due_at"] == "2026-09-17T10:00:00.000Z"
    back = again(failed, NOW)
    assert (back.state, back.next_at, back.attempts) == ("waiting", NOW, 0)


def test_delays_double_spread_and_stop_at_an_hour_until_it_has_failed():
    def delay(attempts, jitter):
        row = attempt(replace(ROW, attempts=attempts), Failed("SMTP-451", permanent=False), jitter=jitter)
        return (parse_instant(row.next_at) - parse_instant(NOW)).total_seconds()

    assert [delay(n, 0.0) for n in (1, 2, 3)] == [7.5, 15, 30]
    assert delay(1, 0.999) == pytest.approx(15, abs=0.1)
    assert delay(40, 0.999) <= 3600
    late = attempt(ROW, Failed("SMTP-451", permanent=False), "2026-09-17T09:59:58.000Z")
    assert (late.state, late.code) == ("failed", "GIVEN-UP")


def test_a_bounce_counts_once_and_only_of_what_was_sent():
    sent = attempt(ROW, Sent())
    back = bounced(sent, "BOUNCE 5.1.1", NOW)
    assert (back.state, back.closed_at) == ("bounced", None)
    assert bounced(back, "BOUNCE 5.1.1", NOW) is back
    assert bounced(ROW, "BOUNCE 5.1.1", NOW) is ROW
    assert again(back, NOW) is None  # its content is gone
    assert closed(back, "closed", "CLOSED-BY-OPERATOR", NOW).closed_at == NOW


def test_a_link_that_ran_out_is_not_sent():
    assert expired(replace(ROW, expires_at=NOW), NOW)
    assert not expired(replace(ROW, expires_at="2026-09-14T10:00:00.001Z"), NOW)
    assert not expired(ROW, NOW)


REPORT = b"""From: mailer@relay.example
To: no-reply@opposable.local
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

jeanne@courriel.example is unknown
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; jeanne@courriel.example
Action: failed
Status: 5.1.1
--b
Content-Type: %s

From: no-reply@opposable.local
Message-ID: <abc123@opposable.local>
Subject: Votre lien

--b--
"""


@pytest.mark.parametrize("kind", [b"text/rfc822-headers", b"message/rfc822"])
def test_a_delivery_report_of_a_mail_server_is_understood(kind):
    bounce = read_bounce(REPORT % kind, "message/rfc822", "opposable.local")
    assert (bounce.message, bounce.status, bounce.permanent) == ("abc123", "5.1.1", True)


def test_a_bounce_in_json_and_a_mere_delay():
    bounce = read_bounce(
        b'{"message_id":"<abc@opposable.local>","status":"4.2.2"}', "application/json", "opposable.local"
    )
    assert (bounce.message, bounce.permanent) == ("abc", False)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"not json", b'{"message_id":"a b","status":"5.1.1"}', b'{"message_id":"a","status":"bad"}']
)
def test_what_is_no_bounce_is_refused(body):
    with pytest.raises(InputError):
        read_bounce(body, "application/json", "opposable.local")
