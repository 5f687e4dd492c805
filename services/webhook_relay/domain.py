"""What the relay decides, without I/O: what an attempt means, when the next one is, when an endpoint is left alone.

Standard Webhooks 1.0: 2xx is delivered, 410 disables the endpoint, anything else is tried again with jittered back-off.
An answer that refuses this one event (400, 409, 413, 415, 422) says nothing of the endpoint; any other failure counts
against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import orjson

EVENT_REFUSED = frozenset({400, 409, 413, 415, 422})
GONE = 410
RETRY_AFTER_MOST_S = 3600.0
JITTER = 0.2
"""Each delay is shortened by up to this share, so that what failed together does not come back together."""

CAUSES: Mapping[str, str] = {
    "waiting": "not tried yet",
    "behind": "waits behind an earlier event on the same record or order",
    "CONNECT": "the endpoint cannot be reached",
    "TLS": "the endpoint's certificate is not valid for its name",
    "TIMEOUT": "the endpoint did not answer in time",
    "BROKEN": "the endpoint closed the connection or answered no HTTP",
    "NAME": "the endpoint's name cannot be resolved",
    "ADDRESS-REFUSED": "the endpoint's address is not a public one: it is never contacted",
    "URL-REFUSED": "the endpoint's address must be https:// without a user or a fragment",
    "NO-SECRET": "no signing secret is kept for this party: make one with `opposable webhook secret`",
    "SEALED": "the waiting event cannot be opened with this seed: replay it from its topic",
    "NOT-WEBHOOK": "the party does not take webhooks now (registry): deliver by its topics, or change its delivery",
    "GONE": "the endpoint answered 410: disabled until its address changes or `opposable webhook enable`",
}
"""Why an event waits, in a sentence; an HTTP status is told as it is."""
OURS = frozenset({"NO-SECRET", "NOT-WEBHOOK", "SEALED"})
"""Causes that the operator removes; the others are the party's."""
HOPELESS = frozenset({"ADDRESS-REFUSED", "URL-REFUSED", "NO-SECRET", "NOT-WEBHOOK"})
"""Nothing is gained by trying five times: the endpoint is left alone at once."""


class Meaning(StrEnum):
    """What an attempt means."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Policy:
    """Delays in seconds (see the settings)."""

    retry_after: tuple[float, ...]
    give_up_after: float
    breaker_failures: int
    breaker_first: float
    breaker_most: float


@dataclass(frozen=True, slots=True)
class Answer:
    """How one attempt ended: an HTTP status with its (bounded) body, or a fault code of ours."""

    status: int | None
    fault: str | None = None
    body: bytes = b""
    retry_after: float | None = None

    @property
    def meaning(self) -> Meaning:
        """See the module."""
        if self.status is None:
            return Meaning.FAILED
        if 200 <= self.status < 300:  # noqa: PLR2004 - RFC 9110 §15.3
            return Meaning.DELIVERED
        if self.status == GONE:
            return Meaning.GONE
        return Meaning.REFUSED if self.status in EVENT_REFUSED else Meaning.FAILED

    @property
    def code(self) -> str:
        """What is remembered of it: `200`, `503`, `TIMEOUT`."""
        return self.fault or str(self.status)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether an endpoint is tried. `opened`: how often in a row it was left alone; `until`: not before."""

    failures: int = 0
    opened: int = 0
    until: datetime | None = None
    cause: str | None = None
    since: datetime | None = None

    def open_at(self, now: datetime) -> bool:
        """Whether nothing may be sent now."""
        return self.until is not None and now < self.until

    @property
    def probing(self) -> bool:
        """Whether the next attempt is a probe: one at a time until one succeeds."""
        return self.until is not None


def after_failure(breaker: Breaker, code: str, now: datetime, policy: Policy, luck: float) -> Breaker:
    """The breaker after a failure of the endpoint. `luck` in [0, 1) shortens the pause."""
    failures = breaker.failures + 1
    counted = replace(breaker, failures=failures, cause=code, since=breaker.since or now)
    if not (breaker.probing or failures >= policy.breaker_failures or code in HOPELESS):
        return counted
    if breaker.open_at(now):
        return counted  # one that was on its way when another failed
    pause = min(policy.breaker_most, policy.breaker_first * 2 ** min(breaker.opened, 20)) * (1 - JITTER * luck)
    return replace(counted, opened=breaker.opened + 1, until=now + timedelta(seconds=pause))


def next_attempt(
    attempts: int, now: datetime, policy: Policy, luck: float, retry_after: float | None = None
) -> datetime:
    """When an event that was tried `attempts` times is tried again. `luck` in [0, 1)."""
    delay = policy.retry_after[min(attempts, len(policy.retry_after)) - 1] * (1 - JITTER * luck)
    return now + timedelta(seconds=max(delay, min(retry_after or 0.0, RETRY_AFTER_MOST_S)))


def message_id(source: str, event: str, data: bytes) -> str:
    """The webhook-id: the same event, however often it was published or sent, has the same one.

    The data counts too: a party may get two receipts for one event id (accepted, then duplicate).
    """
    digest = hashlib.sha256(b"\0".join((source.encode(), event.encode(), hashlib.sha256(data).digest())))
    return f"msg_{digest.hexdigest()[:40]}"


def sentence(code: str | None) -> str:
    """A cause in words."""
    if code is None:
        return CAUSES["waiting"]
    return CAUSES.get(code, f"the endpoint answered HTTP {code}")


ACK_FIELDS = ("applied_at", "last_send_at", "reason", "signature")
ACK_STATUSES = ("applied", "unknown_person", "refused")


def acknowledgement(order: str, message: str, body: bytes) -> tuple[str, bytes] | None:
    """(event id, data) of the acknowledgement that an answer carries, or None where it carries none.

    The id derives from the message and the answer: the same answer given twice is one event, another answer another.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(answer, dict) or answer.get("status") not in ACK_STATUSES:
        return None
    if answer.get("order_id", order) != order:
        return None  # an answer to something else
    data = {"order_id": order, "status": answer["status"]}
    data |= {name: answer[name] for name in ACK_FIELDS if isinstance(answer.get(name), str)}
    value = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return f"ack:{hashlib.sha256(message.encode() + value).hexdigest()[:40]}", value
