"""The parties of the demonstration: most answer at once, one is slow, one says it does not know the person, one is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Self

from services.cli.party_simulator import Behaviour, SimulatedParty
from shared.settings import Settings

SLOW_S = 2.5
"""Well before a reminder is due, long enough to be seen."""

PARTS: dict[str, str] = {"hibou": "slow", "tisane": "unknown", "marmotte": "silent"}
"""Who plays what; every other party answers at once."""

BEHAVIOURS: dict[str, Behaviour] = {
    "prompt": Behaviour(),
    "slow": Behaviour(delay_s=SLOW_S),
    "unknown": Behaviour(status="unknown_person"),
    "silent": Behaviour(silent=True),
}


class Cast:
    """All parties, playing while the context is open. Raises what a party raised, when it closes."""

    def __init__(self, settings: Settings, parties: Iterable[str]) -> None:
        self.behaviours = {party: PARTS.get(party, "prompt") for party in parties}
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []

    def playing(self, *parts: str) -> set[str]:
        """Parties that play one of these parts."""
        return {party for party, part in self.behaviours.items() if part in parts}

    def check(self) -> None:
        """Raise what a party raised, if one stopped playing."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def __aenter__(self) -> Self:
        for party, part in self.behaviours.items():
            played = SimulatedParty(self._settings, party, BEHAVIOURS[part])
            self._tasks.append(asyncio.create_task(played.run(), name=f"party {party}"))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
