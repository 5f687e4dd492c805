"""Unanswered orders: published again on schedule, then escalated to an operator, and published again still.

Each due row is claimed by compare-and-set for a short lease, so that two instances never act on one; an instance that dies
holding a claim is replaced when the lease ends. Clocks of instances may differ by seconds: only politeness depends on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from services.rights_handler import messages
from services.rights_handler.deliveries import Delivery, Times, chased, escalated, leased, overdue
from services.rights_handler.domain import Grant
from services.rights_handler.escalating import Officers, obligations, settled
from services.rights_handler.ports import Index, Ledger, Outbox
from services.rights_handler.teller import Teller
from shared.clock import Clock
from shared.instants import format_instant

LEASE = timedelta(seconds=60)
MOST = 500
"""Rows of one sweep."""


class Sweeps(Protocol):
    """Something else with rows that fall due."""

    async def sweep(self, most: int) -> int:
        """Act on at most so many rows that are due now; returns how many were looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Looks at what is due. `officers`: writes to the party's data protection contact once an order is escalated."""

    index: Index
    ledger: Ledger
    teller: Teller
    outbox: Outbox
    clock: Clock
    times: Times
    every: timedelta
    log: Any
    officers: Officers
    others: Sequence[Sweeps] = ()
    """Looked at in the same rounds, with leases of their own (`requests.sweeping`, `informing.sweeping`)."""

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            looked_at = [await self.sweep(), *[await one.sweep(MOST) for one in self.others]]
            if max(looked_at) < MOST:
                await asyncio.sleep(self.every.total_seconds())

    async def sweep(self) -> int:
        """Act on what is due now; returns how many rows were looked at."""
        now = self.clock.now()
        due = await self.ledger.due_deliveries(format_instant(now), MOST)
        claims = [leased(row, format_instant(now + LEASE)) for row in due]
        won = await self.ledger.save_deliveries(claims)
        mine = [row for row in claims if row.order in won]
        if mine:
            at = format_instant(now)
            late = [row for row in mine if overdue(row, at)]
            await self._escalate(late, at)
            await self._chase([row for row in mine if not overdue(row, at)], at)
        return len(due)

    async def _chase(self, rows: Sequence[Delivery], now: str) -> None:
        """Publish them again. A party that is still not registered waits for the end of the lease."""
        known = await self.teller.registered({row.party for row in rows})
        grants: Mapping[str, Grant] = {g.record: g for g in await self.index.grants_of({row.record for row in rows})}
        after = [chased(row, now, self.times) for row in rows if row.party in known and row.record in grants]
        await self.teller.orders(after, grants)
        await self.ledger.save_deliveries(after)
        first = {row.order for row in rows if not row.published}
        await self.ledger.close_obligations([f"unregistered/{row.order}" for row in after if row.order in first], now)

    async def _escalate(self, rows: Sequence[Delivery], now: str) -> None:
        """Make it an operator's and the party's officer's matter.

        First the obligations, then the order once more, the letter and the fact, last the row: a crash repeats it whole, under
        the same ids. An answer that came meanwhile won the row, and may have looked for these obligations before they were there:
        they end here.
        """
        if not rows:
            return
        after = [escalated(row, now, self.times) for row in rows]
        contacts = {row.party: self.teller.contact_dpo(row.party) for row in after}
        await self.ledger.open_obligations([one for row in after for one in obligations(row, now, contacts[row.party])])
        grants = {grant.record: grant for grant in await self.index.grants_of({row.record for row in after})}
        await self.teller.orders([row for row in after if row.record in grants], grants)
        untold = {row.order for row in await self.officers.write(after)}
        await self.outbox.send_all([
            messages.fact("delivery.escalated", row, event="1", at=now, ack_due_at=row.ack_due_at, reminders=row.reminders,
                          officer_written_to=row.order not in untold)
            for row in after
        ])  # fmt: skip
        saved = await self.ledger.save_deliveries(after)
        if len(saved) < len(after):
            crossed = await self.ledger.deliveries({row.order for row in after} - saved)
            over = [one for row in crossed if row.state == "closed" for one in settled(row.order)]
            await self.ledger.close_obligations(over, now)
        for row in after:
            self.log.warning("order escalated: no acceptable answer in time", order=row.order, party=row.party)
