"""Everything held about the person of a request: its records, one hop (families share telephones: no chain through them).

Opened in memory only, for the answer. Who really received the data is told by name (RGPD 15(1)(c); CJUE C-154/21): those
that a permission went out to, and those of reported transfers; a party that was named and never told is not among them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Grant, Instant, Line, Stop, Transfer, about
from services.rights_handler.former import Name
from services.rights_handler.kinds import row_of
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.matching import meetings
from services.rights_handler.persons import CONSENT_KIND, KeySource, Persons
from services.rights_handler.ports import Index, Reports
from services.rights_handler.reported import Reported
from services.rights_handler.requests.model import Request
from services.rights_handler.teller import Registry
from shared.crypto.sealing import unseal

REQUEST_KIND = "request.received"
FIRST = "1971-01-01T00:00:00.000Z"
"""Before any report: an access answer tells of all that are kept."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record, with its personal part where that was not erased."""

    grant: Grant
    document: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Received:
    """A party that really received the data of a record, for this use, or (no line) by a reported transfer."""

    party: str
    record: str
    at: Instant
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is held about the person of a request."""

    found: Sequence[Found] = ()
    received: Sequence[Received] = ()
    stops: Sequence[Stop] = ()
    deliveries: Sequence[Delivery] = ()
    transfers: Sequence[Transfer] = ()
    reported: Reported = field(default_factory=Reported)

    @property
    def records(self) -> list[str]:
        """Their names."""
        return [one.grant.record for one in self.found]


class Gathering:
    """Reads what is held. A constant number of database calls, and one for each stop of the person."""

    def __init__(
        self,
        *,
        index: Index,
        ledger: MongoLedger,
        reports: Reports,
        keys: KeySource,
        persons: Persons,
        registry: Registry,
    ) -> None:
        self._index, self._ledger, self._reports = index, ledger, reports
        self._keys, self._persons, self._registry = keys, persons, registry

    async def person(self, request: Request) -> Mapping[str, Any]:
        """The personal part of the request itself: contacts, reference, details; empty where there is none any more."""
        if request.sealed is None:
            return {}
        owner = row_of(request.id)
        keys = await self._keys.read([owner])
        return unseal(keys[owner], REQUEST_KIND, owner, request.sealed) if owner in keys else {}

    async def fresh(self, request: Request) -> Request:
        """The request with the names its person has now: the pepper may have been rotated since it came in."""
        if request.sealed is None:
            return request
        owner = row_of(request.id)
        opened = await self._persons.open({owner: request.sealed}, REQUEST_KIND)
        if owner not in opened:
            return request
        person = opened[owner]
        subject = self._persons.subject_key(person.collector_ref or request.source, person.subject_ref)
        return replace(request, contact_keys=self._persons.contact_keys(person), subject_key=subject)

    async def dossier(self, request: Request, now: Instant) -> Dossier:
        """All of it."""
        request = await self.fresh(request)
        grants = [g for g in await self._index.grants_about([request.as_stop]) if about(request.as_stop, g)]
        grants.sort(key=lambda grant: grant.record)
        records = {grant.record for grant in grants}
        found = await self._open(grants)
        contacts = {key for grant in grants for key in grant.contact_keys} | request.contact_keys
        transfers = await self._index.transfers_of(records)
        known = sorted({stop.id: stop for stop, _ in meetings(await self._index.stops_about(grants), grants)}.items())
        stops = [stop for _, stop in known if stop.id != row_of(request.id)]
        deliveries = [
            row
            for name in [*(stop.id for stop in stops), row_of(request.id)]
            for row in await self._ledger.deliveries_of_stop(name)
            if row.record in records
        ]
        parties = [party.id for party in self._registry.view.parties()]
        reported = await self._reports.reported(records, contacts, parties, FIRST, now) if grants else Reported()
        once = await self._index.once_valid(records) if records else {}
        return Dossier(found, received(grants, once, deliveries, transfers), stops, deliveries, transfers, reported)

    async def _open(self, grants: Sequence[Grant]) -> list[Found]:
        keys = await self._keys.read([grant.record for grant in grants if grant.sealed is not None])
        return [
            Found(
                grant,
                unseal(keys[grant.record], CONSENT_KIND, grant.record, grant.sealed)
                if grant.sealed is not None and grant.record in keys
                else None,
            )
            for grant in grants
        ]


def received(
    grants: Sequence[Grant],
    once: Mapping[str, Collection[Name]],
    deliveries: Sequence[Delivery],
    transfers: Sequence[Transfer],
) -> list[Received]:
    """The actual recipients. Pure."""
    never = {(row.record, row.party) for row in deliveries if not row.may_hold}
    found: list[Received] = []
    for grant in grants:
        lines = [line for line in grant.lines if line.verdict == "valid"]
        names = {(line.recipient, line.channel, line.purpose, line.sector, line.object) for line in lines}
        lines += [
            Line(*name, "granted", "ended", "none", None, None)
            for name in sorted(set(once.get(grant.record, ())) - names, key=str)
        ]
        found += [
            Received(line.recipient, grant.record, grant.received_at, line)
            for line in lines
            if line.recipient is not None and (grant.record, line.recipient) not in never
        ]
    found += [Received(one.to, one.record, one.at) for one in transfers]
    return sorted(found, key=lambda one: (one.record, one.party, one.at))
