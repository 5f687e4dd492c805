"""What moves an erasure forward: each due row is claimed for a short lease, and does its next step. Batched.

objecting → deciding → decided → published, or restricted → decided → published. Each step is durable before its row says so,
and may be done twice: a stop of ours has one id per erasure, the fate is stored before it is said, the entry derives from the
stored row. What follows `published` is moved by what is read on `erasures` (`arrivals`), never by a clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.rights_handler.domain import Grant, Instant, Stop
from services.rights_handler.erasing import said
from services.rights_handler.erasing.hold_store import MongoHolds
from services.rights_handler.erasing.holds import held, next_look, scopes_of
from services.rights_handler.erasing.model import Cause, Erasure, Fate, State
from services.rights_handler.erasing.objecting import all_told, objection, orders_of, stop_for
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.erasing.stuck import STUCK, owed, stuck
from services.rights_handler.erasing.table import on_request
from services.rights_handler.erasing.tombstones import Tombstones
from services.rights_handler.former import Name
from services.rights_handler.kinds import request_of
from services.rights_handler.matching import stops_by_record
from services.rights_handler.ports import Index, Ledger, Outbox
from services.rights_handler.requesting import Requesting
from services.rights_handler.teller import Teller
from shared.clock import Clock
from shared.instants import format_instant
from shared.topics import PLATFORM_PARTY

LEASE = timedelta(seconds=30)
SOON = timedelta(milliseconds=300)
"""Between two looks at whether everyone was told."""
MOST = 200
"""Rows of one sweep."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The sweep and what it needs."""

    store: MongoErasures
    holds: MongoHolds
    tombstones: Tombstones
    index: Index
    ledger: Ledger
    teller: Teller
    requesting: Requesting
    outbox: Outbox
    clock: Clock
    every: timedelta
    log: Any

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            if not await self.sweep():  # a row that moved may have its next step now
                await asyncio.sleep(self.every.total_seconds())

    async def sweep(self) -> int:
        """Do what is due now; returns how many rows were looked at."""
        now = self.clock.now()
        due = await self.store.due(format_instant(now), MOST)
        claims = [replace(row, next_at=format_instant(now + LEASE), rev=row.rev + 1) for row in due]
        won = await self.store.save(claims)
        mine: dict[State, list[Erasure]] = {}
        for row in claims:
            if row.record in won:
                mine.setdefault(row.state, []).append(row)
        steps: Mapping[State, Callable[[Sequence[Erasure]], Awaitable[None]]] = {
            "objecting": self._object, "deciding": self._decide, "decided": self._say, "restricted": self._look,
        }  # fmt: skip
        await self._name_stuck([row for rows in mine.values() for row in rows])
        for state, step in steps.items():
            if mine.get(state):
                await step(mine[state])
        waiting = [row for state in ("published", "erased") for row in mine.get(state, ())]
        await self.store.save([_next(row, self._in(STUCK)) for row in waiting])
        return len(due)

    async def _object(self, rows: Sequence[Erasure]) -> None:
        """Find the stop that told everyone, or enter one; then wait until its orders are stored."""
        grants = await self._grants(rows)
        about = stops_by_record(await self.index.stops_about(list(grants.values())), list(grants.values()))
        ready: list[tuple[Erasure, Grant, Stop]] = []
        after: list[Erasure] = []
        entered: list[dict[str, Any]] = []
        for row in rows:
            grant = grants.get(row.record)
            stop = objection(about.get(row.record, ()), grant) if grant is not None else None
            if stop is None and row.stop is None:
                entered.append(stop_for(row))
                name = f"{PLATFORM_PARTY}/{entered[-1]['stop_id']}"
                after.append(_next(replace(row, stop=name), self._in(SOON)))
            elif grant is None:  # admitted, never assessed: nobody was told anything, the stop waits for its verdict
                there = await self.index.stop(row.stop or "")
                after.append(_next(row if there is None else replace(row, state="deciding"), self._in(SOON)))
            elif stop is None:
                after.append(_next(row, self._in(SOON)))  # ours is on its way, or its contacts are
            else:
                ready.append((row, grant, stop))
        await self.requesting.publish(entered)
        await self.store.save([*after, *await self._told(ready)])

    async def _told(self, ready: Sequence[tuple[Erasure, Grant, Stop]]) -> list[Erasure]:
        """The rows as they go on: those whose orders are all stored, and those that wait for some."""
        transfers: dict[str, list[str]] = {}
        for transfer in await self.index.transfers_of([grant.record for _, grant, _ in ready]):
            transfers.setdefault(transfer.record, []).append(transfer.to)
        orders = {row.record: orders_of(stop, g, transfers.get(g.record, ())) for row, g, stop in ready}
        wanted = [order for of_record in orders.values() for order in of_record]
        rows = {delivery.order: delivery for delivery in await self.ledger.deliveries(wanted)}
        registered = await self.teller.registered({party for of in orders.values() for party in of.values()})
        return [
            _next(replace(row, state="deciding", stop=stop.id), self._now())
            if all_told(orders[row.record], rows, registered)
            else _next(row, self._in(SOON))
            for row, _, stop in ready
        ]

    async def _decide(self, rows: Sequence[Erasure]) -> None:
        """Settle and store what becomes of each, and which keys go with it, before anything is said."""
        now, grants = self._now(), await self._grants(rows)
        once = await self.index.once_valid(grants)
        reports = await self.tombstones.reports_about(list(grants.values()))
        # Last: this lookup is confirmed, so that no name that was replaced meanwhile was looked up before it either.
        stops = stops_by_record(await self.index.stops_about(list(grants.values())), list(grants.values()))
        transfers: dict[str, list[str]] = {}
        for transfer in await self.index.transfers_of(grants):
            transfers.setdefault(transfer.record, []).append(transfer.to)
        after = []
        for row in rows:
            grant = grants.get(row.record)
            if grant is None:
                parties = row.parties or (said.source_of(row.record),)
                after.append(await self._held(replace(row, fate=Fate("erase"), parties=parties)))
                continue
            mine = [s for s in stops.get(row.record, ()) if request_of(s.id) is None]
            owners = {*row.owners, *(f"stop/{s.id}" for s in mine), *(f"report/{r}" for r in reports[row.record])}
            fate = Fate("erase") if row.cause is Cause.RETENTION else _fate(grant, once, now)
            known = replace(
                row, fate=fate, owners=tuple(sorted(owners)), contact_keys=tuple(sorted(grant.contact_keys)),
                subject_key=grant.subject_key, parties=said.parties_of(grant, transfers.get(row.record, ())),
            )  # fmt: skip
            after.append(await self._held(known))
        await self.store.save([_next(replace(row, state="decided"), now) for row in after])

    async def _held(self, row: Erasure) -> Erasure:
        holds = await self.holds.on(scopes_of(row.record, row.contact_keys, row.parties))
        return replace(row, fate=held(row.fate or Fate("erase"), holds))

    async def _say(self, rows: Sequence[Erasure]) -> None:
        """Tell the parties that it ended, then the entry: from here on everything follows from what is on the topic."""
        grants = await self._grants(rows)
        once = await self.index.once_valid(grants)
        known = await self.teller.registered(set().union(*(said.recipients(g) for g in grants.values())))
        living = [grant for grant in grants.values() if grant.sealed is not None]  # of a tombstone all were told before
        told = [event for g in living for event in said.ended(g, once.get(g.record, ()), known)]
        await self.outbox.send_all([*told, *(said.entry(row) for row in rows)])
        now = self._now()
        await self.store.save([
            _next(replace(row, state="published", published_at=now), self._in(STUCK)) for row in rows
        ])  # fmt: skip

    async def _look(self, rows: Sequence[Erasure]) -> None:
        """A restriction whose date or hold may have ended: erased then, else looked at again later."""
        now, after = self._now(), []
        for row in rows:
            holds = await self.holds.on(scopes_of(row.record, row.contact_keys, row.parties))
            later = next_look(row.fate.until if row.fate else None, holds, now, self._in(timedelta(days=1)))
            if later is not None:
                after.append(_next(row, later))
            else:
                after.append(_next(replace(row, state="decided", fate=Fate("erase"), published_at=None), now))
        await self.store.save(after)

    async def _name_stuck(self, rows: Sequence[Erasure]) -> None:
        """Open an obligation for each that should be done by now (promise P7)."""
        late = stuck(rows, self._in(-STUCK))
        await self.ledger.open_obligations([owed(row, self._now()) for row in late])
        for row in late:
            self.log.warning("erasure is not finished in time", record=row.record, state=row.state)

    async def _grants(self, rows: Sequence[Erasure]) -> dict[str, Grant]:
        """The records that have an index row; a tombstone counts for what it still says."""
        return {grant.record: grant for grant in await self.index.grants_of({row.record for row in rows})}

    def _now(self) -> Instant:
        return format_instant(self.clock.now())

    def _in(self, delay: timedelta) -> Instant:
        return format_instant(self.clock.now() + delay)


def _fate(grant: Grant, once: Mapping[str, frozenset[Name]], now: Instant) -> Fate:
    return on_request(grant, once.get(grant.record, frozenset()), now)


def _next(row: Erasure, at: Instant) -> Erasure:
    return replace(row, next_at=at, rev=row.rev + 1)
