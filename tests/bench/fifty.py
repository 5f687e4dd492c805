"""One withdrawal to fifty parties by webhook: 45 healthy, 3 dead, one that takes ten seconds, one that flaps.

    python -m tests.bench.fifty [--stops 20] [--json]

For each healthy party: from the broker's time of the withdrawal to the broker's time of its acknowledgement, as the collector recorded
it (topic `reports`). At the end every branch that is not acknowledged is asked of the service: each must have its next attempt.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from multiprocessing.connection import Connection
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from shared.kafka.reading import find_partitions
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.supervisor import Supervisor
from shared.topics import IN_CONSENTS, IN_RIGHTS, REPORTS
from tests.bench import world
from tests.bench.running import parser_of, print_result, producer_of
from tests.integration.relay.relay_world import new_secret, register
from tests.waiting import operator_http

DEAD, SLOW, FLAPPING = world.PROSPECTORS[:3], world.PROSPECTORS[3], world.PROSPECTORS[4]
HEALTHY = world.PROSPECTORS[5:]
SLOW_S, SPACING_S, WITHIN_S = 10.0, 0.5, 60.0


class _Endpoint(asyncio.Protocol):
    """Acknowledges every order at once, after ten seconds, or every second time, by its path."""

    flips = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            path = head.split(b" ", 2)[1]
            _Endpoint.flips += path == b"/flapping"
            if path == b"/flapping" and _Endpoint.flips % 2:
                self._send(b"503 Busy", b"")
            else:
                asyncio.get_running_loop().call_later(SLOW_S if path == b"/slow" else 0, self._acknowledge)

    def _acknowledge(self) -> None:
        self._send(b"200 OK", orjson.dumps({"status": "applied", "applied_at": world.now()}))

    def _send(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        self.transport.write(head + body)  # type: ignore[attr-defined]


def _serve(pipe: Connection) -> None:
    async def work() -> None:
        server = await asyncio.get_running_loop().create_server(_Endpoint, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while not pipe.poll():
            await asyncio.sleep(0.2)

    asyncio.run(work())


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _urls(port: int) -> dict[str, str]:
    urls = dict.fromkeys(HEALTHY, f"http://127.0.0.1:{port}/ok")
    urls |= {party: f"http://127.0.0.1:{_closed_port()}/dead" for party in DEAD}
    return urls | {SLOW: f"http://127.0.0.1:{port}/slow", FLAPPING: f"http://127.0.0.1:{port}/flapping"}


async def _webhooks(at: Endpoints, port: int) -> None:
    bodies = {body["id"]: body for body in world.documents() if body["kind"] == "party"}
    urls = _urls(port)
    for party in urls:
        new_secret(at, party)
    await register(at, *(bodies[party] | {"delivery": {"mode": "webhook", "url": url}} for party, url in urls.items()))


async def _publish(at: Endpoints, count: int) -> dict[str, int]:
    """Consents for fifty, then a withdrawal of each; the broker's time of each withdrawal, by its internal name."""
    producer = await producer_of(at.kafka)
    for number in range(count):
        _, value = world.consent("bench-a", number, "fifty", f"arrete.{number}@bench.example")
        headers = world.headers("bench-a", f"c{number}", "opposable.consent.collected.v1")
        await producer.send_and_wait(IN_CONSENTS.of("bench-a"), value=value, headers=headers)
    await asyncio.sleep(10)  # granted, and the permissions delivered
    sent = {}
    for number in range(count):
        headers = world.headers("bench-b", f"w{number}", "opposable.stop.requested.v1")
        value = world.stop(number, f"arrete.{number}@bench.example")
        stored = await producer.send_and_wait(IN_RIGHTS.of("bench-b"), value=value, headers=headers)
        sent[f"bench-b/s{number}"] = stored.timestamp
        await asyncio.sleep(SPACING_S)
    await producer.stop()
    return sent


async def _acknowledged(at: Endpoints, wanted: int) -> dict[tuple[str, str], int]:
    """The broker's time of the acknowledgement of each healthy party, by order and party, until so many are there."""
    consumer = AIOKafkaConsumer(bootstrap_servers=at.kafka, auto_offset_reset="earliest")
    await consumer.start()
    partitions = await find_partitions(at.kafka, [REPORTS.name])
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    found: dict[tuple[str, str], int] = {}
    async with asyncio.timeout(WITHIN_S):
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    facts = orjson.loads(record.value)["facts"]
                    if facts["kind"] == "order.acknowledged" and facts["source"] in HEALTHY:
                        found.setdefault((facts["order"], facts["source"]), record.timestamp)
    await consumer.stop()
    return found


async def _branches(at: Endpoints, stop: str) -> list[dict[str, Any]]:
    async with operator_http(at) as http:
        answer = await http.get(f"/v1/stops/{stop}")
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["branches"]
        return found


async def measure(system: Supervisor, port: int, count: int) -> dict[str, Any]:
    """The figures. Raises AssertionError where a branch has no next attempt."""
    at = await asyncio.to_thread(system.wait_ready)
    await _webhooks(at, port)
    await asyncio.sleep(3)
    sent = await _publish(at, count)
    times = await _acknowledged(at, count * len(HEALTHY))
    delays, unfinished = [], 0
    for stop, began in sent.items():
        for branch in await _branches(at, stop):
            if branch["party"] in HEALTHY:
                delays.append(times[branch["order"], branch["party"]] - began)
            elif branch["state"] != "closed":
                assert branch["next_at"], branch
                unfinished += 1
    delays.sort()
    share = {f"p{q}_ms": delays[min(len(delays) - 1, len(delays) * q // 100)] for q in (50, 90, 99)}
    return {"stops": count, "parties": 50, "healthy": len(HEALTHY), "acknowledged": len(delays), **share,
            "max_ms": delays[-1], "unfinished_with_next_attempt": unfinished}  # fmt: skip


def main() -> None:
    """Run and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--stops", type=int, default=20)
    given = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    port = ours.recv()
    print_result(given, lambda system: measure(system, port, given.stops))
    ours.send(None)


if __name__ == "__main__":
    main()
