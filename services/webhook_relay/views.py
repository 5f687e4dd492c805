"""What waits, in the form of obligations: owner, cause, due time, next attempt (promise P7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.webhook_relay.domain import EVENT_REFUSED, OURS, sentence
from services.webhook_relay.store import Endpoint, Waiting
from shared.instants import format_instant

OPERATOR = "operator"
EVENT_CODES = frozenset(str(status) for status in EVENT_REFUSED)


def delivery_view(row: Waiting, endpoint: Endpoint, now: datetime, *, takes: bool) -> dict[str, Any]:
    """An event that waits. `takes`: whether the party is registered with a webhook now."""
    code = row.code
    until = endpoint.breaker.until
    next_at = max(row.next_at, until) if until is not None and until > now else row.next_at
    if endpoint.disabled is not None:
        code = "GONE"
    elif not takes:
        code = "NOT-WEBHOOK"
    elif until is not None and code not in EVENT_CODES:
        code = endpoint.breaker.cause  # newer than what this event met when it was last tried
    return {
        "id": f"webhook/{row.id}",
        "kind": "webhook",
        "owner": OPERATOR if code in OURS else row.party,
        "cause": sentence(code),
        "opened_at": format_instant(row.first_at),
        "due_at": format_instant(row.due_at),
        "next_at": None if endpoint.disabled is not None else format_instant(max(next_at, now)),
        "attempts": row.attempts,
        "refs": {"party": row.party, "topic": row.kind, "key": row.key, "webhook": row.message, "type": row.type},
    }


def given_up_view(row: Waiting) -> dict[str, Any]:
    """An event that was given up."""
    return {
        "id": f"webhook/{row.id}",
        "kind": "webhook-given-up",
        "owner": OPERATOR,
        "cause": f"given up after {row.attempts} attempts ({sentence(row.code)}): replay it when the endpoint works",
        "opened_at": format_instant(row.first_at),
        "due_at": format_instant(row.due_at),
        "next_at": None,
        "attempts": row.attempts,
        "refs": {"party": row.party, "topic": row.kind, "key": row.key, "webhook": row.message, "type": row.type},
    }


def endpoint_view(party: str, endpoint: Endpoint, now: datetime) -> dict[str, Any] | None:
    """An endpoint that is left alone or disabled; None where it works."""
    breaker = endpoint.breaker
    if endpoint.disabled is None and breaker.until is None:
        return None
    code = "GONE" if endpoint.disabled is not None else breaker.cause
    since = format_instant(breaker.since or now)
    return {
        "id": f"endpoint/{party}",
        "kind": "webhook-endpoint",
        "owner": OPERATOR if code in OURS else party,
        "cause": sentence(code),
        "opened_at": since,
        "due_at": since,
        "next_at": None if endpoint.disabled is not None or breaker.until is None
        else format_instant(max(breaker.until, now)),
        "attempts": breaker.failures,
        "refs": {"party": party},
    }  # fmt: skip


def partition_view(topic: str, partition: int, party: str, why: str, now: datetime) -> dict[str, Any]:
    """A partition that is not read, since records were lost or too much waits."""
    return {
        "id": f"partition/{topic}/{partition}",
        "kind": "webhook-gap",
        "owner": OPERATOR,
        "cause": f"{why}: tell the party which, then move the position",
        "opened_at": format_instant(now),
        "due_at": format_instant(now),
        "next_at": None,
        "attempts": 0,
        "refs": {"party": party, "topic": topic},
    }
