"""The dead letters that wait, followed as they come: their places and reasons in memory, never what they hold.

A letter's content is read from the topic when an operator opens it, and forgotten with the answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from shared.clock import Clock
from shared.errors import ConfigurationError, InputError, Problem
from shared.instants import to_millis
from shared.kafka.batch import INFRASTRUCTURE
from shared.kafka.letters import (
    DeadFollower,
    Letter,
    Resolution,
    read_letter,
    replay_of,
    resolution_of,
)
from shared.kafka.publisher import Publisher
from shared.settings import Settings
from shared.topics import DEAD

MOST = 20_000
"""Letters remembered: the newest; more than that is a flood, which the command handles."""
AGAIN_S = 5.0
REPLAYED_TO = "in."
"""Where the console may replay to: what partners sent, which the collector checks again. Facts are never written from here."""


class Letters:
    """The letters of one deployment."""

    def __init__(self, settings: Settings, publisher: Publisher, clock: Clock, log: Any) -> None:
        self._settings, self._publisher, self._clock, self._log = settings, publisher, clock, log
        self._known: dict[str, Letter] = {}
        self._resolved: dict[str, str] = {}
        self.complete = False
        """Whether the topic has been read to its end once."""

    def waiting(self) -> list[Letter]:
        """Those that nobody has resolved, the newest first; without key, value and headers."""
        gone = to_millis(self._clock.now()) - DEAD.retention_ms
        found = [one for one in self._known.values() if one.id not in self._resolved and one.timestamp > gone]
        return sorted(found, key=lambda one: (one.timestamp, one.partition, one.offset), reverse=True)

    def resolution(self, letter_id: str) -> str | None:
        """How a letter was resolved."""
        return self._resolved.get(letter_id)

    async def run(self) -> None:
        """Follow for ever; an engine that is away is waited for."""
        while True:
            follower = DeadFollower(self._settings, "console-letters")
            try:
                async for letters, resolutions, at_end in follower.batches():
                    self._take(letters, resolutions)
                    self.complete = self.complete or at_end
            except INFRASTRUCTURE as error:
                self._log.warning("dead letters cannot be followed", exc_info=error)
                await asyncio.sleep(AGAIN_S)
            finally:
                await follower.stop()

    def _take(self, letters: list[Letter], resolutions: dict[str, str]) -> None:
        for letter in letters:
            self._known[letter.id] = replace(letter, key=None, value=None, headers=())
        self._resolved |= resolutions
        while len(self._known) > MOST:
            gone = next(iter(self._known))
            del self._known[gone]
            self._resolved.pop(gone, None)

    async def open(self, letter_id: str) -> Letter:
        """One letter with what it holds. Raises InputError where there is none."""
        found = await read_letter(self._settings, letter_id)
        if found is None:
            raise InputError(
                [Problem("DEAD-UNKNOWN", "/letter", "no letter has this number: it may be past its seven days")]
            )
        return replace(found, resolution=self._resolved.get(letter_id))

    async def resolve(self, letter: Letter, how: Resolution, reason: str) -> None:
        """Replay or drop one. Raises ConfigurationError for a replay to a topic the console does not write to."""
        if letter.resolution is not None:
            raise InputError([Problem("DEAD-RESOLVED", "/letter", "this letter was resolved already")])
        if how == "replayed":
            again = replay_of(letter)
            if not again.topic.startswith(REPLAYED_TO):
                raise ConfigurationError(
                    f"the console replays what partners sent only; for {again.topic}: opposable dead replay {letter.id}"
                )
            await self._publisher.send_all([again])  # interrupted here it is replayed twice: duplicates have no effect
        await self._publisher.send_all([resolution_of(letter, how, reason)])
        self._resolved[letter.id] = how
