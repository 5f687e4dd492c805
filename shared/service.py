"""How a service lives: connect, read the registry to its end, consume, serve HTTP, and stop in order on SIGTERM.

A service's `app.py` gives `run_service` a `build` function that wires its handlers to a `Context`; it holds no other logic.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import uvicorn
import uvloop
from fastapi import FastAPI
from pymongo.errors import PyMongoError

from shared import health, logging
from shared.clock import Clock, SystemClock
from shared.kafka.batch import BatchLoop, Process
from shared.kafka.consuming import AssignedHook, Consuming, make_broker
from shared.kafka.dead import DeadLetter, to_outgoing
from shared.kafka.publisher import Publisher
from shared.kafka.record import Record
from shared.metrics import Metrics
from shared.mongo import Client, connect
from shared.problems import RESPONSES
from shared.problems import install as install_problems
from shared.provisioning import require_topics
from shared.registry.feed import RegistryFeed
from shared.settings import Settings
from shared.topics import REGISTRY
from shared.tracing import make_tracing

Build = Callable[["Context"], Awaitable[None]]
GC_THRESHOLD = 50_000
"""Allocations between two young collections: a batch makes tens of thousands of short-lived objects, none in cycles."""
RESTART_FIRST_S, RESTART_MOST_S = 0.5, 30.0
CANCEL_AGAIN_S = 1.0


class Context:
    """What a service is given. Made once per process by `run_service` (or by a test, with its own clock)."""

    def __init__(self, name: str, settings: Settings, clock: Clock | None = None) -> None:
        self.name = name
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.log = logging.configure(name, settings.log_level)
        self.metrics = Metrics()
        self.tracing = make_tracing(settings, name)
        self.publisher = Publisher(settings, name, self.tracing)
        self.mongo: Client = connect(settings, name)
        self.registry = RegistryFeed(settings, name, self.log)
        self.app = FastAPI(title=f"Opposable {name}", version="1", docs_url=None, redoc_url=None, responses=RESPONSES)
        self.checks: list[health.Check] = [self._engines, self._consumers]
        self._broker = make_broker(settings, name)
        self._consuming: list[Consuming] = []
        self._loops: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._preparations: list[Callable[[], Awaitable[None]]] = []
        install_problems(self.app, self.log)
        health.mount(self.app, name, self.metrics, self.checks)

    def consume(
        self,
        *,
        group: str,
        process: Process,
        topics: Sequence[str] = (),
        pattern: str | None = None,
        on_assigned: AssignedHook | None = None,
        isolate: bool = True,
        max_records: int = 1000,
    ) -> None:
        """Subscribe a process to topics (or to a pattern of topics) as one consumer group."""
        loop = BatchLoop(
            group=group, process=process, publisher=self.publisher, metrics=self.metrics, log=self.log, isolate=isolate,
            tracing=self.tracing,
        )  # fmt: skip
        self._consuming.append(
            Consuming(
                self._broker, loop, topics=topics, pattern=pattern, on_assigned=on_assigned, max_records=max_records,
                metrics=self.metrics, log=self.log,
            )
        )  # fmt: skip

    def on_start(self, prepare: Callable[[], Awaitable[None]]) -> None:
        """Run once before consuming (indexes…); a failure ends the process, which is then started again."""
        self._preparations.append(prepare)

    def background(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Run a coroutine function for the life of the service; if it fails it is said and started again, with back-off."""
        self._loops.append((name, loop))

    async def dead_all(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        """Put records aside in `dead` with a code and a sentence; returns when they are stored."""
        await self.publisher.send_all([to_outgoing(DeadLetter(*letter)) for letter in letters])
        for _, code, _ in letters:
            self.metrics.dead.labels(code).inc()

    async def start(self) -> None:
        """Connect, read the registry, then consume. Raises when Kafka or a topic is missing: the supervisor retries."""
        await require_topics(self.settings, [REGISTRY.name, *(t for c in self._consuming for t in c.topics)])
        await self.publisher.start()
        await self.registry.start()
        for prepare in self._preparations:
            await prepare()
        self._tasks = [asyncio.create_task(self._supervise(name, loop)) for name, loop in self._loops]
        await self._broker.start()

    async def stop(self) -> None:
        """Stop consuming (finishing the batch in hand), then everything else, in order."""
        await self._broker.stop()
        await _finish(self._tasks)
        await self.registry.stop()
        await self.publisher.stop()
        await self.mongo.close()
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.stop)

    async def _supervise(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        delay = RESTART_FIRST_S
        while True:
            try:
                await loop()
            except Exception as error:  # a loop must outlive any fault: it is said, and waited out
                self.log.error("background loop failed, restarting", task=name, seconds=delay, exc_info=error)
            else:
                return
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(RESTART_MOST_S, delay * 2)

    async def _engines(self) -> list[str]:
        try:
            await self.mongo.admin.command("ping")
        except PyMongoError:
            return ["MongoDB does not answer"]
        return []

    async def _consumers(self) -> list[str]:
        return [problem for consuming in self._consuming for problem in consuming.problems()]


async def _finish(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they are done: before Python 3.12 `asyncio.wait_for` may swallow a cancellation (gh-86296)."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


def run_service(name: str, settings: Settings, build: Build) -> None:
    """Run a service until SIGTERM or SIGINT. Exits non-zero when it cannot start (the supervisor restarts it)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(name, settings, build))


async def _run(name: str, settings: Settings, build: Build) -> None:
    context = Context(name, settings)
    await build(context)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await context.start()
        context.log.info("started", port=settings.http_port)
        try:
            yield
        finally:
            await context.stop()
            context.log.info("stopped")

    gc.freeze()  # what was built so far lives as long as the process
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    context.app.router.lifespan_context = lifespan
    config = uvicorn.Config(
        context.app, host=settings.http_host, port=settings.http_port, log_config=None, access_log=False,
        server_header=False, timeout_graceful_shutdown=20,
    )  # fmt: skip
    server = uvicorn.Server(config)
    await server.serve()
    if not server.started:
        raise SystemExit(1)
