"""Traffic for fault drills: consents for three prospecteurs each, some withdrawn, published by a plain Kafka client."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from typing import Any

from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from shared.local_engines.endpoints import Endpoints
from shared.topics import IN_CONSENTS, IN_RIGHTS
from tests.bench import world
from tests.faults import auditor

CONSENT, STOP = "opposable.consent.collected.v1", "opposable.stop.requested.v1"
STOP_EVERY = 10


class Traffic:
    """What was sent: `sent` record → event id, `stopped` record → stop id."""

    def __init__(self, at: Endpoints, tag: str) -> None:
        self.at, self.tag = at, tag
        self.sent: dict[str, str] = {}
        self.stopped: dict[str, str] = {}
        self._number = int(time.time()) % 10**6 * 10**6

    async def send(self, count: int, per_second: float = 1e9) -> None:
        """Publish consents, and a withdrawal for every tenth of them from another party than its collector."""
        producer = AIOKafkaProducer(bootstrap_servers=self.at.kafka, acks="all", enable_idempotence=True, linger_ms=5)
        await producer.start()
        started = time.perf_counter()
        futures: list[Any] = []
        try:
            for index in range(count):
                futures += await self._one(producer, index)
                ahead = (index + 1) / per_second - (time.perf_counter() - started)
                if ahead > 0:
                    await asyncio.gather(*futures)
                    futures.clear()
                    await asyncio.sleep(ahead)
            await asyncio.gather(*futures)  # a record counts as sent only once the broker says so
        finally:
            await producer.stop()

    async def _one(self, producer: AIOKafkaProducer, index: int) -> list[Any]:
        self._number += 1
        collector = world.COLLECTORS[index % 3]
        email = f"{self.tag}.{self._number}@courriel.example"
        consent_id, value = world.consent(collector, self._number, "three", email)
        event_id = f"{self.tag}-{self._number}"
        self.sent[f"{collector}/{consent_id}"] = event_id
        futures = [await producer.send(IN_CONSENTS.of(collector), value=value, key=event_id.encode(),
                                       headers=world.headers(collector, event_id, CONSENT))]  # fmt: skip
        if index % STOP_EVERY == 0:
            other = world.COLLECTORS[(index + 1) % 3]
            self.stopped[f"{collector}/{consent_id}"] = f"s{self._number}"
            futures.append(await producer.send(IN_RIGHTS.of(other), value=world.stop(self._number, email),
                                               headers=world.headers(other, f"stop-{self._number}", STOP)))  # fmt: skip
        return futures

    async def settle(self, seconds: float = 120) -> auditor.Seen:
        """Wait until all that was sent is done, then audit it whole. Raises AssertionError naming what is missing."""
        await quiet(self.at, len(self.sent), seconds)
        deadline = time.monotonic() + 20
        while True:
            seen = await auditor.read(self.at.kafka)
            try:
                auditor.nothing_lost(seen, self.sent, 3)
                auditor.no_stop_missed(seen, self.stopped)
                await auditor.logs_agree(seen, self.at.mongodb)
            except AssertionError as error:
                if time.monotonic() > deadline:
                    trails = await auditor.trails(self.at.kafka, [f"stop-{s[1:]}" for s in self.stopped.values()])
                    raise AssertionError(f"{error}; seen of stops: {trails}") from None
                await asyncio.sleep(1)
            else:
                auditor.no_permission_without_a_valid_line(seen)
                return seen


async def quiet(at: Endpoints, at_least: int, seconds: float) -> None:
    """Return when the archive has stopped growing for two seconds and holds at least so many verdicts."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.mongodb)
    deadline, last, still = time.monotonic() + seconds, -1, 0
    try:
        while time.monotonic() < deadline and still < 4:
            heads = [h async for h in client.archive.heads.find()]
            size = sum(h["size"] for h in heads)
            verdicts = sum(h["size"] for h in heads if "/verdicts/" in h["_id"])
            still = still + 1 if size == last and verdicts >= at_least else 0
            last = size
            await asyncio.sleep(0.5)
    finally:
        await client.close()


def metric(at: Endpoints, service: str, name: str) -> float:
    """Sum of a metric over its labels."""
    with urllib.request.urlopen(f"{at.url(service)}/metrics", timeout=5) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name) and not line.startswith("#"))


def ready(at: Endpoints, service: str) -> dict[str, Any]:
    """What `/health/ready` says, whatever its status."""
    try:
        with urllib.request.urlopen(f"{at.url(service)}/health/ready", timeout=10) as answer:  # noqa: S310
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))
