"""How long until an entry stands under a signed checkpoint, in a whole system at a steady load.

    python -m tests.bench.proof_delay [--rate 2000] [--seconds 20] [--json]

For every entry of the logs of `consents` and `verdicts`: from the broker's time of its record to the broker's time of the first
checkpoint that covers it (topic `checkpoints`). From then on anyone can verify it. Milliseconds.

Where the time goes: `signed_every` is how far apart a log's checkpoints are (an entry waits for at most one such gap, once it is
in its log), `archived_in` is what one batch of the archive takes, by its own metric. What is left is waiting for a processor.
"""

from __future__ import annotations

import asyncio
import bisect
import re
from collections import defaultdict
from itertools import pairwise
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from shared.crypto import note
from shared.kafka.reading import find_partitions
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.supervisor import Supervisor
from shared.topics import CHECKPOINTS, CONSENTS, IN_CONSENTS, VERDICTS
from tests.bench import world
from tests.bench.running import at_rate, parser_of, print_result, producer_of
from tests.bench.throughput import until_signed

SETTLED_S = 2.0


async def load(kafka: str, rate: int, seconds: float) -> int:
    """Publish consents at a steady rate; how many."""
    producer = await producer_of(kafka)
    stream = world.consents(int(rate * seconds) + rate)
    sent = await at_rate(producer, rate, seconds, ((IN_CONSENTS.of(c), value, headers) for c, headers, value in stream))
    await producer.stop()
    return sent


async def timestamps(kafka: str, topic: str) -> dict[TopicPartition, list[tuple[int, int, bytes]]]:
    """(offset, broker's time in ms, value) of every record."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    found: dict[TopicPartition, list[tuple[int, int, bytes]]] = defaultdict(list)
    try:
        partitions = await find_partitions(kafka, [topic])
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        while any([await consumer.position(p) < end for p, end in ends.items()]):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                found[partition] += [
                    (r.offset, r.timestamp, r.value if topic == CHECKPOINTS.name else b"") for r in records
                ]
    finally:
        await consumer.stop()
    return found


async def delays(at: Endpoints, topic: str) -> tuple[list[int], list[int]]:
    """Milliseconds from each record to the first checkpoint that covers it, and between two checkpoints of a log."""
    covers: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for records in (await timestamps(at.kafka, CHECKPOINTS.name)).values():
        for _, when, value in records:
            origin, size, *_ = note.split(value)[0].split("\n")
            if f"/{topic}/" in origin:
                covers[int(origin.rpartition("/p")[2])].append((int(size), when))
    found = []
    for partition, entries in (await timestamps(at.kafka, topic)).items():
        signed = sorted(covers[partition.partition])
        sizes = [size for size, _ in signed]
        for offset, when, _ in entries:
            found.append(signed[bisect.bisect_right(sizes, offset)][1] - when)  # entry `offset` is under sizes above it
    times = [[when for _, when in sorted(signed)] for signed in covers.values()]
    gaps = [later - when for each in times for when, later in pairwise(each)]
    return sorted(found), sorted(gaps)


def shares(found: list[int]) -> dict[str, int]:
    """Quantiles and the largest."""
    return {f"p{share}_ms": found[min(len(found) - 1, len(found) * share // 100)] for share in (50, 90, 99)} | {
        "max_ms": found[-1]
    }


def archived_in(text: str) -> dict[str, float]:
    """Mean time of a batch of the archive, and how many records one held, from its metrics."""
    read = {
        name: float(found[1])
        for name in ("batch_seconds_sum", "batch_seconds_count", "records_total")
        if (found := re.search(rf'^opposable_{name}{{group="proof_archive"[^}}]*}} (\S+)$', text, re.MULTILINE))
    }
    batches = read.get("batch_seconds_count", 0)
    if not batches:
        return {}
    return {
        "mean_ms": round(read["batch_seconds_sum"] / batches * 1000, 1),
        "records": round(read.get("records_total", 0) / batches, 1),
    }


async def measure(system: Supervisor, rate: int, seconds: float) -> dict[str, object]:
    """Warm up, load, and compare."""
    at = await asyncio.to_thread(system.wait_ready)
    sent = await load(at.kafka, rate, seconds)
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.mongodb)
    await until_signed(mongo, sent, sent)
    await mongo.close()
    await asyncio.sleep(SETTLED_S)
    result: dict[str, object] = {"rate": rate, "consents": sent}
    for topic in (CONSENTS.name, VERDICTS.name):
        found, gaps = await delays(at, topic)
        result[topic] = {"entries": len(found), **shares(found), "signed_every": shares(gaps)}
    async with httpx.AsyncClient(trust_env=False) as http:
        metrics = await http.get(f"{at.services['proof_archive'].url}/metrics")
    result["archived_in"] = archived_in(metrics.text)
    return result


def main() -> None:
    """Run and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="consents a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    print_result(given, lambda system: measure(system, given.rate, given.seconds))


if __name__ == "__main__":
    main()
