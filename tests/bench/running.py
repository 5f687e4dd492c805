"""What the benchmarks of a whole system share: a system on the registry made for load, a producer, a steady load, one result."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from services.cli.up import system_plan
from shared.local_engines.supervisor import Supervisor
from tests.bench import world

Send = tuple[str, bytes, list[tuple[str, bytes]]]
"""Topic, value, headers."""
TICK_S = 0.02


async def producer_of(kafka: str) -> AIOKafkaProducer:
    """A started producer that batches."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=512 * 1024
    )
    await producer.start()
    return producer


async def at_rate(producer: AIOKafkaProducer, rate: float, seconds: float, messages: Iterable[Send]) -> int:
    """Send at a steady rate for so long, or until there is nothing more; how many."""
    started, sent, rest = time.perf_counter(), 0, iter(messages)
    while (elapsed := time.perf_counter() - started) < seconds:
        futures = []
        while sent < rate * elapsed:
            message = next(rest, None)
            if message is None:
                await asyncio.gather(*futures)
                return sent
            topic, value, headers = message
            futures.append(await producer.send(topic, value=value, headers=headers))
            sent += 1
        await asyncio.gather(*futures)
        await asyncio.sleep(TICK_S)
    return sent


def cpu_of(system: Supervisor) -> dict[str, float]:
    """CPU seconds used so far by each process of the system: what a message costs hardly depends on what else the machine does."""
    ticks = os.sysconf("SC_CLK_TCK")
    used = {}
    at = system.endpoints()
    for name, pid in {**{n: s.pid for n, s in at.services.items()}, **at.engines}.items():
        if not pid:
            continue  # held
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        used[name] = (int(fields[11]) + int(fields[12])) / ticks
    return used


def print_result(given: argparse.Namespace, measure: Callable[[Supervisor], Awaitable[Any]]) -> None:
    """Start a whole system, measure, stop it, and print what was found."""
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="opposable-bench-") as folder:
        registry = world.write(Path(folder) / "registry")
        with Supervisor(system_plan(Path(folder) / "data", registry=registry)) as system:
            result = asyncio.run(_awaited(measure(system)))
    print(json.dumps(result, indent=None if given.json else 1))


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """A parser that shows the module's docstring and knows `--json`."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    return parser
