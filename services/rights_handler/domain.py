"""What a stop covers, whom it concerns, and what may be told to whom: pure functions of sets, never of arrival order.

Instants are the text `YYYY-MM-DDTHH:MM:SS.mmmZ`, so that the order of texts is the order of times. Law: RGPD 7(3)
(withdrawal), 21(3) (objection), 19 (recipients are told); C-129/21 Proximus (approaching one party suffices, downstream and
upstream). Rules `STOPPED`, `REOPEN-UNCONFIRMED`, `REFUSED`: docs/law.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from services.rights_handler.kinds import reason_of, withholds

Instant = str
Scope = Literal["all"] | frozenset[str]

REOPEN_UNCONFIRMED = "REOPEN-UNCONFIRMED"
REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a verdict: a recipient (None: nobody is named), a channel, a purpose, and what was found of it."""

    recipient: str | None
    channel: str
    purpose: str
    sector: str
    object: str | None
    value: str
    """What the person did: `granted`, `refused`, `not_objected`."""
    verdict: str
    """`valid`, `invalid` or `review`; only `valid` ever permits."""
    basis: str
    valid_from: str | None
    valid_until: str | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """The index row of one record (a consent): its latest verdict, and keys that find it without naming the person."""

    record: str
    vid: str
    """Comparable identity of the verdict: the highest of a record wins (see `verdict_id`)."""
    collector: str
    consent_id: str
    collected_at: Instant
    received_at: Instant
    confirmed: bool
    """True after a double opt-in or a signature: only such a consent re-opens what a stop closed."""
    via: tuple[str, ...]
    contact_keys: frozenset[str]
    subject_key: str | None
    ruleset: str
    lines: tuple[Line, ...]
    sealed: bytes | None
    """The personal part, encrypted under the record's key; needed to compute what each party knows the person by."""
    aliases: tuple[str, ...] = ()
    """Keyed hashes of match keys, one per contact key (in order) and party with a valid line (docs/decisions/0010)."""
    near_keys: frozenset[str] = frozenset()
    """Keyed hashes of what its postal address may share with another (`suppressing.postal`): for questions, never a match."""
    stopped_by: frozenset[str] = frozenset()
    """Of an erased record only, which has no keys any more: the stops that were about it, for parties found out later."""
    form: str | None = None
    """Key in the registry of the form version the verdict relied on (`form:<id>:<version>`), to show the person its page."""

    def contact_of(self, alias: str) -> str | None:
        """The contact key that an alias stands for: aliases stand contact by contact, as many for each."""
        if alias not in self.aliases:
            return None
        return sorted(self.contact_keys)[self.aliases.index(alias) * len(self.contact_keys) // len(self.aliases)]


@dataclass(frozen=True, slots=True)
class Stop:
    """A withdrawal, objection or STOP. `at` never lies after its receipt; a missing scope is the widest."""

    id: str
    """`<source>/<stop_id>`."""
    source: str
    kind: str
    at: Instant
    contact_keys: frozenset[str]
    subject_key: str | None
    record: str | None
    """The consent it names: its record, or a bare consent id where the sender does not know whose it is."""
    recipients: Scope = "all"
    channels: Scope = "all"
    purposes: Scope = "all"
    near_keys: frozenset[str] = frozenset()
    """As in `Grant`."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A reported transfer: `to` really received the data of `record`."""

    record: str
    to: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Decision:
    """What one line's recipient is told: it may, or it may not and why."""

    line: Line
    granted: bool
    reasons: tuple[str, ...]


def verdict_id(ruleset_seq: int, registry_offset: int, evaluated_at: Instant) -> str:
    """Text whose order is that of (rule set, registry, time): of several verdicts on a record the highest wins."""
    return f"{ruleset_seq:06d}.{registry_offset:012d}.{evaluated_at}"


def order_id(stop: str, party: str, record: str) -> str:
    """The same order always has the same identity: 40 hex digits of SHA-256."""
    return hashlib.sha256(f"order\0{stop}\0{party}\0{record}".encode()).hexdigest()[:40]


def within(scope: Scope, value: str | None) -> bool:
    """Is a value in a scope? Nobody named (None) is only in the widest."""
    return scope == "all" or (value is not None and value in scope)


def about(stop: Stop, grant: Grant) -> bool:
    """Same person as far as anyone can tell: a shared contact, the collector's own reference, or the record named.

    One hop only: families share telephones, so records are never chained through each other.
    """
    return names(stop, grant) or not stop.contact_keys.isdisjoint(grant.contact_keys) or stop.id in grant.stopped_by


def names(stop: Stop, grant: Grant) -> bool:
    """Does the stop name this very record, or the collector's own reference of its person?"""
    return (stop.record is not None and stop.record in (grant.record, grant.consent_id)) or (
        stop.subject_key is not None and stop.subject_key == grant.subject_key
    )


def since(stop: Stop, grant: Grant) -> bool:
    """Does the stop come at or after the consent? Ties go to the stop, and no party's clock decides alone."""
    return stop.at >= min(grant.collected_at, grant.received_at)


def scoped(stop: Stop, line: Line) -> bool:
    """Does the stop's scope match the line?"""
    return (
        within(stop.recipients, line.recipient)
        and within(stop.channels, line.channel)
        and within(stop.purposes, line.purpose)
    )


def covers(stop: Stop, grant: Grant, line: Line) -> bool:
    """The one rule used on both sides, when a consent meets stops and when a stop meets consents."""
    return withholds(stop.kind) and since(stop, grant) and scoped(stop, line) and about(stop, grant)


def holds(stop: Stop, grant: Grant, line: Line) -> bool:
    """A stop *older* than an unconfirmed consent does not cover it, but keeps it from re-opening what was closed."""
    unconfirmed = withholds(stop.kind) and not grant.confirmed
    return unconfirmed and not since(stop, grant) and scoped(stop, line) and about(stop, grant)


def concerned(stop: Stop, grant: Grant, transferred_to: Iterable[str] = ()) -> frozenset[str]:
    """Everyone who must be told of this stop because of this record.

    Each party named in a matched line that was not refused, whatever the verdict (it may hold the data); each party the data
    really went to; and, as soon as the stop touches the record, its collector and the hands it passed through.
    """
    if not (since(stop, grant) and about(stop, grant)):
        return frozenset()
    parties = {
        line.recipient
        for line in grant.lines
        if line.value != "refused" and line.recipient is not None and scoped(stop, line)
    }
    parties.update(party for party in transferred_to if within(stop.recipients, party))
    touched = bool(parties) or within(stop.recipients, grant.collector) or any(scoped(stop, x) for x in grant.lines)
    return frozenset(parties | {grant.collector, *grant.via}) if touched else frozenset()


def decide(grant: Grant, stops: Sequence[Stop]) -> list[Decision]:
    """What each line's recipient is told. Any stop may be given: those that do not matter change nothing."""
    refused = {_subject(line) for line in grant.lines if line.value == "refused"}
    if not stops and not refused:
        return [Decision(line, line.verdict == "valid", line.reasons) for line in grant.lines]
    return [_decide_line(grant, line, stops, refused) for line in grant.lines]


def _decide_line(
    grant: Grant, line: Line, stops: Sequence[Stop], refused: Collection[tuple[str | None, ...]]
) -> Decision:
    added: list[str] = []
    if refused and _subject(line) in refused and REFUSED not in line.reasons:
        added.append(REFUSED)  # within one event `refused` beats `granted`
    covering = {reason_of(stop.kind) for stop in stops if covers(stop, grant, line)}
    if covering:
        added += sorted(covering)
    elif any(holds(stop, grant, line) for stop in stops):
        added.append(REOPEN_UNCONFIRMED)
    return Decision(line, line.verdict == "valid" and not added, (*line.reasons, *added))


def _subject(line: Line) -> tuple[str | None, ...]:
    return (line.recipient, line.channel, line.purpose, line.sector)
