"""Kafka and MongoDB from testcontainers answer a round trip, with the versions and guarantees the services ask for."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.mongodb import MongoDbContainer

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("docker")]

ROUND_TRIP_S = 30


async def test_kafka_stores_and_returns_a_record() -> None:
    container = await asyncio.to_thread(KafkaContainer("confluentinc/cp-kafka:7.6.0").with_kraft().start)
    try:
        servers = container.get_bootstrap_server()
        async with asyncio.timeout(ROUND_TRIP_S):
            async with AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True) as producer:
                stored = await producer.send_and_wait("consents", b"value", key=b"key", headers=[("ce_id", b"1")])
            async with AIOKafkaConsumer(
                "consents", bootstrap_servers=servers, group_id="readers", auto_offset_reset="earliest"
            ) as consumer:
                found = await consumer.getone()
                await consumer.commit()
        assert (found.key, found.value, found.headers) == (b"key", b"value", (("ce_id", b"1"),))
        assert found.offset == stored.offset
    finally:
        await asyncio.to_thread(container.stop)


def test_mongodb_stores_and_returns_a_document() -> None:
    with MongoDbContainer("mongo:7") as container, container.get_connection_client() as client:
        client.vault.keys.insert_one({"_id": "acme/1", "key": b"\x00\xff"})
        assert client.vault.keys.find_one() == {"_id": "acme/1", "key": b"\x00\xff"}
        assert client.server_info()["versionArray"][0] >= 6
