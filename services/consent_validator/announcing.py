"""What the registry's changes mean for parties, told on `out.<party>.requests`.

`opposable.list.changed.v1`: a new version of a list adds a prospecteur, removes it, or changes what it is named for. Consents
given under earlier versions keep their worth: a list speaks only for those who saw it. `opposable.agreement.expiring.v1`: 60,
30 and 7 days before the end of an agreement, to both its parties. `opposable.subprocessor.changing.v1`: the operator's
sub-processors, to every party, before a change takes effect (RGPD 28(2)). Event ids derive from what is told, so a repeat is the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.consent_validator.rules.days import paris_day
from shared import canonical
from shared.clock import Clock
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.platform import AGREEMENT_EXPIRING, LIST_CHANGED, SUBPROCESSOR_CHANGING
from shared.instants import format_instant
from shared.kafka.publisher import Outgoing, Publisher
from shared.kafka.record import Record
from shared.kit.subprocessors import notice_text
from shared.registry.clauses import WARNED_BEFORE, days_left
from shared.registry.feed import RegistryFeed
from shared.registry.models import Agreement
from shared.registry.shown import RecipientList
from shared.registry.subprocessors import SubProcessor, change_of, newest
from shared.registry.view import RegistryView
from shared.topics import OUT_REQUESTS

SOURCE = "opposable/consent_validator"
EVERY = timedelta(hours=1)
Uses = dict[str, tuple[frozenset[str], frozenset[str]]]
"""Channels and purposes that each party is named for."""


class Announcer:
    """Tells parties of changes of lists, and of the end of agreements."""

    def __init__(self, *, registry: RegistryFeed, publisher: Publisher, clock: Clock) -> None:
        self._registry, self._publisher, self._clock = registry, publisher, clock
        self._told: set[tuple[str, int]] = set()

    async def process(self, records: Sequence[Record]) -> None:
        """One batch of the topic `registry`: lists that follow another version. Bodies that readers ignore are passed over."""
        await self._registry.catch_up()
        view = self._registry.view
        found = [published for record in records if (published := _applied(record, view)) is not None]
        await self._publisher.send_all([
            message for published in found
            for message in (changes(published, view) if isinstance(published, RecipientList) else processing(published, view))
        ])  # fmt: skip

    async def watch(self) -> None:
        """Look for agreements about to end, for ever. Each is told once a step by this process (again after a restart)."""
        while True:
            today = paris_day(self._clock.now())
            ending = [
                (a, days) for a, days in expiring(self._registry.view, today) if (_key(a), days) not in self._told
            ]
            await self._publisher.send_all([m for a, days in ending for m in _ending(a, days, self._registry.view)])
            self._told.update((_key(agreement), days) for agreement, days in ending)
            await asyncio.sleep(EVERY.total_seconds())


def changes(published: RecipientList, view: RegistryView) -> Iterator[Outgoing]:
    """The events of a new version: one for each registered party whose place differs from the version before. Pure."""
    earlier = [other for other in view.lists() if other.id == published.id and other.version < published.version]
    if not earlier:
        return
    before = max(earlier, key=lambda other: other.version)
    was, now = uses(before), uses(published)
    reference = view.reference(f"list:{published.id}:{published.version}")
    archived = reference.archived_at if reference is not None else None
    for party in sorted(was.keys() | now.keys()):
        if view.party(party) is None or was.get(party) == now.get(party):
            continue
        channels, purposes = now.get(party, (frozenset[str](), frozenset[str]()))
        yield _event(LIST_CHANGED, party, f"list:{published.id}:{published.version}", {
            "collector": published.collector,
            "list": published.id,
            "version": published.version,
            "previous": before.version,
            "change": "added" if party not in was else "removed" if party not in now else "changed",
            "channels": sorted(channels),
            "purposes": sorted(purposes),
            "published_at": format_instant(published.published_at),
            "archived_at": None if archived is None else format_instant(archived),
        })  # fmt: skip


def processing(published: SubProcessor, view: RegistryView) -> Iterator[Outgoing]:
    """The notice of a sub-processor's version, to each registered party. Pure."""
    before = newest((o for o in view.subprocessors() if o.id == published.id), published.version - 1).get(published.id)
    change = change_of(published, before)
    for party in view.parties():
        yield _event(SUBPROCESSOR_CHANGING, party.id, f"subprocessor:{published.id}:{published.version}", {
            "subprocessor": published.id,
            "version": published.version,
            "change": change,
            "legal_name": published.legal_name,
            "country": published.country,
            "locations": list(published.locations),
            "service": published.service,
            "data": published.data,
            "starts_on": str(published.starts_on),
            "objections_until": None if published.objections_until is None else str(published.objections_until),
            "ends_on": None if published.ends_on is None else str(published.ends_on),
            "text": notice_text(published, change, party.legal_name),
        })  # fmt: skip


def uses(published: RecipientList) -> Uses:
    """What each party of a list is named for."""
    found: Uses = {}
    for entry in published.entries:
        channels, purposes = found.get(entry.party, (frozenset(), frozenset()))
        found[entry.party] = channels | set(entry.channels), purposes | set(entry.purposes)
    return found


def expiring(view: RegistryView, today: date) -> list[tuple[Agreement, int]]:
    """Agreements whose end is exactly 60, 30 or 7 days away, unless a later version takes over. Pure."""
    found = []
    for party in view.parties():
        versions = view.agreements_of(party.id)
        for agreement in versions:
            days = days_left(agreement, versions, today)
            if days in WARNED_BEFORE:
                found.append((agreement, days))
    return found


def _ending(agreement: Agreement, days: int, view: RegistryView) -> Iterator[Outgoing]:
    for party in (agreement.collector, agreement.prospector):
        if view.party(party) is not None:
            yield _event(AGREEMENT_EXPIRING, party, f"{_key(agreement)}:{days}", {
                "agreement": agreement.id,
                "version": agreement.version,
                "collector": agreement.collector,
                "prospector": agreement.prospector,
                "valid_until": str(agreement.valid_until),
                "days": days,
            })  # fmt: skip


def _key(agreement: Agreement) -> str:
    return f"agreement:{agreement.id}:{agreement.version}"


def _applied(record: Record, view: RegistryView) -> RecipientList | SubProcessor | None:
    """The list or sub-processor that a record put into the registry; None where it holds neither, or one that came second."""
    key = (record.key or b"").decode("utf-8", "replace")
    kind, _, name = key.partition(":")
    reference = view.reference(key)
    if kind not in ("list", "subprocessor") or reference is None or reference.offset != record.offset:
        return None
    name, _, version = name.rpartition(":")
    if kind == "list":
        return view.list_(name, int(version))
    return next((one for one in view.subprocessors() if (one.id, one.version) == (name, int(version))), None)


def _event(kind: str, party: str, cause: str, body: Mapping[str, Any]) -> Outgoing:
    identity = hashlib.sha256(f"{kind}\0{party}\0{cause}".encode()).hexdigest()[:40]
    headers = tuple(to_headers(Envelope(identity, SOURCE, kind)))
    return Outgoing(OUT_REQUESTS.of(party), cause.encode(), canonical.dumps(dict(body)), headers)
