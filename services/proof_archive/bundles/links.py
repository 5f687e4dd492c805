"""Which entries belong in the bundle of one record: each must be tied to it by what the entries themselves say.

A stop names no record when a person withdraws by e-mail: what ties it is an order (`delivery.*`) of the bundle that names
both. An acknowledgement is tied by its order, a registry version by the verdict that relied on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.facts import Consent, Registered
from services.proof_archive.bundles.verdict_facts import Verdict
from services.proof_archive.verifying.codes import Refused
from shared.topics import DELIVERIES, REGISTRY, REPORTS, REQUESTS, STOPS

_BY_ORDER = {DELIVERIES.name, REPORTS.name}
"""Topics whose entries may name an order and nothing else."""


@dataclass(frozen=True, slots=True)
class Ties:
    """Everything that the entries tie to the record: stops, requests, orders, and registry versions with their offset."""

    record: str
    stops: frozenset[str]
    requests: frozenset[str]
    orders: frozenset[str]
    versions: frozenset[tuple[str, int, str]]
    """(key, offset, archived at) of each version that a verdict of the record relied on."""

    @property
    def owners(self) -> frozenset[str]:
        """What the fact `record` may hold: the record itself, or what a refused conflict was about."""
        named = {f"stop/{stop}" for stop in self.stops} | {f"request/{request}" for request in self.requests}
        return frozenset(named | {self.record})


def ties_of(record: str, entries: Sequence[ReadEntry]) -> Ties:
    """What the entries that name the record tie to it."""
    named = [entry.facts for entry in entries if entry.facts.record == record and entry.topic != REGISTRY.name]
    return Ties(
        record,
        frozenset(facts.stop for facts in named if facts.stop),
        frozenset(facts.request for facts in named if facts.request),
        frozenset(facts.order for facts in named if facts.order),
        frozenset(
            (reference.key, reference.offset, reference.archived_at)
            for facts in named
            if isinstance(facts, Verdict)
            for reference in facts.references
        ),
    )


def is_tied(entry: ReadEntry, ties: Ties) -> bool:
    """Whether an entry belongs in the bundle."""
    facts = entry.facts
    if isinstance(facts, Registered):
        return (facts.key, entry.offset, entry.at) in ties.versions
    if facts.record in ties.owners:
        return True
    if entry.topic == STOPS.name:  # it may name another record of the same person
        return facts.stop in ties.stops
    if entry.topic == REQUESTS.name:
        return facts.request in ties.requests
    return entry.topic in _BY_ORDER and facts.record is None and facts.order in ties.orders


def check_links(record: str, entries: Sequence[ReadEntry], names: Sequence[str]) -> None:
    """Raise Refused unless every entry (named by its member) is tied to the record, whose consent is among them."""
    ties = ties_of(record, entries)
    for entry, name in zip(entries, names, strict=True):
        if not is_tied(entry, ties):
            raise Refused("ENTRY-UNRELATED", name)
    if not any(isinstance(entry.facts, Consent) for entry in entries):
        raise Refused("CONSENT-MISSING")
