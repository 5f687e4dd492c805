"""Which persons a party has not informed within the month of RGPD 14(3)(a), and the one obligation that stands for them.

The index says who may owe; what it says is checked against notices and stops as they are now, and corrected where it is behind, so
that each row is corrected once. A person who stopped a party for good is not to be written to, so nothing is owed any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.rights_handler.domain import Grant, Instant, Stop, concerned, decide
from services.rights_handler.informing.store import MongoNotices, Owing
from services.rights_handler.kinds import REVERSIBLE, withholds
from services.rights_handler.matching import stops_by_record
from services.rights_handler.moments import one_month_after
from services.rights_handler.ports import Index, Obligation, Reports
from services.rights_handler.teller import Registry
from shared.clock import Clock
from shared.instants import format_instant

SHORTEST_MONTH = timedelta(days=28)
PAGE = 500
AGAIN = timedelta(days=1)
"""When an obligation is looked at again by its party."""
RECEIVING = frozenset({"prospector", "collector"})
"""Who receives data for purposes of its own: a processor informs nobody for itself (RGPD 14(1))."""
PAUSE_EVERY = 200
"""Parties looked at between two breaths of the loop."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """One person that a party owes the information, since when."""

    record: str
    received_at: Instant
    due_at: Instant

    @property
    def cursor(self) -> str:
        """Where the next page starts."""
        return f"{self.received_at}|{self.record}"


Read = Callable[[str, Instant, tuple[Instant, str] | None, int], Awaitable[list[Owing]]]
Check = Callable[[str, Sequence[Owing]], Awaitable[list[Overdue]]]


@dataclass(frozen=True, slots=True)
class OverdueNotices:
    """Lists what is overdue."""

    store: MongoNotices
    index: Index
    reports: Reports

    async def page(self, party: str, now: datetime, after: str | None, limit: int) -> tuple[list[Overdue], str | None]:
        """At most `limit` persons, the oldest first, and where the next page starts (None: there is none).

        Two lists that share no person are one: those it was told of, and those it knows by a reported transfer only.
        """
        told, more = await self._some(self.store.owing, self._told, party, now, after, limit)
        sent, further = await self._some(self.store.transferred, self._sent, party, now, after, limit)
        found = sorted([*told, *sent], key=lambda one: (one.received_at, one.record))
        whole = len(found) <= limit and not (more or further)
        return found[:limit], None if whole or not found else found[:limit][-1].cursor

    async def _some(
        self, read: Read, check: Check, party: str, now: datetime, after: str | None, limit: int
    ) -> tuple[list[Overdue], bool]:
        """At most `limit` of one list that are true as of now, and whether there may be more."""
        until = format_instant(now - SHORTEST_MONTH)
        cursor = _cursor(after)
        found: list[Overdue] = []
        while True:
            rows = await read(party, until, cursor, limit - len(found))
            found += await check(
                party, [row for row in rows if one_month_after(row.received_at) <= format_instant(now)]
            )
            if not rows or len(found) >= limit:
                return found, bool(rows)
            cursor = (rows[-1].received_at, rows[-1].record)

    async def _told(self, party: str, rows: Sequence[Owing]) -> list[Overdue]:
        if not rows:
            return []
        grants, stops, informed = await self._about(party, rows)
        owing = {g.record for g in grants if _receives(party, g, stops.get(g.record, ()))} - informed
        held = {g.record for g in grants if _receives(party, g, _lasting(stops.get(g.record, ())))} - informed
        await self.store.released(party, {row.record for row in rows} - held)
        return [_overdue(row) for row in rows if row.record in owing]

    async def _sent(self, party: str, rows: Sequence[Owing]) -> list[Overdue]:
        """Whom it owes the information by a transfer alone. Where a line permits it too, the person is on the other list.

        A record that is not there after a month was erased, or never was.
        """
        if not rows:
            return []
        found, stops, informed = await self._about(party, rows)
        grants = [grant for grant in found if grant.contact_keys or grant.sealed is not None]  # the rest was erased
        other = {g.record for g in grants if party == g.collector or _receives(party, g, ())}
        held = (
            {g.record for g in grants if not _stopped(party, g, _lasting(stops.get(g.record, ())))} - other - informed
        )
        owing = {g.record for g in grants if not _stopped(party, g, stops.get(g.record, ()))} & held
        await self.store.transfers_released(party, {row.record for row in rows} - held)
        return [_overdue(row) for row in rows if row.record in owing]

    async def _about(
        self, party: str, rows: Sequence[Owing]
    ) -> tuple[Sequence[Grant], Mapping[str, Sequence[Stop]], set[str]]:
        """The grants of these rows, the stops that meet them, and which persons it says it informed."""
        records = {row.record for row in rows}
        grants = await self.index.grants_of(records)
        notices = await self.reports.reported(records, (), (party,), rows[0].received_at, rows[0].received_at)
        informed = {one.record for one in notices.notices if one.source == party}
        return grants, stops_by_record(await self.index.stops_about(grants), grants), informed


def _overdue(row: Owing) -> Overdue:
    return Overdue(row.record, row.received_at, one_month_after(row.received_at))


def _stopped(party: str, grant: Grant, stops: Sequence[Stop]) -> bool:
    """Whether it was ordered to stop, as a party of a transfer (it has no line)."""
    return any(withholds(stop.kind) and party in concerned(stop, grant, (party,)) for stop in stops)


def _receives(party: str, grant: Grant, stops: Sequence[Stop]) -> bool:
    return any(decision.granted and decision.line.recipient == party for decision in decide(grant, stops))


def _lasting(stops: Sequence[Stop]) -> list[Stop]:
    return [stop for stop in stops if stop.kind not in REVERSIBLE]


@dataclass(slots=True)
class OverdueSweep:
    """Keeps one obligation a party while it owes the information to anyone past the month; looks every `every`."""

    notices: OverdueNotices
    store: MongoNotices
    registry: Registry
    clock: Clock
    every: timedelta
    log: Any
    _next: datetime | None = field(default=None)

    async def sweep(self, _most: int) -> int:
        """Look at every prospecteur and collector where it is time; two lookups of one row each. Two instances write the same."""
        now = self.clock.now()
        if self._next is not None and now < self._next:
            return 0
        parties = [party.id for party in self.registry.view.parties() if RECEIVING & set(party.roles)]
        owed: list[Obligation] = []
        for n, party in enumerate(parties):
            first, _ = await self.notices.page(party, now, None, 1)
            if first:
                owed.append(_obligation(party, first[0], now))
            if n % PAUSE_EVERY == PAUSE_EVERY - 1:
                await asyncio.sleep(0)
        late = {one.owner for one in owed}
        await self.store.show(owed, [_id(party) for party in parties if party not in late], format_instant(now))
        if owed:
            self.log.warning("persons were not informed in time (RGPD 14)", parties=len(owed))
        self._next = now + self.every
        return 0


def _obligation(party: str, first: Overdue, now: datetime) -> Obligation:
    return Obligation(
        id=_id(party),
        kind="notices-overdue",
        owner=party,
        cause="persons were not informed within one month (RGPD 14(3)): `opposable notices overdue`, then report `notice.given`",
        opened_at=first.due_at,
        due_at=first.due_at,
        next_at=format_instant(now + AGAIN),
        refs=(("party", party),),
    )


def _id(party: str) -> str:
    return f"notices-overdue/{party}"


def _cursor(text: str | None) -> tuple[Instant, str] | None:
    if text is None:
        return None
    received, _, record = text.partition("|")
    return received, record
