"""The life of one order, (stop, party, record), as pure transitions: ordered, reminded, answered, escalated, closed.

An order is open until its party has answered `applied`, or `unknown_person` where it cannot hold the data. Nothing waits
without a name: every open order has an owner, a cause, a due time and a next attempt (promise P7).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from services.rights_handler.domain import Grant, Instant, Stop, order_id
from shared.instants import format_instant, parse_instant

State = Literal["open", "contested", "refused", "escalated", "closed"]
OPERATOR = "operator"

CAUSES: dict[str, str] = {
    "open": "no answer yet",
    "contested": "answered unknown_person, though it may hold the data",
    "refused": "refused to apply the order",
    "escalated": "no acceptable answer in time",
    "closed": "",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One order and where it stands. `rev` counts changes: whoever saves from an older one loses and looks again."""

    order: str
    stop: str
    party: str
    record: str
    kind: str
    at: Instant
    recipients: str | tuple[str, ...]
    channels: str | tuple[str, ...]
    purposes: str | tuple[str, ...]
    may_hold: bool
    """A permission may have been published to it, or the data passed through it: `unknown_person` closes nothing."""
    ordered_at: Instant
    ack_due_at: Instant
    next_at: Instant | None
    """When the scheduler looks at it again; None once closed."""
    state: State = "open"
    published: bool = False
    """True once the order is stored on the party's topic. A row that is not published is published again."""
    status: str | None = None
    """The party's last answer."""
    reminders: int = 0
    rev: int = 0
    history: tuple[dict[str, Any], ...] = ()

    @property
    def owner(self) -> str:
        """Who must act."""
        return OPERATOR if self.state == "escalated" or not self.published else self.party

    @property
    def cause(self) -> str:
        """Why it is open, in a sentence."""
        return CAUSES[self.state] if self.published or self.state == "closed" else "not delivered to the party yet"


@dataclass(frozen=True, slots=True)
class Answer:
    """A party's acknowledgement of an order, as reported."""

    order: str
    source: str
    status: str
    event: str
    """Identity of the report: the same one counts once."""
    at: Instant
    applied_at: Instant | None = None
    last_send_at: Instant | None = None
    signed_by: str | None = None
    """The registered key that signed it; None where the answer is not signed (signing is optional)."""


@dataclass(frozen=True, slots=True)
class Times:
    """When a party is reminded: delays from the order, cut at its due time, then at every `repeat` once escalated."""

    remind_after: tuple[timedelta, ...]
    repeat: timedelta

    def moments(self, ordered_at: Instant, due_at: Instant) -> list[Instant]:
        """Instants of the reminders, then of the escalation. There is at least one reminder before an escalation."""
        start, due = parse_instant(ordered_at), parse_instant(due_at)
        reminders = [start + delay for delay in self.remind_after if start + delay < due] or [start + (due - start) / 2]
        return [format_instant(moment) for moment in [*reminders, due]]


def open_delivery(
    stop: Stop, grant: Grant, party: str, *, may_hold: bool, now: Instant, ack_within: timedelta, times: Times
) -> Delivery:
    """A new order. Everything published of it comes from the row, so that publishing twice gives the same bytes."""
    due = format_instant(parse_instant(now) + ack_within)
    return Delivery(
        order=order_id(stop.id, party, grant.record),
        stop=stop.id,
        party=party,
        record=grant.record,
        kind=stop.kind,
        at=stop.at,
        recipients=_text(stop.recipients),
        channels=_text(stop.channels),
        purposes=_text(stop.purposes),
        may_hold=may_hold,
        ordered_at=now,
        ack_due_at=due,
        next_at=times.moments(now, due)[0],
        history=({"at": now, "what": "ordered"},),
    )


def may_hold(party: str, grant: Grant, told: Collection[str] | None) -> bool:
    """May this party have the data, as far as we told anyone? `told` None: permissions may have gone out to all named.

    Only a recipient that was named and never told it may, is believed when it says it does not know the person.
    """
    if told is None or party in told:
        return True
    return party == grant.collector or party not in {line.recipient for line in grant.lines}


def answered(delivery: Delivery, answer: Answer) -> Delivery:
    """The order after its party's answer. The same report counts once; `applied` is final."""
    if any(entry.get("event") == answer.event for entry in delivery.history):
        return delivery
    closes = answer.status == "applied" or (answer.status == "unknown_person" and not delivery.may_hold)
    over = delivery.state == "closed"
    entry = {"at": answer.at, "what": "acknowledged", "status": answer.status, "event": answer.event,
             "closed": closes or over}  # fmt: skip
    entry.update({k: v for k in ("applied_at", "last_send_at", "signed_by") if (v := getattr(answer, k)) is not None})
    changes: dict[str, Any] = {"history": (*delivery.history, entry), "rev": delivery.rev + 1}
    if not over:
        changes["status"] = answer.status
        if closes:
            changes |= {"state": "closed", "next_at": None}
        elif delivery.state != "escalated":
            changes["state"] = "refused" if answer.status == "refused" else "contested"
    return replace(delivery, **changes)


def leased(delivery: Delivery, until: Instant) -> Delivery:
    """Claimed by one instance until a moment: if that instance dies, another one looks at it then."""
    return replace(delivery, next_at=until, rev=delivery.rev + 1)


def chased(delivery: Delivery, now: Instant, times: Times) -> Delivery:
    """The order as it is published again: its next reminder, or its first delivery, from which its time then counts."""
    if not delivery.published:
        window = parse_instant(delivery.ack_due_at) - parse_instant(delivery.ordered_at)
        due = format_instant(parse_instant(now) + window)
        return replace(
            delivery, published=True, ordered_at=now, ack_due_at=due, next_at=times.moments(now, due)[0],
            history=(*delivery.history, {"at": now, "what": "delivered"}), rev=delivery.rev + 1,
        )  # fmt: skip
    number = delivery.reminders + 1
    moments = times.moments(delivery.ordered_at, delivery.ack_due_at)
    return replace(
        delivery, reminders=number, next_at=_later(now, moments, times),
        history=(*delivery.history, {"at": now, "what": "reminded", "n": number}), rev=delivery.rev + 1,
    )  # fmt: skip


def escalated(delivery: Delivery, now: Instant, times: Times) -> Delivery:
    """The order once its due time passed: an operator's matter; it goes out once more now, and is repeated every day."""
    number = delivery.reminders + 1
    history = (*delivery.history, {"at": now, "what": "escalated", "n": number})
    again = format_instant(parse_instant(now) + times.repeat)
    return replace(
        delivery, state="escalated", reminders=number, next_at=again, history=history, rev=delivery.rev + 1
    )  # fmt: skip


def dropped(delivery: Delivery, now: Instant) -> Delivery:
    """The order no longer stands (the suspension it told of is over): nobody is reminded of it."""
    history = (*delivery.history, {"at": now, "what": "superseded"})
    return replace(delivery, state="closed", status="superseded", next_at=None, history=history, rev=delivery.rev + 1)


def overdue(delivery: Delivery, now: Instant) -> bool:
    """Is it time to escalate?"""
    return delivery.published and delivery.state != "escalated" and now >= delivery.ack_due_at


def _later(now: Instant, moments: Sequence[Instant], times: Times) -> Instant:
    """The first moment still to come, or one more period."""
    return next((m for m in moments if m > now), format_instant(parse_instant(now) + times.repeat))


def _text(scope: str | frozenset[str]) -> str | tuple[str, ...]:
    return scope if isinstance(scope, str) else tuple(sorted(scope))
