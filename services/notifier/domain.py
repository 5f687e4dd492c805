"""A message on its way, as pure transitions: waiting, sent, failed, bounced, expired, erased, closed.

A row keeps its sealed content only as long as it may still be sent: what was sent, expired or erased drops it. Instants are
texts whose order is the order of times, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from shared.instants import format_instant, parse_instant

State = Literal["waiting", "sent", "failed", "bounced", "expired", "erased", "closed"]
OPERATOR = "operator"
RETRY_MOST = timedelta(hours=1)
STUCK_AFTER = 3
"""Attempts after which a message that is still waiting is shown as an obligation."""
MAX_DOUBLINGS = 12
HISTORY_MOST = 60
"""Entries kept of a message's story: three days of hourly attempts do not fill it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message. `code` says why it is where it is; no field tells who the person is."""

    id: str
    owner: str
    channel: str
    template: str
    sealed: bytes | None
    ordered_at: str
    expires_at: str | None
    refs: tuple[tuple[str, str], ...] = ()
    state: State = "waiting"
    next_at: str | None = None
    attempts: int = 0
    code: str | None = None
    closed_at: str | None = None
    history: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The transport took it: it is theirs to deliver now."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not. `permanent`: trying the same again cannot help (RFC 5321 4.2.1: a reply 5yz)."""

    code: str
    permanent: bool


Outcome = Sent | Failed


def after(row: Row, outcome: Outcome, now: str, *, first: timedelta, give_up: timedelta, jitter: float) -> Row:
    """The row after an attempt. `jitter` in [0, 1): two messages that failed together do not return together."""
    if isinstance(outcome, Sent):
        return closed(row, "sent", "SENT", now)
    if outcome.permanent:
        return _failed(row, outcome.code, now)
    delay = min(RETRY_MOST, first * 2 ** min(row.attempts - 1, MAX_DOUBLINGS)) * (0.5 + jitter / 2)
    next_at = format_instant(parse_instant(now) + delay)
    if next_at >= given_up_at(row, give_up):
        return _failed(row, "GIVEN-UP", now)
    return replace(row, next_at=next_at, code=outcome.code, history=_told(row, now, "deferred", outcome.code))


def closed(row: Row, state: State, code: str, now: str) -> Row:
    """The row once nothing more is to be done; its content goes."""
    history = _told(row, now, state, code)
    return replace(row, state=state, sealed=None, next_at=None, code=code, closed_at=now, history=history)


def expired(row: Row, now: str) -> bool:
    """Whether the message serves nothing any more."""
    return row.expires_at is not None and now >= row.expires_at


def bounced(row: Row, code: str, now: str) -> Row:
    """A message that was taken, then came back: an operator must reach the person otherwise. Said twice, it is one bounce."""
    if row.state != "sent":
        return row
    return replace(row, state="bounced", code=code, closed_at=None, history=_told(row, now, "bounced", code))


def again(row: Row, now: str) -> Row | None:
    """A failed message put back by an operator; None where there is nothing left to send."""
    if row.state != "failed" or row.sealed is None:
        return None
    return replace(row, state="waiting", next_at=now, attempts=0, code=None, ordered_at=now,
                   history=_told(row, now, "retried", OPERATOR))  # fmt: skip


def given_up_at(row: Row, give_up: timedelta) -> str:
    """When a message that never goes through has failed."""
    return format_instant(parse_instant(row.ordered_at) + give_up)


def obligation(row: Row, give_up: timedelta) -> dict[str, Any]:
    """How the operator sees a message that needs somebody: owner, cause, due time, next attempt (promise P7)."""
    waiting = row.state == "waiting"
    return {
        "id": f"message/{row.id}",
        "kind": f"message-{row.state}",
        "owner": OPERATOR,
        "cause": CAUSES[row.state],
        "code": row.code,
        "opened_at": row.ordered_at,
        "due_at": row.expires_at or given_up_at(row, give_up),
        "next_at": row.next_at if waiting else None,
        "attempts": row.attempts,
        "refs": {**dict(row.refs), "message": row.id, "channel": row.channel, "template": row.template},
    }


CAUSES: dict[str, str] = {
    "waiting": "the transport refuses or does not answer; it is tried again",
    "failed": "it cannot be sent as it is: reach the person by another way, then retry or close it",
    "bounced": "it was taken, then came back: reach the person by another way, then close it",
}


def _failed(row: Row, code: str, now: str) -> Row:
    return replace(row, state="failed", next_at=None, code=code, history=_told(row, now, "failed", code))


def _told(row: Row, now: str, what: str, code: str) -> tuple[dict[str, Any], ...]:
    return (*row.history, {"at": now, "what": what, "code": code})[-HISTORY_MOST:]
