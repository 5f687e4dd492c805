"""A party of a secured system: its own Kafka clients, by its own credentials."""

import asyncio
import json
import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.e2e.kafka_access import options


class Client:
    """A party's own clients, by its own credentials."""

    def __init__(self, at, user, password=None):
        self.user = user
        self.options = {**options(at, user, password), "request_timeout_ms": 10_000}

    async def write(self, topic, kind, data, source=None):
        headers = [("ce_specversion", b"1.0"), ("ce_id", uuid.uuid4().hex.encode()), ("ce_source", (source or self.user).encode()),
                   ("ce_type", kind.encode()), ("content-type", b"application/json")]  # fmt: skip
        async with AIOKafkaProducer(**self.options, acks="all") as producer:
            await producer.send_and_wait(topic, json.dumps(data).encode(), headers=headers)

    async def read(self, topic, match, seconds=40):
        """By a group of its own, as a partner would."""
        consumer = AIOKafkaConsumer(
            topic, **self.options, group_id=f"{self.user}.{uuid.uuid4().hex[:6]}", auto_offset_reset="earliest",
            enable_auto_commit=False,
        )  # fmt: skip
        async with consumer, asyncio.timeout(seconds):
            async for record in consumer:
                if match(body := json.loads(record.value)):
                    return body
            raise AssertionError
