"""What an engine is to the supervisor: an address, a sentence that says why it was picked, and maybe a process."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Protocol

from shared.errors import Unavailable

KAFKA, MONGODB = "kafka", "mongodb"
READY_S = 90.0
"""Longest wait for an engine to answer; a Kafka killed hard takes about 5 s, a cold machine more."""


class Engine(Protocol):
    """One engine of a data directory. All calls come from one event loop."""

    name: str
    """`kafka` or `mongodb`."""
    address: str
    """Bootstrap servers, or URI."""
    sentence: str
    """Which engine was picked and why."""

    def command(self) -> list[str] | None:
        """The process to start, or None where the engine is run by someone else."""
        ...

    async def prepare(self) -> None:
        """Make the files it starts from. Idempotent; keeps existing data."""
        ...

    async def ready(self) -> None:
        """Return when it can be used. Raises Unavailable when it is not within READY_S."""
        ...


class External:
    """An engine that the environment names: used as it is."""

    def __init__(self, name: str, address: str, variable: str) -> None:
        self.name, self.address = name, address
        self.sentence = f"{name}: the one named by {variable}, because it is set"

    def command(self) -> list[str] | None:
        """Nothing is started."""
        return None

    async def prepare(self) -> None:
        """Nothing is written."""

    async def ready(self) -> None:
        """Taken for granted: provisioning, which comes next, says what does not answer."""


async def wait_port(name: str, port: int, host: str = "127.0.0.1") -> None:
    """Return when something listens there. Raises Unavailable after READY_S."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port, family=socket.AF_INET), 1.0)
        except (OSError, TimeoutError):
            await asyncio.sleep(0.1)
            continue
        writer.close()
        await writer.wait_closed()
        return
    raise Unavailable(f"{name} does not listen on port {port} after {READY_S:.0f} s")
