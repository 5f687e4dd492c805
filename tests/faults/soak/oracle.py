"""What must be true of a soak, worked out from what was sent and from when Kafka stored it: no code of the services.

Written from the text (docs/stops.md), as a second opinion: who is told of what, and which permissions may be used. Instants
are milliseconds since the epoch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.faults.soak.plan import PROSPECTORS, Consent, Stop


@dataclass(frozen=True)
class Given:
    """A consent as it was stored first."""

    consent: Consent
    collected: int
    received: int

    @property
    def record(self) -> str:
        return f"{self.consent.collector}/{self.consent.id}"

    @property
    def from_when(self) -> int:
        return min(self.collected, self.received)

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """(recipient, channel, value)."""
        return [(party, channel, value) for party in PROSPECTORS for channel, value in self.consent.decisions]


@dataclass(frozen=True)
class Said:
    """A stop as it was stored first. `at` is capped at its receipt."""

    stop: Stop
    at: int

    @property
    def recipients(self) -> tuple[str, ...] | None:
        """One click speaks to the sender addressed."""
        return (self.stop.source,) if self.stop.one_click and self.stop.recipients is None else self.stop.recipients

    def scoped(self, recipient: str, channel: str) -> bool:
        return (self.recipients is None or recipient in self.recipients) and (
            self.stop.channels is None or channel in self.stop.channels
        )


def contacts_of(said: Said, named: Iterable[Given]) -> frozenset[tuple[str, str]]:
    """Its own, and those of the records it names that are not newer than it."""
    older = [given for given in named if said.at >= given.from_when]
    return frozenset(said.stop.contacts).union(*(given.consent.contacts for given in older))


class Truth:
    """All that follows from what was sent."""

    def __init__(self, givens: Iterable[Given], saids: Iterable[Said]) -> None:
        self.givens = list(givens)
        self.by_record = {given.record: given for given in self.givens}
        self.stops_of: Mapping[str, list[Said]] = self._meet(list(saids))

    def _meet(self, saids: list[Said]) -> dict[str, list[Said]]:
        by_contact: defaultdict[tuple[str, str], list[Given]] = defaultdict(list)
        by_ref: defaultdict[tuple[str, str], list[Given]] = defaultdict(list)
        for given in self.givens:
            by_ref[given.consent.collector, given.consent.member.ref].append(given)
            for contact in given.consent.contacts:
                by_contact[contact].append(given)
        found: defaultdict[str, dict[str, Said]] = defaultdict(dict)
        for said in saids:
            # It names a record, or the reference of the collector that sends it.
            named = by_ref[said.stop.source, said.stop.subject_ref] if said.stop.subject_ref else []
            if said.stop.record in self.by_record:
                named = [self.by_record[said.stop.record]]
            shared = [given for contact in contacts_of(said, named) for given in by_contact[contact]]
            for given in (*named, *shared):
                found[given.record][said.stop.id] = said
        return {record: list(stops.values()) for record, stops in found.items()}

    def orders(self) -> set[tuple[str, str, str]]:
        """(party, stop, consent id): everyone who must have been told, and nobody else."""
        wanted: set[tuple[str, str, str]] = set()
        for given in self.givens:
            for said in self.stops_of.get(given.record, ()):
                if said.at < given.from_when:
                    continue
                scoped = [(p, v) for p, c, v in given.lines if said.scoped(p, c)]
                parties = {p for p, v in scoped if v != "refused"}
                touched = bool(scoped) or said.recipients is None or given.consent.collector in said.recipients
                if touched:
                    parties |= {given.consent.collector, *given.consent.via}
                wanted |= {(party, said.stop.id, given.consent.id) for party in parties}
        return wanted

    def forbidden(self, record: str, recipient: str, channel: str) -> str | None:
        """Why a line may not be used, where a stop forbids it."""
        given = self.by_record[record]
        for said in self.stops_of.get(record, ()):
            if said.scoped(recipient, channel):
                if said.at >= given.from_when:
                    return f"stopped by {said.stop.id}"
                if not given.consent.confirmed:
                    return f"older stop {said.stop.id} and not confirmed"
        return None
