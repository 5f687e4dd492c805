"""From "this stop touches this record" to one order per party concerned, published at least once, known by its row.

Steps, in this order, each a single batched call: read the transfers, open the rows (while the vault is asked for the persons:
neither needs the other), read which of those that were there are not published, publish, mark. A crash anywhere replays the
whole; **an existing row never skips the publishing until it says published**.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.rights_handler.deliveries import OPERATOR, Delivery, Times, may_hold, open_delivery
from services.rights_handler.domain import Grant, Stop, concerned
from services.rights_handler.persons import Person
from services.rights_handler.ports import Index, Ledger, Obligation
from services.rights_handler.suppressing.near import near_pairs, review
from services.rights_handler.teller import Teller
from shared.clock import Clock
from shared.instants import format_instant

AckWithin = Callable[[str, str], timedelta]
"""(collector, party) → how long the party has to answer an order."""
Together = Callable[..., Awaitable[Sequence[Any]]]
"""Awaits several things at once: `asyncio.gather`, or one after the other where every order is tried (tests)."""
CHUNK = 2000
"""Orders published together: bounds the memory of a stop that touches very many records."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A stop that meets a record. `told`: who was told it may use the record; None when that cannot be known."""

    stop: Stop
    grant: Grant
    told: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class FanOut:
    """Tells everyone concerned by stops."""

    index: Index
    ledger: Ledger
    teller: Teller
    clock: Clock
    ack_within: AckWithin
    times: Times
    together: Together = asyncio.gather

    async def __call__(self, touches: Sequence[Touch], persons: Mapping[str, Person] | None = None) -> None:
        """Order it of every party concerned. `persons`: those already opened, by record; others are here."""
        if not touches:
            return
        grants = {touch.grant.record: touch.grant for touch in touches}
        transfers: dict[str, list[str]] = {record: [] for record in grants}
        for transfer in await self.index.transfers_of(grants):
            transfers[transfer.record].append(transfer.to)
        rows = self._rows(touches, transfers)
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            pending, opened = await self.together(self._open(chunk), self._persons(chunk, grants, persons or {}))
            await self._publish(pending, grants, opened)

    async def review(self, stops: Sequence[Stop], grants: Sequence[Grant]) -> None:
        """Ask the operator about postal addresses that look alike; nothing is ordered because of them."""
        if not any(stop.near_keys for stop in stops):
            return  # nearly always so
        now = format_instant(self.clock.now())
        questions = {one.id: one for one in (review(stop, grant, now) for stop, grant in near_pairs(stops, grants))}
        if questions:
            await self.ledger.open_obligations(list(questions.values()))

    async def _open(self, rows: Sequence[Delivery]) -> list[Delivery]:
        """Open the rows; returns all whose orders have to be published: those that do not say they were, whoever opened them."""
        there = await self.ledger.open_deliveries(rows)
        new = [row for row in rows if row.order not in there]
        return [*new, *await self.ledger.unpublished(sorted(there))] if there else new

    async def _persons(
        self, rows: Sequence[Delivery], grants: Mapping[str, Grant], known: Mapping[str, Person]
    ) -> Mapping[str, Person]:
        """The persons of these rows' records: those already open, and the others opened now."""
        missing = {row.record for row in rows} - set(known)
        return {**known, **await self.teller.open([grants[record] for record in missing])} if missing else known

    def _rows(self, touches: Sequence[Touch], transfers: Mapping[str, list[str]]) -> list[Delivery]:
        now = format_instant(self.clock.now())
        rows: dict[str, Delivery] = {}
        for touch in touches:
            for party in sorted(concerned(touch.stop, touch.grant, transfers[touch.grant.record])):
                row = open_delivery(
                    touch.stop, touch.grant, party, now=now, times=self.times,
                    may_hold=may_hold(party, touch.grant, touch.told),
                    ack_within=self.ack_within(touch.grant.collector, party),
                )  # fmt: skip
                rows[row.order] = row
        return list(rows.values())

    async def _publish(
        self, pending: Sequence[Delivery], grants: Mapping[str, Grant], persons: Mapping[str, Person]
    ) -> None:
        if not pending:
            return
        known = await self.teller.registered({row.party for row in pending})
        reachable = [row for row in pending if row.party in known]
        await self.teller.orders(reachable, grants, persons)
        await self.ledger.mark_published([row.order for row in reachable])
        await self.ledger.open_obligations([nobody_to_tell(row) for row in pending if row.party not in known])


def nobody_to_tell(row: Delivery) -> Obligation:
    """A party that is named but not registered has no topic: an operator must find it. The scheduler keeps trying."""
    return Obligation(
        id=f"unregistered/{row.order}",
        kind="party-unregistered",
        owner=OPERATOR,
        cause="a party named by a consent or a transfer is not registered: register it, or tell it by other means",
        opened_at=row.ordered_at,
        due_at=row.ack_due_at,
        next_at=row.next_at,
        refs=(("stop", row.stop), ("party", row.party), ("record", row.record), ("order", row.order)),
    )
