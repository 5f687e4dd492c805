"""One look at everything every few seconds, in the background: however many pages are open, services are asked once.

Where nobody has looked at a page for a while, the looks become rare. All of it is in memory and holds no personal data.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx

from services.console.clients import Services
from services.console.lag import Lag
from services.console.scrape import Counters, Series, read
from shared.clock import Clock
from shared.kafka.batch import INFRASTRUCTURE

WATCHED_S, RARE_S = 60.0, 30.0
"""How long a page counts as looked at; how rare looks are after that."""
LAG_S = 8.0


class Lags(Protocol):
    """Where lag comes from."""

    async def look(self) -> list[Lag]:
        """Every group and topic. Raises what Kafka raises."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a service as it was seen last."""

    service: str
    base: str
    answers: bool
    ready: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The last look. `standing`: what the rights handler counts of stops; None where it does not answer."""

    at: datetime
    instances: tuple[Instance, ...]
    lags: tuple[Lag, ...] | None
    standing: dict[str, Any] | None

    @property
    def healthy(self) -> int:
        """How many processes are ready."""
        return sum(one.ready for one in self.instances)


class Watch:
    """The looks. `counters` sums the metrics of all processes over time."""

    def __init__(
        self, services: Services, lags: Lags, clock: Clock, every: float, log: Any,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._services, self._lags, self._clock, self._every, self._log = services, lags, clock, every, log
        self._monotonic = monotonic
        self._asked_at = monotonic()
        self._asked = asyncio.Event()
        self.counters = Counters()
        self.last: Snapshot | None = None

    def asked(self) -> Snapshot | None:
        """The last look, for a page: looks are frequent while pages ask."""
        self._asked_at = self._monotonic()
        self._asked.set()
        return self.last

    async def run(self) -> None:
        """Look for ever."""
        try:
            while True:
                await self.look()
                self._asked.clear()
                if self._monotonic() - self._asked_at < WATCHED_S:
                    await asyncio.sleep(self._every)
                    continue
                try:
                    async with asyncio.timeout(RARE_S):
                        await self._asked.wait()
                except TimeoutError:
                    continue
        except asyncio.CancelledError:  # the console ends; after any other fault this loop is started again
            await self._services.stop()
            raise
        finally:
            await self._lags.stop()

    async def look(self) -> Snapshot:
        """Look once."""
        places = [(name, base) for name, bases in self._services.instances.items() for base in bases]
        seen, lags, standing = await asyncio.gather(
            asyncio.gather(*(self._instance(*place) for place in places)),
            self._lag(),
            self._services.get_or_none("rights_handler", "/v1/standing"),
        )
        self.counters.take(self._monotonic(), {one.base: series for one, series in seen if series is not None})
        self.last = Snapshot(self._clock.now(), tuple(one for one, _ in seen), lags, standing)
        return self.last

    async def _instance(self, service: str, base: str) -> tuple[Instance, dict[Series, float] | None]:
        health, metrics = await asyncio.gather(
            self._services.look(base, "/health/ready"), self._services.look(base, "/metrics")
        )
        if health is None:
            return Instance(service, base, answers=False, ready=False), None
        try:
            series = None if metrics is None or metrics.is_error else read(metrics.text)
        except ValueError:
            series = None
        ready = health.status_code == httpx.codes.OK
        return Instance(service, base, answers=True, ready=ready, problems=_problems(health)), series

    async def _lag(self) -> tuple[Lag, ...] | None:
        try:
            async with asyncio.timeout(LAG_S):
                return tuple(await self._lags.look())
        except INFRASTRUCTURE as error:
            self._log.warning("lag cannot be read", exc_info=error)
            await self._lags.stop()
            return None


def _problems(health: httpx.Response) -> tuple[str, ...]:
    try:
        found: Sequence[Any] = health.json().get("problems", [])
    except (ValueError, AttributeError):
        return ()
    return tuple(str(one) for one in found)
