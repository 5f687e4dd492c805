"""May this party contact this person now? What is known of the person, turned into one question for the sending rules.

A pure fold of sets (grants, stops, reports), never of arrival order: any rows may be given, those that do not matter change
nothing. The rules themselves: `sending`, docs/law.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.rights_handler.domain import Grant, Instant, Line, Stop, about, decide, scoped, within
from services.rights_handler.kinds import withholds
from services.rights_handler.reported import CALLS, Reported
from services.rights_handler.sending.book import Answer, Reason, judge
from services.rights_handler.sending.lines import end_of_day
from services.rights_handler.sending.model import Check, Duty, Permission, SendingSettings
from shared.instants import parse_instant

_DAY_LENGTH = len("2027-09-13")
STOPPED = "STOPPED"
_STANDARD = SendingSettings()


@dataclass(frozen=True, slots=True)
class Question:
    """Who wants to reach whom, how, what for, when. `contact_keys`: the person's contact as the index knows it."""

    contact_keys: frozenset[str]
    recipient: str
    channel: str
    purpose: str
    sector: str
    at: Instant
    zone: str | None = None
    appointment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer as the asker may know it, and the line it rests on where it is yes."""

    answer: Answer
    reasons: tuple[Reason, ...]
    grant: Grant | None = None
    line: Line | None = None

    @property
    def allowed(self) -> bool:
        """Whether the message may be sent."""
        return self.answer.allowed

    @property
    def codes(self) -> list[str]:
        """The codes told, in catalogue order."""
        return [reason.code for reason in self.reasons]


def check(
    question: Question, grants: Sequence[Grant], stops: Sequence[Stop], reported: Reported | None = None,
    *, callers: Collection[str] = (), settings: SendingSettings = _STANDARD,
) -> Ruling:  # fmt: skip
    """The ruling. `callers`: who calls for the recipient besides itself."""
    reported = reported or Reported()
    stops = [stop for stop in stops if withholds(stop.kind)]
    mine = [grant for grant in grants if not grant.contact_keys.isdisjoint(question.contact_keys)]
    mine.sort(key=lambda grant: grant.record)  # of two equal reasons the same is told, whatever came first
    lines = [(g, d.line) for g in mine for d in decide(g, ()) if d.granted and _asked(question, d.line)]
    permissions = [_permission(question, grant, line, stops, reported) for grant, line in lines]
    # One hop, as for stops: every contact of a record is the same person's.
    named = question.contact_keys.union(*({grant.record, *grant.contact_keys} for grant in mine))
    answer = judge(
        Check(
            channel=question.channel, at=parse_instant(question.at), zone=question.zone, permissions=tuple(permissions),
            stops=_moments(stop.at for stop in stops if _covers_contact(question, stop)),
            attempts=tuple(
                parse_instant(attempt.at) for attempt in sorted(reported.attempts, key=lambda attempt: attempt.at)
                if attempt.channel in CALLS and (attempt.source == question.recipient or attempt.source in callers)
                and not named.isdisjoint(attempt.keys)
            ),
            appointment=question.appointment, settings=settings,
        )
    )  # fmt: skip
    told = answer.reasons
    if not ever_granted(question.recipient, mine):
        # Whoever was never given this person may not learn that the person exists here, nor that it objected.
        told = tuple(reason for reason in told if reason.code != STOPPED)
    if answer.permission is None:
        return Ruling(answer, told)
    grant, line = lines[next(i for i, p in enumerate(permissions) if p is answer.permission)]
    return Ruling(answer, told, grant, line)


def ever_granted(recipient: str, grants: Sequence[Grant]) -> bool:
    """Whether the person was ever given to this party by a valid line, or collected by it."""
    return any(
        grant.collector == recipient
        or any(line.recipient == recipient and line.verdict == "valid" for line in grant.lines)
        for grant in grants
    )


def end_of(line: Line) -> datetime | None:
    """The instant a line ends, excluded. A day counts whole, in Paris; None where no end is in sight."""
    if line.valid_until is None:
        return None
    if len(line.valid_until) == _DAY_LENGTH:
        return end_of_day(date.fromisoformat(line.valid_until))
    return parse_instant(line.valid_until)


def _permission(question: Question, grant: Grant, line: Line, stops: Sequence[Stop], reported: Reported) -> Permission:
    return Permission(
        collected_at=parse_instant(grant.collected_at),
        valid_until=end_of(line),
        confirmed=grant.confirmed,
        stops_from=parse_instant(min(grant.collected_at, grant.received_at)),
        stops=_moments(stop.at for stop in stops if about(stop, grant) and scoped(stop, line)),
        duty=None if question.recipient == grant.collector else _duty(question.recipient, grant, reported),
        record=grant.record,
    )


def _duty(recipient: str, grant: Grant, reported: Reported) -> Duty:
    """What RGPD 14 asks of a recipient for one record: from the reports about this record, or about its contacts alone."""
    record = grant.record
    received = [d.at for d in reported.disclosures if d.record == record and d.to == recipient]
    obtained = min([grant.received_at, *received])
    contacts = (
        a.at for a in reported.attempts
        if a.source == recipient and a.reached and (
            a.record == record
            or (a.record is None and a.at >= obtained and not a.contact_keys.isdisjoint(grant.contact_keys))
        )
    )  # fmt: skip
    return Duty(
        obtained_at=parse_instant(obtained),
        notice_at=_first(n.at for n in reported.notices if n.record == record and n.source == recipient),
        contacted_at=_first(contacts),
        disclosed_at=_first(d.at for d in reported.disclosures if d.record == record and d.source == recipient),
    )


def _moments(instants: Iterable[Instant]) -> tuple[datetime, ...]:
    """In order, once each: when a stop was said matters, not how often or in what order it was read."""
    return tuple(parse_instant(at) for at in sorted(set(instants)))


def _first(moments: Iterable[Instant]) -> datetime | None:
    earliest = min(moments, default=None)
    return None if earliest is None else parse_instant(earliest)


def _asked(question: Question, line: Line) -> bool:
    return (
        line.recipient == question.recipient
        and line.channel == question.channel
        and line.purpose == question.purpose
        and line.sector == question.sector
    )


def _covers_contact(question: Question, stop: Stop) -> bool:
    return (
        not stop.contact_keys.isdisjoint(question.contact_keys)
        and within(stop.recipients, question.recipient)
        and within(stop.channels, question.channel)
        and within(stop.purposes, question.purpose)
    )
