"""Withdrawals for ten parties each, published, acknowledged and sealed, in a whole system at a steady rate.

    python -m tests.bench.withdrawals [--rate 200] [--seconds 20] [--json]

Ten simulated parties and the collector acknowledge every order at once. Measured: how fast orders go out while withdrawals come at
`rate`, when the last acknowledgement is recorded and sealed (orders and answers under a signed checkpoint), the backlog that is left
then, and the CPU of each process for an order. Yardstick of the same run: bare aiokafka publishing as many messages of the same bytes
(orders and acknowledgements).
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from shared.kafka.reading import find_partitions
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.supervisor import Supervisor
from shared.topics import IN_CONSENTS, IN_RIGHTS, OUT_WITHDRAWALS
from tests.bench import world
from tests.bench.running import at_rate, cpu_of, parser_of, print_result, producer_of
from tests.bench.throughput import signed, until_signed

PARTIES = world.PROSPECTORS[:10]
ACK = "opposable.order.acknowledged.v1"
POLL_S = 0.2


async def consents(at: Endpoints, count: int) -> None:
    """One consent for ten parties for each withdrawal to come; returns when they are granted and signed."""
    producer = await producer_of(at.kafka)
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
    """Acknowledge every order once: an order may be published twice. `seen`: how many, bytes of the last and of its answer."""
    producer = await producer_of(at.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=at.kafka, auto_offset_reset="earliest")
    await consumer.start()
    partitions = await find_partitions(at.kafka, [OUT_WITHDRAWALS.of(party) for party in (*PARTIES, "bench-a")])
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    known: set[str] = set()
    while seen["orders"] < wanted:
        futures = []
        for partition, records in (await consumer.getmany(timeout_ms=100, max_records=2000)).items():
            party = partition.topic.split(".")[1]
            for record in records:
                order = orjson.loads(record.value)["order_id"]
                if order in known:
                    continue
                known.add(order)
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
    producer = await producer_of(at.kafka)
    await at_rate(producer, rate, math.inf, (
        (IN_RIGHTS.of("bench-b"), world.stop(number, f"arrete.{number}@bench.example"),
         world.headers("bench-b", f"w{number}", "opposable.stop.requested.v1"))
        for number in range(count)
    ))  # fmt: skip
    await producer.stop()


async def sealed(at: Endpoints, orders: int) -> None:
    """Wait until every order is closed, and its order and its answer are covered by a signed checkpoint.

    The checkpoints are looked at first: counting the rows reads them all, on the machine that is measured.
    """
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.mongodb)
    while True:
        while await signed(mongo, "deliveries") < 2 * orders or await signed(mongo, "reports") < orders:
            await asyncio.sleep(POLL_S)
        if await mongo.rights.deliveries.count_documents({"state": "closed"}) == orders:
            break
        await asyncio.sleep(POLL_S)  # an order published twice has two facts
    await mongo.close()


async def bare(kafka: str, count: int, size: int) -> float:
    """Messages a second of a bare producer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("bench.bare", 3, 1)])
    await admin.close()
    await asyncio.sleep(1)
    producer = await producer_of(kafka)
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
    before = cpu_of(system)
    answering = asyncio.create_task(parties(at, orders, seen))
    started = time.perf_counter()
    await withdraw(at, rate, count)
    sent = time.perf_counter() - started
    await answering
    ordered = time.perf_counter() - started
    await sealed(at, orders)
    done = time.perf_counter() - started
    cpu = {name: round((used - before[name]) / orders * 1e6) for name, used in cpu_of(system).items()}
    yardstick = await bare(at.kafka, orders * 2, (seen["order_bytes"] + seen["ack_bytes"]) // 2)
    return {
        "withdrawals": count, "rate": rate, "orders": orders, "sent_in_s": round(sent, 1), "ordered_in_s": round(ordered, 1),
        "sealed_in_s": round(done, 1), "withdrawals_per_s": round(count / done, 1), "backlog_drained_s": round(done - sent, 1),
        "messages_per_s": round(2 * orders / done), "bare_messages_per_s": round(yardstick),
        "ratio": round(2 * orders / done / yardstick, 3), "cpu_us_per_order": {**cpu, "all": sum(cpu.values())},
    }  # fmt: skip


def main() -> None:
    """Run and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--rate", type=int, default=200, help="withdrawals a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    print_result(given, lambda system: measure(system, given.rate, given.seconds))


if __name__ == "__main__":
    main()
