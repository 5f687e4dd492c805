"""How many consents a second, from `in.*` to a signed checkpoint, and how fast a stop reaches fifty parties under load.

    python -m tests.bench.throughput [--consents 40000] [--stops 100] [--json]

Everything on this machine: all services, Kafka and MongoDB. The load is published while the collector is held, so that
what is measured is the system and not the load generator. The yardstick, in the same run and on the same broker: a bare
aiokafka loop that copies one topic to another (batches, acks=all, nothing else). Figures: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from shared.local_engines.endpoints import Endpoints
from shared.local_engines.supervisor import Supervisor
from shared.topics import CONSENTS, IN_CONSENTS, IN_RIGHTS, OUT_WITHDRAWALS
from tests.bench import world
from tests.bench.running import Send, at_rate, cpu_of, parser_of, print_result, producer_of

WATCH_S = 0.25


async def publish(kafka: str, count: int) -> float:
    """Publish `count` consents; seconds it took."""
    producer = await producer_of(kafka)
    started = time.perf_counter()
    futures = [
        await producer.send(IN_CONSENTS.of(collector), value=value, headers=headers)
        for collector, headers, value in world.consents(count)
    ]
    await asyncio.gather(*futures)
    await producer.stop()
    return time.perf_counter() - started


async def pass_through(kafka: str, count: int) -> float:
    """Records a second of a bare copy of the same bytes: the yardstick."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("bench.from", 3, 1), NewTopic("bench.to", 3, 1)])
    await admin.close()
    await asyncio.sleep(1)
    producer = await producer_of(kafka)
    futures = [
        await producer.send("bench.from", value=value, key=headers[1][1], headers=headers)
        for _, headers, value in world.consents(count)
    ]
    await asyncio.gather(*futures)
    consumer = AIOKafkaConsumer(
        "bench.from", bootstrap_servers=kafka, group_id="bench", auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    done, started = 0, time.perf_counter()
    while done < count:
        batches = await consumer.getmany(timeout_ms=500, max_records=1000)
        copies = [
            await producer.send("bench.to", value=r.value, key=r.key, headers=list(r.headers))
            for records in batches.values()
            for r in records
        ]
        await asyncio.gather(*copies)
        await consumer.commit()
        done += len(copies)
    seconds = time.perf_counter() - started
    await consumer.stop()
    await producer.stop()
    return count / seconds


async def signed(mongo: AsyncMongoClient[dict[str, Any]], topic: str) -> int:
    """How many entries of a topic's logs are covered by a signed checkpoint."""
    archive = mongo.archive
    total = 0
    async for head in archive.heads.find({"_id": {"$regex": f"/{topic}/"}}):
        newest = await archive.checkpoints.find_one({"_id.log": head["log"]}, sort=[("_id.size", -1)])
        total += newest["_id"]["size"] if newest else 0
    return total


async def until_signed(mongo: AsyncMongoClient[dict[str, Any]], consents: int, verdicts: int) -> None:
    """Wait until both logs are covered up to these sizes."""
    while await signed(mongo, "verdicts") < verdicts or await signed(mongo, "consents") < consents:
        await asyncio.sleep(WATCH_S)


async def throughput(system: Supervisor, at: Endpoints, count: int) -> dict[str, float]:
    """Consents a second from `in.*` to a signed checkpoint of the verdict."""
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.mongodb)
    base_c, base_v = await signed(mongo, "consents"), await signed(mongo, "verdicts")
    await asyncio.to_thread(system.hold, "collector")
    published = await publish(at.kafka, count)
    before = cpu_of(system)
    await asyncio.to_thread(system.release, "collector")
    await _first_consent(at.kafka)
    started = time.perf_counter()
    await until_signed(mongo, base_c + count, base_v + count)
    seconds = time.perf_counter() - started
    cpu = {f"cpu_s_{name}": round(used - before.get(name, 0.0), 1) for name, used in cpu_of(system).items()}
    await mongo.close()
    return {"consents": count, "publish_s": round(published, 1), "seconds": round(seconds, 1),
            "consents_per_s": round(count / seconds), **cpu}  # fmt: skip


