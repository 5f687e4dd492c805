"""How many webhooks a second the relay delivers to an endpoint on this machine. `python -m tests.bench.webhooks --events 3000`.

A whole system; the endpoint is a process of its own that answers 204 at once. The clock runs from the first event that
arrives to the last (what is measured is delivering: events are on their topic before the party chooses webhooks). One line
of JSON: events, seconds, per_second, repeated, processor time of the relay an event (µs, which says more on a busy machine), cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from services.cli.up import example_registry, system_plan
from shared.local_engines.choose import Wishes
from shared.local_engines.supervisor import Supervisor
from tests.integration.relay.relay_world import new_secret, order, register, tell, told, with_webhook

PARTIES = ("canalvert", "hibou", "tisane", "marmotte")
ANSWER = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
WITHIN_S = 300
LOOK_S = 0.1


class _Sink(asyncio.Protocol):
    """Counts requests by their webhook-id; no more HTTP than that takes."""

    seen: dict[bytes, int]
    moments: list[float]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            name = head.split(b"webhook-id: ")[1].split(b"\r\n")[0]
            self.seen[name] = self.seen.get(name, 0) + 1
            self.moments.append(time.monotonic())
            self.transport.write(ANSWER)  # type: ignore[attr-defined]


def _serve(pipe: Connection) -> None:
    """The endpoint's process: tells its port, then what it has seen whenever it is asked."""

    async def work() -> None:
        _Sink.seen, _Sink.moments = {}, []
        server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while True:
            await asyncio.sleep(LOOK_S / 2)
            if pipe.poll():
                if pipe.recv() is None:
                    return
                moments = _Sink.moments
                span = moments[-1] - moments[0] if moments else 0.0
                pipe.send((len(_Sink.seen), len(moments), span))

    asyncio.run(work())


async def _load(system: Supervisor, port: int, events: int) -> tuple[psutil.Process, float]:
    at = system.endpoints()
    each = events // len(PARTIES)
    for name in PARTIES:
        new_secret(at, name)
        await tell(at, *(told(name, order(f"{name}-{n}"), f"bench-{name}-{n}") for n in range(each)))
    relay = psutil.Process(at.services["webhook_relay"].pid)
    before = sum(relay.cpu_times()[:2])
    await register(at, *(with_webhook(name, f"http://127.0.0.1:{port}/{name}") for name in PARTIES))
    return relay, before


def main() -> None:
    """Run it and print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    asked = parser.parse_args()
    events = asked.events // len(PARTIES) * len(PARTIES)
    ours, theirs = multiprocessing.Pipe()
    sink = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    sink.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        plan = system_plan(Path(folder) / "data", registry=example_registry(), wishes=Wishes(kafka_heap_mb=512))
        with Supervisor(plan) as system:
            system.wait_ready()
            relay, before = asyncio.run(_load(system, port, events))
            end = time.monotonic() + WITHIN_S
            while True:
                time.sleep(LOOK_S)
                ours.send("?")
                distinct, requests, span = ours.recv()
                if distinct >= events or time.monotonic() > end:
                    break
            used = sum(relay.cpu_times()[:2]) - before
    ours.send(None)
    sink.join()
    print(json.dumps({
        "events": distinct, "seconds": round(span, 2), "per_second": round(distinct / span) if span else None,
        "repeated": requests - distinct, "relay_cpu_us": round(used / max(1, distinct) * 1e6), "complete": distinct >= events, "cores": os.cpu_count(),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
