"""The life of a local system: engines, preparation, services, addresses; then the same in reverse, nothing left behind.

All of it runs in one event loop (see `Supervisor` for callers without one).
"""

from __future__ import annotations

import asyncio
import signal
import time

import httpx

from shared.access.plan import OPERATOR
from shared.errors import ConfigurationError, Unavailable
from shared.local_engines.choose import choose_kafka, choose_mongodb
from shared.local_engines.console import Console
from shared.local_engines.endpoints import FILE, Endpoints, ServiceAt
from shared.local_engines.engine import KAFKA, MONGODB, Engine
from shared.local_engines.lock import DirectoryLock
from shared.local_engines.member import Member
from shared.local_engines.plan import HOST, Plan
from shared.local_engines.ports import PortBook
from shared.local_engines.secret_files import ensure_secrets
from shared.local_engines.trust import write_policy

SERVICE_GRACE_S = 25.0
"""A service finishes its batch and answers its last requests in 20 s at most."""
ENGINE_GRACE_S = 30.0
POLL_S = 0.2
READY_PATH = "/health/ready"


class Supervision:
    """One running system. `start`, then `wait_ready`, then `stop`, which is right after a failed start too."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self.plan = plan
        self._console = console
        self._lock = DirectoryLock(plan.data_dir)
        self._engines: dict[str, Engine] = {}
        self._engine_members: dict[str, Member] = {}
        self._services: dict[str, Member] = {}
        self._ports: dict[str, int] = {}
        self._published = False
        self._starting: asyncio.Task[None] | None = None

    def member(self, name: str) -> Member:
        """The process of this name, engine or service. Raises ConfigurationError when there is none."""
        found = self._services.get(name) or self._engine_members.get(name)
        if found is None:
            raise ConfigurationError(f"no process named {name} runs here")
        return found

    def endpoints(self) -> Endpoints:
        """Where everything is now."""
        return Endpoints(
            kafka=self._engines[KAFKA].address if KAFKA in self._engines else "",
            mongodb=self._engines[MONGODB].address if MONGODB in self._engines else "",
            secrets_dir=self.plan.secrets_dir,
            deployment=self.plan.deployment,
            services={n: ServiceAt(m.pid or 0, f"http://{HOST}:{self._ports[n]}") for n, m in self._services.items()},
            engines={name: member.pid or 0 for name, member in self._engine_members.items()},
            security=self.plan.secure.settings(OPERATOR) if self.plan.secure is not None else {},
            mongo_security=self.plan.mongo_secure.settings(OPERATOR) if self.plan.mongo_secure is not None else {},
        )

    async def start(self) -> None:
        """Start everything. Raises ConfigurationError or Unavailable with a sentence; call `stop` then, too."""
        self._lock.acquire()
        self._starting = asyncio.current_task()
        (self.plan.data_dir / FILE).unlink(missing_ok=True)
        created = ensure_secrets(self.plan.secrets_dir)
        if created:
            self._console.say(f"secrets created in {self.plan.secrets_dir}: {', '.join(created)}")
        book = PortBook(self.plan.data_dir / "ports.json")
        chosen: list[Engine] = []
        if KAFKA in self.plan.engines:
            chosen.append(await choose_kafka(self.plan.data_dir, book, self.plan.wishes, self._console.say))
        if MONGODB in self.plan.engines:
            chosen.append(choose_mongodb(self.plan.data_dir, book, self.plan.wishes))
        try:
            async with asyncio.TaskGroup() as group:  # side by side: each waits mostly for the disk
                for engine in chosen:
                    group.create_task(self._start_engine(engine))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the other was cancelled because of it
        await self.plan.prepare(self.endpoints())
        await self._start_services(book)

    async def _start_engine(self, engine: Engine) -> None:
        self._console.say(engine.sentence)
        await engine.prepare()
        self._engines[engine.name] = engine
        command = engine.command()
        if command is None:
            return
        member = Member(
            engine.name, command, None, self._console, grace_s=ENGINE_GRACE_S, on_start=self._publish_again, show=False
        )
        self._engine_members[engine.name] = member
        await member.start()
        await member.survives(engine.ready())

    async def _start_services(self, book: PortBook) -> None:
        processes = self.plan.processes()
        base = self.plan.http_port
        for number, name in enumerate(self.plan.http_order()):
            self._ports[name] = book.port(name, None if base is None else base + number)
        for name, spec in processes:
            (self.plan.data_dir / "state" / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            environment = self.plan.environment_of(
                name, spec.name, self._ports[name], public_port=self._ports.get(self.plan.public, self._ports[name]),
                proof_port=self._ports.get(self.plan.proofs, self._ports[name]),
                kafka=self.endpoints().kafka, mongodb=self.endpoints().mongodb, ports=self._ports,
            )  # fmt: skip
            member = Member(
                name, spec.command, environment, self._console, grace_s=SERVICE_GRACE_S, on_start=self._publish_again
            )
            self._services[name] = member
            await member.start()

    async def wait_ready(self, within_s: float) -> Endpoints:
        """Return when every service answers that it is ready; the addresses are written then.

        Raises Unavailable naming those that are not, and why, after `within_s`. They go on being restarted.
        """
        end = time.monotonic() + within_s
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            while waiting := await self._not_ready(client):
                if time.monotonic() > end:
                    raise Unavailable("not ready: " + "; ".join(f"{name}: {why}" for name, why in waiting.items()))
                await asyncio.sleep(POLL_S)
        write_policy(self.plan.data_dir / "policy", self.plan.deployment, self.plan.secrets_dir)
        self._published = True
        self._publish_again()
        return self.endpoints()

    async def _not_ready(self, client: httpx.AsyncClient) -> dict[str, str]:
        waiting = {}
        for name, member in self._services.items():
            if member.pid is None:
                waiting[name] = "not running"
                continue
            try:
                answer = await client.get(f"http://{HOST}:{self._ports[name]}{READY_PATH}")
            except httpx.HTTPError:
                waiting[name] = "does not answer yet"
                continue
            if answer.status_code != httpx.codes.OK:
                waiting[name] = answer.text[:300]
        return waiting

    def _publish_again(self) -> None:
        if self._published:
            self.endpoints().write(self.plan.data_dir)

    def kill_all(self) -> None:
        """SIGKILL everything at once: the second Ctrl-C."""
        for member in [*self._services.values(), *self._engine_members.values()]:
            member.kill(signal.SIGKILL)

    async def stop(self) -> None:
        """Services in reverse order, then Kafka, then MongoDB. Safe to call twice, and while `start` still runs."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait({self._starting})
        self._published = False
        for spec in reversed(self.plan.services):
            names = [name for name, owner in self.plan.processes() if owner is spec]
            await asyncio.gather(*(self._services[name].stop() for name in names if name in self._services))
        for name in (KAFKA, MONGODB):
            if name in self._engine_members:
                await self._engine_members[name].stop()
        if self._lock.held:
            (self.plan.data_dir / FILE).unlink(missing_ok=True)
        self._services.clear()
        self._engine_members.clear()
        self._lock.release()