async def _first_consent(kafka: str) -> None:
    """Wait until the collector has published something: its start is not the system's pace."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    partitions = [TopicPartition(CONSENTS.name, n) for n in range(3)]
    before = await consumer.end_offsets(partitions)
    while await consumer.end_offsets(partitions) == before:
        await asyncio.sleep(0.02)
    await consumer.stop()


async def stops(at: Endpoints, rate: float, count: int) -> dict[str, float]:
    """Stops for fifty parties each while consents arrive at `rate` a second: from receipt to the last order, in ms."""
    producer = await producer_of(at.kafka)
    emails = [f"arrete.{n}@bench.example" for n in range(count)]
    for number, email in enumerate(emails):
        _, value = world.consent("bench-a", 10_000_000 + number, "fifty", email)
        headers = world.headers("bench-a", f"fifty{number}", "opposable.consent.collected.v1")
        await producer.send_and_wait(IN_CONSENTS.of("bench-a"), value=value, headers=headers)
    await asyncio.sleep(10)
    stored: dict[int, int] = {}
    load = asyncio.create_task(_load(producer, rate, count * 0.25 + 10))
    await asyncio.sleep(5)
    for number, email in enumerate(emails):
        headers = world.headers("bench-b", f"stop{number}", "opposable.stop.requested.v1")
        sent = await producer.send_and_wait(IN_RIGHTS.of("bench-b"), value=world.stop(number, email), headers=headers)
        stored[number] = sent.timestamp
        await asyncio.sleep(0.25)
    await load
    await producer.stop()
    last = await _orders(at.kafka, count)
    delays = sorted(last[n] - stored[n] for n in stored)
    print("stops, in order of sending (ms):", *(last[n] - stored[n] for n in stored), file=sys.stderr)
    return {"stops": count, "parties": 50, "load_per_s": round(rate), "p50_ms": delays[len(delays) // 2],
            "p99_ms": delays[min(len(delays) - 1, int(len(delays) * 0.99))], "max_ms": delays[-1]}  # fmt: skip


async def _load(producer: AIOKafkaProducer, rate: float, seconds: float) -> None:
    await at_rate(producer, rate, seconds, _others(int(rate * seconds) + 1))


def _others(count: int) -> Iterator[Send]:
    """Consents with identities of their own, beside those of the first phase."""
    for collector, headers, value in world.consents(count):
        own = value.replace(b'"subject_ref":"lead-', b'"subject_ref":"load-').replace(
            b'"consent_id":"0', b'"consent_id":"1', 1
        )
        yield IN_CONSENTS.of(collector), own, [(n, v + b"L" if n == "ce_id" else v) for n, v in headers]


async def _orders(kafka: str, count: int) -> dict[int, int]:
    """By stop number, the broker's time of the last of its fifty orders. Raises where one is missing."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    partitions = [TopicPartition(OUT_WITHDRAWALS.of(p), 0) for p in world.PROSPECTORS]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    times: dict[int, dict[str, int]] = {}
    while any([await consumer.position(p) < end for p, end in ends.items()]):
        for partition, records in (await consumer.getmany(timeout_ms=500)).items():
            for record in records:
                number = int(json.loads(record.value)["stop_id"].rpartition("s")[2])
                times.setdefault(number, {}).setdefault(partition.topic, record.timestamp)
    await consumer.stop()
    short = [n for n in range(count) if len(times.get(n, {})) != len(world.PROSPECTORS)]
    if short:
        raise SystemExit(f"{len(short)} stops did not reach all fifty parties")
    return {n: max(by_topic.values()) for n, by_topic in times.items()}


async def _measure(system: Supervisor, args: argparse.Namespace) -> dict[str, Any]:
    at = await asyncio.to_thread(system.wait_ready)
    bare = await pass_through(at.kafka, 20_000)
    main = await throughput(system, at, args.consents)
    result: dict[str, Any] = {"pass_through_per_s": round(bare), "throughput": main}
    result["ratio"] = round(main["consents_per_s"] / bare, 3)
    if args.stops:
        result["stops"] = await stops(at, main["consents_per_s"] / 2, args.stops)
    return result


def main() -> None:
    """Run and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--consents", type=int, default=40_000)
    parser.add_argument("--stops", type=int, default=100)
    given = parser.parse_args()
    print_result(given, lambda system: _measure(system, given))


if __name__ == "__main__":
    main()
