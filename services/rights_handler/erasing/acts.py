"""Acts on holds: add, review, release. Each is stored first, then archived as an entry; doing one twice archives it once.

A hold cannot bring back what is already said to be erased: `too_late` names those records.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from services.rights_handler.deliveries import OPERATOR
from services.rights_handler.domain import Instant
from services.rights_handler.erasing import said
from services.rights_handler.erasing.hold_store import MongoHolds
from services.rights_handler.erasing.holds import Hold, ScopeKind
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.ports import Ledger, Obligation, Outbox
from shared.clock import Clock
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.problems import Refusal


@dataclass(frozen=True, slots=True)
class HoldActs:
    """What may be done with holds."""

    holds: MongoHolds
    store: MongoErasures
    ledger: Ledger
    outbox: Outbox
    clock: Clock
    every: timedelta
    """How often overdue reviews are looked for."""

    async def add(self, hold: Hold) -> list[str]:
        """Put a hold on; returns the records it names that are erased already. The same hold again archives nothing new."""
        self._future(hold.review_at)
        if not await self.holds.add(hold):
            there = await self.holds.get(hold.id)
            if there is None or replace(there, added_at=hold.added_at) != hold:
                raise Refusal(409, "HOLD-EXISTS", "A hold of this id exists already, and says something else")
            hold = there
        await self.outbox.send_all([said.hold_entry("added", hold, hold.added_at)])
        if hold.kind is not ScopeKind.RECORD:
            return []
        record = hold.scope.partition(":")[2]
        row = (await self.store.of([record])).get(record)
        erasing = row is not None and row.fate is not None and row.fate.outcome == "erase"
        return [record] if erasing and row is not None and row.state in ("published", "erased", "done") else []

    async def review(self, hold_id: str, review_at: Instant) -> Hold:
        """It goes on until another date. Raises 404 where it is not in force."""
        self._future(review_at)
        now = format_instant(self.clock.now())
        before = _found(await self.holds.get(hold_id))
        hold = _found(await self.holds.review(hold_id, review_at, now))
        await self.ledger.close_obligations([_review_of(before)], now)
        await self.outbox.send_all([said.hold_entry("reviewed", hold, now)])
        return hold

    async def release(self, hold_id: str) -> tuple[Hold, list[str]]:
        """It is over; returns it, and the restricted records that are looked at again now. Raises 404 where there is none.

        A release that was stored and not archived (a crash) is archived by asking again.
        """
        now = format_instant(self.clock.now())
        hold = await self.holds.release(hold_id, now) or await self.holds.get(hold_id)
        hold = _found(hold)
        await self.ledger.close_obligations([_review_of(hold)], now)
        await self.outbox.send_all([said.hold_entry("released", hold, hold.released_at or now)])
        field = {ScopeKind.RECORD: "_id", ScopeKind.CONTACT: "contact_keys", ScopeKind.PARTY: "parties"}[hold.kind]
        records = await self.store.scoped(field, hold.scope.partition(":")[2])
        await self.store.look_now(records, now)
        return hold, records

    async def watch(self) -> None:
        """Name overdue reviews for ever."""
        while True:
            await self.name_overdue()
            await asyncio.sleep(self.every.total_seconds())

    async def name_overdue(self) -> None:
        """An obligation of the operator for each hold whose review date has passed (promise P7)."""
        now = format_instant(self.clock.now())
        late = [hold for hold in await self.holds.all(released=False) if hold.review_at <= now]
        await self.ledger.open_obligations([
            Obligation(
                id=_review_of(hold), kind="hold-review", owner=OPERATOR,
                cause="a legal hold is past its review date: say that it goes on, or release it",
                opened_at=now, due_at=hold.review_at, next_at=None, refs=(("hold", hold.id),),
            )
            for hold in late
        ])  # fmt: skip

    def _future(self, review_at: Instant) -> None:
        if review_at <= format_instant(self.clock.now()):
            raise InputError([Problem("HOLD-REVIEW-PAST", "/review_at", "the review date must lie in the future")])


def _review_of(hold: Hold) -> str:
    return f"hold/{hold.id}/{hold.review_at}"


def _found(hold: Hold | None) -> Hold:
    if hold is None:
        raise Refusal(404, "HOLD-UNKNOWN", "No hold of this id is in force")
    return hold
