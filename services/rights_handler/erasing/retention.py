"""The end of retention: records that are no longer needed are erased without anyone asking (RGPD 5(1)(e)).

Each record is looked at when it can first have come to its end, by an index on its collection; what is kept longer is looked at
again at its own date. Both are facts about sets (grants, stops), so two instances that look at one record do the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.rights_handler.domain import Grant, Instant, Stop
from services.rights_handler.erasing.door import Erases
from services.rights_handler.erasing.erase import Admissions
from services.rights_handler.erasing.model import Cause
from services.rights_handler.erasing.table import STOP_YEARS, first_look, kept_until, years_after
from services.rights_handler.erasing.tombstones import Tombstones
from services.rights_handler.matching import stops_by_record
from services.rights_handler.ports import Index
from shared.clock import Clock
from shared.instants import format_instant

MOST = 500
"""Records of one look."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Looks at what may have ended."""

    tombstones: Tombstones
    index: Index
    erasing: Erases
    vault: Admissions
    clock: Clock
    years: int
    """Kept so long after the end, where no text says how long (OPPOSABLE_RIGHTS_RETENTION_YEARS)."""
    every: timedelta
    log: Any

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if await self.look() + await self.look_at_stops() < MOST:
                await asyncio.sleep(self.every.total_seconds())

    async def look(self) -> int:
        """Look at what is due now; returns how many records were looked at."""
        now = format_instant(self.clock.now())
        records = await self.tombstones.to_look_at(first_look(now, self.years), now, MOST)
        grants = await self.index.grants_of(records)
        if not grants:
            return 0
        once = await self.index.once_valid([grant.record for grant in grants])
        stops = stops_by_record(await self.index.stops_about(grants), grants)
        moments = {g.record: self._until(g, stops.get(g.record, ()), once.get(g.record, frozenset())) for g in grants}
        over = sorted(record for record, until in moments.items() if until <= now)
        await self.erasing.erase(over, cause=Cause.RETENTION)  # stored first: a crash looks at them again
        again = format_instant(self.clock.now() + timedelta(days=1))
        await self.tombstones.look_again({record: max(until, again) for record, until in moments.items()})
        if over:
            self.log.info("retention ended", count=len(over))
        return len(records)

    async def look_at_stops(self) -> int:
        """Give up the text of stops that are old enough (contacts as they were written); what they do stands on hashes.

        Returns how many. A stop that was never admitted by the vault has no text.
        """
        before = years_after(format_instant(self.clock.now()), -STOP_YEARS)
        stops = await self.tombstones.old_stops(before, MOST)
        if stops:
            admitted = await self.vault.known([f"stop/{stop}" for stop in stops])
            await self.erasing.erase(sorted(admitted), cause=Cause.RETENTION)  # stored first
            await self.tombstones.gave_up(stops)
        return len(stops)

    def _until(self, grant: Grant, stops: Sequence[Stop], once: frozenset[Any]) -> Instant:
        return kept_until(grant, stops, once, self.years)
