"""After a copy was put back nobody is answered before stops and erasures were read again to where they ended (promises P3, P5).

`opposable backup restore` leaves a row in `rights.restores` with those ends. Until the groups have committed past them every route but
health, metrics and one-click withdrawals answers 503, and readiness says why: no permission is confirmed past a stop that is unread, nobody erased is found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import TopicPartition
from fastapi import FastAPI, Request
from starlette.responses import Response

from services.rights_handler.freshness import KafkaPositions, Offsets, Positions
from shared.clock import Clock
from shared.instants import format_instant
from shared.mongo import Client, database
from shared.problems import problem
from shared.service import Context
from shared.settings import Settings

LOOK_S = 0.5
ALWAYS = ("/health/", "/metrics", "/u/")
"""One-click withdrawals too: they read nothing, and never wait."""
SAID = "a copy of the database was restored: stops and erasures are read again before anybody is answered"


class Gate:
    """Closed until what is noted was read; open where nothing is."""

    def __init__(self, client: Client, positions: Positions, clock: Clock, name: str = "rights") -> None:
        self._rows = database(client, name)["restores"]
        self._positions, self._clock = positions, clock
        self.waits_for: Offsets = {}

    @property
    def is_open(self) -> bool:
        """Whether anybody may be answered."""
        return not self.waits_for

    async def load(self) -> None:
        """Read what is noted, before anything is consumed."""
        row = await self._rows.find_one({"_id": "newest", "read_at": None})
        self.waits_for = {} if row is None else {_partition(name): int(end) for name, end in row["until"]}

    async def watch(self) -> None:
        """Look until it is read, then open and note it; returns at once where nothing is noted."""
        try:
            while self.waits_for:
                committed = await self._positions.committed()
                self.waits_for = {p: end for p, end in self.waits_for.items() if committed.get(p, 0) < end}
                if not self.waits_for:
                    read = {"$set": {"read_at": format_instant(self._clock.now())}}
                    await self._rows.update_one({"_id": "newest", "read_at": None}, read)
                    return
                await asyncio.sleep(LOOK_S)
        finally:
            await self._positions.stop()

    async def problems(self) -> list[str]:
        """For readiness."""
        return [] if self.is_open else [SAID]

    def guard(self, app: FastAPI) -> None:
        """Answer 503 to everything else meanwhile."""

        @app.middleware("http")
        async def closed(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
            if self.is_open or request.url.path.startswith(ALWAYS):
                return await go_on(request)
            return problem(503, SAID[0].upper() + SAID[1:], code="RESTORING")


def install_gate(context: Context, settings: Settings) -> None:
    """Put the gate before every route of the service."""
    groups = {f"rights_handler.{name}": list for name in ("stops", "erasures")}
    gate = Gate(context.mongo, KafkaPositions(settings, "rights_handler", groups), context.clock)
    gate.guard(context.app)
    context.on_start(gate.load)
    context.background("restored", gate.watch)
    context.checks.append(gate.problems)


def _partition(name: Any) -> TopicPartition:
    topic, _, number = str(name).rpartition("/")
    return TopicPartition(topic, int(number))
