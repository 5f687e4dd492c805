"""What the registry says of agreements and lists: in force or not, what lacks, how two versions of a list differ. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.registry.clauses import REQUIRED, days_left
from shared.registry.models import Agreement
from shared.registry.shown import RecipientList
from shared.registry.view import RegistryView

SOON_DAYS = 60
NAMED = ("legal_name", "siren", "foreign_id", "privacy_url", "channels", "purposes")


@dataclass(frozen=True, slots=True)
class Standing:
    """One agreement version today. `state`: `coming`, `in_force`, `ending` (within 60 days), `expired`, `replaced`."""

    agreement: Agreement
    state: str
    days: int | None
    missing: tuple[str, ...]
    """Clauses that its qualification asks for and that it does not declare (RGPD 26, 28(3))."""
    declared: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """A recipient of the newest list of a collector that no agreement in force covers, or not for these channels."""

    collector: str
    prospector: str
    list: str
    channels: tuple[str, ...]
    """Not covered; empty: there is no agreement in force at all."""


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two versions of a list, for one recipient. `kind`: `added`, `removed`, `changed`."""

    party: str
    legal_name: str
    kind: str
    before: str
    after: str


def standings(view: RegistryView, party: str, today: date) -> list[Standing]:
    """Every agreement of a party, on either side, those in force first."""
    owners = {p.id for p in view.parties()}
    found = [a for owner in sorted(owners) for a in view.agreements_of(owner) if party in (a.collector, a.prospector)]
    made = [standing(agreement, found, today) for agreement in found]
    order = {"in_force": 0, "ending": 0, "coming": 1, "expired": 2, "replaced": 3}
    return sorted(made, key=lambda one: (order[one.state], one.agreement.id, -one.agreement.version))


def standing(agreement: Agreement, others: Sequence[Agreement], today: date) -> Standing:
    """One agreement, among the others of its parties."""
    day = today.isoformat()
    newer = any(o.id == agreement.id and o.version > agreement.version and str(o.valid_from) <= day for o in others)
    end = None if agreement.valid_until is None else date.fromisoformat(str(agreement.valid_until))
    days = days_left(agreement, others, today)
    if newer:
        state = "replaced"
    elif str(agreement.valid_from) > day:
        state = "coming"
    elif end is not None and end < today:
        state = "expired"
    elif days is not None and days <= SOON_DAYS:
        state = "ending"
    else:
        state = "in_force"
    declared = agreement.clauses is not None
    missing = tuple(sorted(REQUIRED[agreement.qualification] - set(agreement.clauses or ()))) if declared else ()
    return Standing(agreement, state, None if end is None else (end - today).days, missing, declared)


def gaps(view: RegistryView, today: date, party: str | None = None) -> list[Gap]:
    """Recipients named by the newest version of each list that no agreement in force covers."""
    found = []
    for listed in newest_lists(view):
        for entry in listed.entries:
            if party not in (None, listed.collector, entry.party) or entry.party == listed.collector:
                continue
            live = [a for a in view.agreements(listed.collector, entry.party) if _in_force(a, today)]
            covered = {channel for agreement in live for channel in agreement.channels}
            lacking = tuple(channel for channel in entry.channels if channel not in covered)
            if not live or lacking:
                name = f"{listed.id}:{listed.version}"
                found.append(Gap(listed.collector, entry.party, name, lacking if live else ()))
    return found


def newest_lists(view: RegistryView) -> list[RecipientList]:
    """The newest version of each list."""
    newest: dict[str, RecipientList] = {}
    for one in view.lists():
        if one.id not in newest or newest[one.id].version < one.version:
            newest[one.id] = one
    return [newest[name] for name in sorted(newest)]


def difference(before: RecipientList, after: RecipientList) -> list[Change]:
    """What the second version says otherwise than the first, recipient by recipient."""
    was, now = ({entry.party: entry for entry in one.entries} for one in (before, after))
    found = []
    for party in sorted(was.keys() | now.keys()):
        old, new = was.get(party), now.get(party)
        if old is None and new is not None:
            found.append(Change(party, new.legal_name, "added", "", _said(new)))
        elif new is None and old is not None:
            found.append(Change(party, old.legal_name, "removed", _said(old), ""))
        elif old is not None and new is not None and old != new:
            differing = [name for name in NAMED if getattr(old, name, None) != getattr(new, name, None)]
            found.append(Change(party, new.legal_name, "changed", _said(old, differing), _said(new, differing)))
    return found


def _in_force(agreement: Agreement, today: date) -> bool:
    day = today.isoformat()
    return str(agreement.valid_from) <= day and (agreement.valid_until is None or str(agreement.valid_until) >= day)


def _said(entry: object, names: Sequence[str] = ("channels", "purposes")) -> str:
    told = []
    for name in names:
        value = getattr(entry, name, None)
        if value:
            told.append(", ".join(value) if isinstance(value, tuple) else str(value))
    return " · ".join(told)
