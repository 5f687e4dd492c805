"""A partner that knows only Kafka and the contracts: publishes an event of the example, reads topics until it finds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from services.cli.demo_stream import Message, message, read_lines
from tests.containers.stack import ROOT

COLLECTOR = "ruisseau-devis"
SCENARIO = "quote_email"
"""A consent with three valid lines: `hibou` by e-mail, `tisane` by e-mail and by SMS."""
EXAMPLE = ROOT / "deploy" / "example" / "consents.jsonl"

Client = dict[str, Any]
"""Options of a party's clients: its own credentials."""
Found = list[ConsumerRecord[bytes, bytes]]


def consent() -> Message:
    """The example's consent, given a moment ago."""
    line = next(line for line in read_lines(EXAMPLE) if line["scenario"] == SCENARIO)
    return message(line, {1: datetime.now(UTC)})


def stop(consent_event: Message) -> Message:
    """The withdrawal of everything by the person of that consent, told to the collector."""
    line = {
        "topic": f"in.{COLLECTOR}.rights",
        "key": "stop-1",
        "ce": {"id": "stop-event-1", "source": COLLECTOR, "type": "opposable.stop.requested.v1"},
        "data": {
            "stop_id": "stop-1",
            "contacts": json.loads(consent_event.value)["contacts"],
            "at": datetime.now(UTC).isoformat(),
            "kind": "withdrawal",
            "via": "api",
        },
    }
    return message(line, {1: datetime.now(UTC)})


async def publish(client: Client, event: Message) -> None:
    """Returns when it is stored."""
    async with AIOKafkaProducer(**client, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(event.topic, event.value, key=event.key, headers=event.headers)


async def read(client: Client, topic: str, enough: Callable[[Found], bool], *, seconds: float = 45) -> Found:
    """Read a topic from its start until `enough`; fails with what was there when the time is over."""
    found: Found = []
    async with AIOKafkaConsumer(topic, **client, auto_offset_reset="earliest") as consumer:
        try:
            async with asyncio.timeout(seconds):
                while not enough(found):
                    for records in (await consumer.getmany(timeout_ms=500)).values():
                        found += records
        except TimeoutError:
            shown = [(record.key, record.value) for record in found]
            raise AssertionError(f"{topic} does not show what was expected after {seconds:.0f} s: {shown}") from None
    return found


def kind(record: ConsumerRecord[bytes, bytes]) -> str:
    """The CloudEvents type of a record."""
    return dict(record.headers)["ce_type"].decode()


def body(record: ConsumerRecord[bytes, bytes]) -> dict[str, Any]:
    """Its data."""
    data: dict[str, Any] = json.loads(record.value or b"{}")
    return data
