"""Withdrawals for ten parties each, published, acknowledged and sealed, in a whole system at a steady rate.

    python -m tests.bench.withdrawals [--rate 200] [--seconds 20] [--json]

Ten simulated parties acknowledge every order at once. Measured: the rate at which orders are acknowledged while withdrawals come at
`rate`, how long the backlog takes to drain, and the delay from a withdrawal to its last acknowledgement recorded. Yardstick of the same
run: bare aiokafka publishing as many messages of the same bytes (orders and acknowledgements).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from services.cli.up import system_plan
from shared.kafka.reading import find_partitions
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.supervisor import Supervisor
from shared.topics import IN_CONSENTS, IN_RIGHTS, OUT_WITHDRAWALS
from tests.bench import world
from tests.bench.throughput import until_signed

PARTIES = world.PROSPECTORS[:10]
ACK = "opposable.order.acknowledged.v1"
POLL_S = 0.2


async def _producer(kafka: str) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5, max_batch_size=512 * 1024)
    await producer.start()
    return producer


async def consents(at: Endpoints, count: int) -> None:
    """One consent for ten parties for each withdrawal to come; returns when they are granted and signed."""
    producer = await _producer(at.kafka)
    futures = []
    for number in range(count):
        _, value = world.consent("bench-a", number, "ten", f"arrete.{number}@bench.example")
        headers = world.headers("bench-a", f"c{number}", "opposable.consent.collected.v1")
        futures.append(await producer.send(IN_CONSENTS.of("bench-a"), value=value, headers=headers))
    await asyncio.gather(*futures)
    await producer.stop()
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.mongodb)
    await until_signed(mongo, count, count)
    await mongo.close()


async def parties(at: Endpoints, wanted: int, seen: dict[str, int]) -> None:
    """Acknowledge every order as it comes; `seen`: bytes of the last order and acknowledgement, and how many there were."""
    producer = await _producer(at.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=at.kafka, auto_offset_reset="earliest")
    await consumer.start()
    partitions = await find_partitions(at.kafka, [OUT_WITHDRAWALS.of(party) for party in (*PARTIES, "bench-a")])
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    while seen["orders"] < wanted:
        futures = []
        for partition, records in (await consumer.getmany(timeout_ms=100, max_records=2000)).items():
            party = partition.topic.split(".")[1]
            for record in records:
                order = orjson.loads(record.value)["order_id"]
                value = orjson.dumps({"order_id": order, "status": "applied", "applied_at": world.now()})
                headers = world.headers(party, f"a{seen['orders']}", ACK)
                futures.append(await producer.send(IN_RIGHTS.of(party), value=value, headers=headers))
                seen["orders"] += 1
                seen["order_bytes"], seen["ack_bytes"] = len(record.value), len(value)
        await asyncio.gather(*futures)
    await producer.stop()
    await consumer.stop()


async def withdraw(at: Endpoints, rate: int, count: int) -> None:
    """Withdrawals at a steady rate."""
    producer = await _producer(at.kafka)
    started, sent = time.perf_counter(), 0
    while sent < count:
        futures = []
        while sent < min(count, rate * (time.perf_counter() - started)):
            headers = world.headers("bench-b", f"w{sent}", "opposable.stop.requested.v1")
            value = world.stop(sent, f"arrete.{sent}@bench.example")
            futures.append(await producer.send(IN_RIGHTS.of("bench-b"), value=value, headers=headers))
            sent += 1
        await asyncio.gather(*futures)
        await asyncio.sleep(0.02)
    await producer.stop()


async def acknowledged(at: Endpoints, wanted: int) -> None:
    """Wait until so many deliveries are acknowledged."""
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.mongodb)
    while await mongo.rights.deliveries.count_documents({"state": "closed"}) < wanted:
        await asyncio.sleep(POLL_S)
    await mongo.close()


async def bare(kafka: str, count: int, size: int) -> float:
    """Messages a second of a bare producer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("bench.bare", 3, 1)])
    await admin.close()
    await asyncio.sleep(1)
    producer = await _producer(kafka)
    value, started = b"x" * size, time.perf_counter()
    for _ in range(0, count, 1000):
        await asyncio.gather(
            *[await producer.send("bench.bare", value=value, key=b"k") for _ in range(min(1000, count))]
        )
    seconds = time.perf_counter() - started
    await producer.stop()
    return count / seconds


async def measure(system: Supervisor, rate: int, seconds: float) -> dict[str, Any]:
    """The figures."""
    at = await asyncio.to_thread(system.wait_ready)
    count = int(rate * seconds)
    await consents(at, count)
    orders = count * (len(PARTIES) + 1)  # the collector is told as well
    seen = {"orders": 0, "order_bytes": 0, "ack_bytes": 0}
    answering = asyncio.create_task(parties(at, orders, seen))
    started = time.perf_counter()
    await withdraw(at, rate, count)
    sent = time.perf_counter() - started
    await answering
    ordered = time.perf_counter() - started
    await acknowledged(at, orders)
    done = time.perf_counter() - started
    yardstick = await bare(at.kafka, orders * 2, (seen["order_bytes"] + seen["ack_bytes"]) // 2)
    return {
        "withdrawals": count, "rate": rate, "orders": orders, "sent_in_s": round(sent, 1), "ordered_in_s": round(ordered, 1),
        "acknowledged_in_s": round(done, 1), "withdrawals_per_s": round(count / done, 1), "backlog_drained_s": round(done - sent, 1),
        "messages_per_s": round(2 * orders / done), "bare_messages_per_s": round(yardstick),
        "ratio": round(2 * orders / done / yardstick, 3),
    }  # fmt: skip


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200, help="withdrawals a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="opposable-bench-") as folder:
        registry = world.write(Path(folder) / "registry")
        with Supervisor(system_plan(Path(folder) / "data", registry=registry)) as system:
            result = asyncio.run(measure(system, given.rate, given.seconds))
    print(json.dumps(result, indent=None if given.json else 1))


if __name__ == "__main__":
    main()
