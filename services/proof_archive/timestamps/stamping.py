"""Timestamps all checkpoints at an interval; while the authority is away, ever more slowly, under an obligation (promise P7)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from services.proof_archive.log.reader import Reader
from services.proof_archive.log.store import Store
from services.proof_archive.timestamps.authority import Authority
from services.proof_archive.timestamps.kept import Kept, KeptStamps, named, obligation_of, statement_of, told
from shared.clock import Clock
from shared.errors import IntegrityError, Unavailable
from shared.kafka.batch import INFRASTRUCTURE

FIRST_DELAY_S, LONGEST_DELAY_S = 5.0, 900.0


class Stamping:
    """The timestamps of one deployment, asked for by one process (the signer's)."""

    def __init__(
        self,
        authority: Authority,
        kept: KeptStamps,
        *,
        reader: Reader,
        store: Store,
        deployment: str,
        interval_s: float,
        clock: Clock,
        log: Any,
    ) -> None:
        self._authority, self._kept, self._reader, self._store = authority, kept, reader, store
        self._deployment, self._interval, self._clock, self._log = deployment, interval_s, clock, log
        self._last: str | None = None
        self._delay = FIRST_DELAY_S
        self._owed = True
        """Whether an obligation may be open: one of an earlier process is closed by the first success."""

    async def round(self, client: httpx.AsyncClient) -> bool:
        """Timestamp what the logs are now; False where they have not grown since. Raises what `Authority.stamp` does."""
        statement, logs = statement_of(self._deployment, await self._reader.latest_under(self._deployment))
        if self._last is None:
            for newest in await self._kept.newest():
                await self._kept.index(newest, logs)
                self._last = newest.sha256
        name = named(statement)
        if not statement.checkpoints or name == self._last:
            return False
        data = statement.marshal()
        answer = await self._authority.stamp(client, data, self._clock.now())
        await self._kept.keep(Kept(name, answer.at, data, answer.token), answer.answer, logs)
        self._last = name
        self._log.info("checkpoints timestamped", logs=len(statement.checkpoints))
        return True

    async def step(self, client: httpx.AsyncClient) -> float:
        """One round whose failure is an obligation; returns the seconds to wait."""
        try:
            await self.round(client)
            if self._owed:
                await self._store.discharge([obligation_of(self._deployment)])
                self._owed = False
        except (Unavailable, IntegrityError) as error:
            delay, self._delay = self._delay, min(2 * self._delay, LONGEST_DELAY_S, max(self._interval, FIRST_DELAY_S))
            now = self._clock.now()
            due = told(now if self._owed else now + timedelta(seconds=self._interval))
            self._owed = True
            next_at = told(now + timedelta(seconds=delay))
            await self._store.oblige(
                obligation_of(self._deployment), str(error), told(now), due_at=due, next_at=next_at
            )
            self._log.warning("checkpoints not timestamped", reason=str(error), seconds=delay)
            return delay
        self._delay = FIRST_DELAY_S
        return self._interval

    async def run(self) -> None:
        """Rounds for ever."""
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    delay = await self.step(client)
                except INFRASTRUCTURE as error:
                    delay = FIRST_DELAY_S
                    self._log.warning("timestamps put off: an engine is away", seconds=delay, exc_info=error)
                await asyncio.sleep(delay)
