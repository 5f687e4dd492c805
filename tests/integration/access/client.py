"""A party of a secured system: its own Kafka clients, by its own credentials."""

import asyncio
import json
import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.helpers import create_ssl_context

from shared.local_engines.kafka_secure import SecureFiles


class Client:
    """A party's own clients, by its own credentials."""

    def __init__(self, at, user, password=None):
        files = SecureFiles(at.secrets_dir / "kafka")
        self.user = user
        self.options = {
            "bootstrap_servers": at.kafka, "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user, "sasl_plain_password": password or files.password(user),
            "ssl_context": create_ssl_context(cafile=str(files.authority)), "request_timeout_ms": 10_000,
        }  # fmt: skip

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
