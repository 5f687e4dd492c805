"""One batch of `erasures`: wait until the log and the index are done with it, then touch the keys, then say so.

A crash anywhere does the batch again: a destroyed key stays destroyed, and what is said of it derives from the tombstone. An
entry that cannot be read halts the group: no key is destroyed past it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from services.eraser.confirmations import Confirmations
from services.eraser.domain import destroyed, order_of, settled, waiting_for
from shared.clock import Clock
from shared.errors import Unavailable
from shared.instants import format_instant
from shared.kafka.publisher import Publisher
from shared.kafka.record import Record
from shared.vault import Vault

LOOK_S = 0.05
SAID_S = 5.0
"""A wait of this length is no longer the ordinary one (a signature a second): readiness says it."""


class Destroying:
    """The process of the eraser's group. `waiting`: what the batch in hand waits for, for readiness."""

    def __init__(
        self, *, vault: Vault, confirmations: Confirmations, publisher: Publisher, clock: Clock, wait_s: float, log: Any
    ) -> None:
        self._vault, self._confirmations, self._publisher = vault, confirmations, publisher
        self._clock, self._wait_s, self._log = clock, wait_s, log
        self.waiting: list[str] = []

    async def process(self, records: Sequence[Record]) -> None:
        """One batch (see the module)."""
        placed = [(record, order) for record in records if (order := order_of(record)) is not None]
        if not placed:
            return
        upto: dict[int, int] = {}
        for record, _ in placed:
            upto[record.partition] = max(record.offset, upto.get(record.partition, -1))
        await self._confirmed(upto)
        orders = [order for _, order in placed]
        closed, gone = settled(orders)
        for until, owners in closed.items():
            await self._vault.restrict(owners, until)
        if not gone:
            return
        count = await self._vault.erase(gone, format_instant(self._clock.now()))
        at = await self._vault.erased_at(gone)
        await self._publisher.send_all([
            destroyed(order, at[order.record]) for order in orders if order.destroys and order.record in at
        ])  # fmt: skip
        self._log.info("keys destroyed", count=count)

    async def _confirmed(self, upto: dict[int, int]) -> None:
        """Return once everybody has passed these offsets. Raises `Unavailable` with who has not, after a while."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while waiting := waiting_for(upto, await self._confirmations.passed()):
            if loop.time() > began + SAID_S:
                self.waiting = waiting
            if loop.time() > began + self._wait_s:
                raise Unavailable(f"no key is destroyed before {'; '.join(waiting)}")
            await asyncio.sleep(LOOK_S)
        self.waiting = []
