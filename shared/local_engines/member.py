"""One process kept alive: started, watched, started again with back-off when it dies, held down when a drill asks."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from shared.errors import OpposableError, Unavailable
from shared.local_engines.backoff import count_deaths, delay_s
from shared.local_engines.child import Child, how_it_ended
from shared.local_engines.console import Console


class Member:
    """A process by name. `restarts` counts how often it had to be started again."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None, console: Console, *,
        grace_s: float, on_start: Callable[[], None] = lambda: None, show: bool = True,
    ) -> None:  # fmt: skip
        self.name = name
        self.restarts = 0
        self._command, self._environment, self._console = list(command), environment, console
        self._grace_s, self._on_start, self._show = grace_s, on_start, show
        self._child: Child | None = None
        self._starting: asyncio.Task[Child] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._may_run = asyncio.Event()
        self._may_run.set()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now, or None between two lives."""
        return self._child.pid if self._child is not None and self._child.code is None else None

    async def start(self) -> None:
        """Start it for the first time. Raises ConfigurationError when its command cannot be run."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def survives(self, ready: Coroutine[Any, Any, None]) -> None:
        """Await `ready`, failing at once if the process dies meanwhile. Raises Unavailable with its last words."""
        waiting = asyncio.create_task(ready)
        try:
            while not waiting.done():
                await asyncio.wait({waiting}, timeout=0.1)
                if self.restarts or self.pid is None:
                    words = " · ".join(self._child.tail) if self._child is not None else ""
                    raise Unavailable(f"{self.name} ends before it is ready: {words or 'it says nothing'}")
            await waiting
        finally:
            waiting.cancel()

    def kill(self, number: signal.Signals) -> None:
        """Send it a signal (drills). What follows is the supervisor's ordinary work."""
        if self._child is not None:
            self._child.signal_group(number)

    async def hold(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop it and keep it down until `release`."""
        self._may_run.clear()
        if self._child is None:
            return
        if number == signal.SIGTERM:
            await self._child.stop(self._grace_s)
        else:
            self._child.signal_group(number)
            await self._child.wait()

    def release(self) -> None:
        """Let it run again."""
        self._may_run.set()

    async def stop(self) -> None:
        """Stop it for good: politely, then surely."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        if self._starting is not None:
            await asyncio.wait({self._starting})
        if self._child is not None and not await self._child.stop(self._grace_s):
            self._console.say(f"{self.name} did not stop within {self._grace_s:g} s: killed")

    async def _spawn(self) -> None:
        # Shielded: a start that is interrupted must still know the process it made, to stop it.
        self._starting = asyncio.create_task(self._make())
        self._child = await asyncio.shield(self._starting)
        self._on_start()

    async def _make(self) -> Child:
        def keep(line: bytes) -> None:
            self._console.line(self.name, line, show=self._show)

        self._child = await Child.start(self.name, self._command, keep, environment=self._environment)
        return self._child

    async def _keep(self) -> None:
        deaths = 0
        while self._child is not None:
            begun = time.monotonic()
            code = await self._child.wait()
            if not self._may_run.is_set():
                self._console.say(f"{self.name} is held down")
                await self._may_run.wait()
            else:
                deaths = count_deaths(deaths, time.monotonic() - begun)
                wait_s = delay_s(deaths)
                self._console.say(f"{self.name} died ({how_it_ended(code)}): starting it again in {wait_s:g} s")
                await asyncio.sleep(wait_s)
                await self._may_run.wait()
            await self._again()

    async def _again(self) -> None:
        self.restarts += 1
        try:
            await self._spawn()
        except OpposableError as error:
            self._console.say(f"{self.name}: {error}")  # the dead child is found dead again, and the wait doubles
        else:
            self._console.say(f"{self.name} started again (process {self.pid})")
