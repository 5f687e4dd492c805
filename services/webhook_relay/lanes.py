"""Which lanes run: one for each party that has something due, unless its endpoint is left alone or another instance has it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

from services.webhook_relay.lane import Lane, Parts
from services.webhook_relay.store import Endpoint

GIVE_UP_EVERY_S = 30.0


class Lanes:
    """All lanes of this process."""

    def __init__(self, parts: Parts, sweep_every: float) -> None:
        self._parts, self._sweep_every = parts, sweep_every
        self._running: dict[str, tuple[Lane, asyncio.Task[None]]] = {}
        self._resume_at: dict[str, datetime] = {}
        self._gave_up_at: datetime | None = None
        self._open = False

    def wake(self, parties: Collection[str]) -> None:
        """Something was queued for these parties."""
        for party in parties:
            running = self._running.get(party)
            if running is not None:
                running[0].wake()
            else:
                self._start(party)

    def enable(self, party: str) -> None:
        """Forget why a party was left alone."""
        self._resume_at.pop(party, None)
        self._start(party)

    async def run(self) -> None:
        """Look for what is due until cancelled; then let every lane end."""
        self._open = True
        try:
            while True:
                await self.sweep()
                await asyncio.sleep(self._sweep_every)
        finally:
            self._open = False
            tasks = [task for _, task in self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._parts.sending.close()

    async def sweep(self) -> None:
        """One look: give up what is too old, start a lane where something is due."""
        now = self._parts.clock.now()
        if self._gave_up_at is None or (now - self._gave_up_at).total_seconds() >= GIVE_UP_EVERY_S:
            self._gave_up_at = now
            count = await self._parts.store.give_up(now - timedelta(seconds=self._parts.policy.give_up_after))
            if count:
                self._parts.log.error("events given up: replay them when their endpoint works", count=count)
        due = {party for party, at in (await self._parts.store.next_by_party()).items() if at <= now}
        if due - self._running.keys():
            known = await self._parts.store.endpoints()
            for party in due - self._running.keys():
                if not known.get(party, Endpoint()).breaker.open_at(now):
                    self._start(party)

    def _start(self, party: str) -> None:
        until = self._resume_at.get(party)
        if not self._open or party in self._running or (until is not None and self._parts.clock.now() < until):
            return
        lane = Lane(party, self._parts)
        task = asyncio.create_task(lane.run(), name=f"lane {party}")
        self._running[party] = lane, task
        task.add_done_callback(lambda done: self._ended(party, lane, done))

    def _ended(self, party: str, lane: Lane, task: asyncio.Task[None]) -> None:
        self._running.pop(party, None)
        if lane.resume_at is None:
            self._resume_at.pop(party, None)
        else:
            self._resume_at[party] = lane.resume_at
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._parts.log.warning("deliveries interrupted, resumed at the next sweep", party=party, exc_info=error)
        elif lane.woken:
            self._start(party)
