"""May this party contact this person now? A pure fold of grants and stops (sending-phase rules, docs/law.md).

`allowed` iff a valid line names the recipient, channel, purpose and sector, `collected_at ≤ at < valid_until`, and no stop
covers or holds it. A stop counts from its own instant; one without any grant still says STOPPED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.rights_handler.domain import (
    REOPEN_UNCONFIRMED,
    STOPPED,
    Decision,
    Grant,
    Instant,
    Line,
    Stop,
    decide,
    within,
)
from shared.instants import format_instant

NO_GRANT = "NO-GRANT"
PARIS = ZoneInfo("Europe/Paris")
_DAY_LENGTH = len("2027-09-13")


@dataclass(frozen=True, slots=True)
class Question:
    """Who wants to write or call whom, how, what for, when. `contact_keys`: the person's contact as the index knows it."""

    contact_keys: frozenset[str]
    recipient: str
    channel: str
    purpose: str
    sector: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer: the record it rests on where it is yes, every reason where it is no."""

    allowed: bool
    reasons: tuple[str, ...]
    record: str | None = None
    valid_until: Instant | None = None


def check(question: Question, grants: Sequence[Grant], stops: Sequence[Stop]) -> Ruling:
    """The ruling. Any grants and stops may be given: those that do not matter change nothing."""
    past = [stop for stop in stops if stop.at <= question.at]
    reasons: set[str] = set()
    best: tuple[Instant, str] | None = None
    for grant in grants:
        if grant.contact_keys.isdisjoint(question.contact_keys):
            continue
        for decision in decide(grant, past):
            if not _asked(question, decision.line) or not _in_time(question.at, grant, decision.line):
                continue
            if decision.granted:
                best = max(best or ("", ""), (end_of(decision.line), grant.record))
            elif decision.line.verdict == "valid":
                reasons.update(_stopping(decision))
    if best is not None:
        return Ruling(allowed=True, reasons=(), record=best[1], valid_until=best[0])
    if not reasons and any(_stopped_without_grant(question, stop) for stop in past):
        reasons.add(STOPPED)
    return Ruling(allowed=False, reasons=tuple(sorted(reasons or {NO_GRANT})))


def end_of(line: Line) -> Instant:
    """The instant a line ends, excluded. A day counts whole, in Paris; a line without end has none in sight."""
    if line.valid_until is None:
        return "9999-12-31T23:59:59.999Z"
    if len(line.valid_until) != _DAY_LENGTH:
        return line.valid_until
    following = date.fromisoformat(line.valid_until) + timedelta(days=1)
    return format_instant(datetime.combine(following, time(), PARIS))


def _asked(question: Question, line: Line) -> bool:
    return (
        line.recipient == question.recipient
        and line.channel == question.channel
        and line.purpose == question.purpose
        and line.sector == question.sector
    )


def _in_time(at: Instant, grant: Grant, line: Line) -> bool:
    return grant.collected_at <= at < end_of(line)


def _stopping(decision: Decision) -> set[str]:
    return {STOPPED, REOPEN_UNCONFIRMED} & set(decision.reasons)


def _stopped_without_grant(question: Question, stop: Stop) -> bool:
    return (
        not stop.contact_keys.isdisjoint(question.contact_keys)
        and within(stop.recipients, question.recipient)
        and within(stop.channels, question.channel)
        and within(stop.purposes, question.purpose)
    )
