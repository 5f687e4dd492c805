"""How the kit reaches a partner's system: it pushes webhooks, answers its feed, or publishes on its topics."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.cli.conformance.model import Event, Signing
from services.cli.conformance.platform import PlayedPlatform, structured
from shared import canonical
from shared.contracts.envelope import Envelope, from_headers, to_headers
from shared.contracts.partner_rights import ORDER_ACKNOWLEDGED
from shared.contracts.structured import CONTENT_TYPE
from shared.errors import ConfigurationError, InputError, Unavailable
from shared.kafka.connection import client_options
from shared.kafka.reading import find_partitions
from shared.settings import Settings
from shared.topics import IN_RIGHTS, OUT_PERMISSIONS, OUT_WITHDRAWALS
from shared.webhooks import SIGNATURE, sign

STALE_S = 3600
SECRET_BYTES = 32
ROW = {"permissions": OUT_PERMISSIONS, "withdrawals": OUT_WITHDRAWALS}


class WebhookTransport:
    """Pushes signed events to the partner's address; answers may acknowledge, and so may events sent to the kit."""

    signs = True

    def __init__(self, url: str, keys: Sequence[bytes], platform: PlayedPlatform, http: httpx.AsyncClient) -> None:
        self._url, self._keys, self._platform, self._http = url, keys, platform, http

    async def send(self, event: Event, signing: Signing | None = None) -> int | None:
        """Push one event. Raises Unavailable where nobody answers."""
        fault = "none" if signing is None else signing.fault
        body = orjson.dumps(structured(event))
        digest = hashlib.sha256(event.id.encode() + canonical.dumps(dict(event.data))).hexdigest()
        stranger = secrets.token_bytes(SECRET_BYTES)
        keys = {"wrong": [stranger], "rotation": [stranger, *self._keys]}.get(fault, list(self._keys))
        stamp = int(time.time()) - (STALE_S if fault == "old" else 0)
        headers = sign(f"msg_{digest[:40]}", stamp, body if fault != "body" else body + b" ", secrets=keys)
        if fault == "missing":
            del headers[SIGNATURE]
        try:
            answer = await self._http.post(self._url, content=body, headers={"content-type": CONTENT_TYPE, **headers})
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._url} does not answer ({type(error).__name__})") from None
        self._acknowledged(event, answer)
        return answer.status_code

    def _acknowledged(self, event: Event, answer: httpx.Response) -> None:
        if "order_id" not in event.data or not answer.is_success:
            return
        with contextlib.suppress(ValueError):
            body = answer.json()
            if isinstance(body, dict) and "status" in body:
                self._platform.acknowledge({"order_id": event.data["order_id"], **body})

    async def acknowledgements(self) -> Mapping[str, list[str]]:
        """In answers and by events."""
        return self._platform.acknowledged


class FeedTransport:
    """Answers the partner that reads its feeds."""

    signs = False

    def __init__(self, platform: PlayedPlatform) -> None:
        self._platform = platform

    async def send(self, event: Event, signing: Signing | None = None) -> int | None:
        """Put one event on its feed."""
        del signing
        await self._platform.add(event)
        return None

    async def acknowledgements(self) -> Mapping[str, list[str]]:
        """By events."""
        return self._platform.acknowledged


class KafkaTransport:
    """Publishes on the partner's topics of a Kafka that is for tests, and reads what it says on its own."""

    signs = False

    def __init__(self, party: str, producer: AIOKafkaProducer) -> None:
        self._party, self._producer = party, producer
        self.acknowledged: defaultdict[str, list[str]] = defaultdict(list)

    async def send(self, event: Event, signing: Signing | None = None) -> int | None:
        """Publish one event under the key that the platform gives it."""
        del signing
        key = str(event.data.get("order_id") or event.data.get("record")).encode()
        headers = to_headers(Envelope(event.id, "opposable/conformance", event.type))
        topic = ROW[event.feed].of(self._party)
        await self._producer.send_and_wait(topic, canonical.dumps(dict(event.data)), key, headers=headers)
        return None

    async def acknowledgements(self) -> Mapping[str, list[str]]:
        """By events."""
        return self.acknowledged

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Keep acknowledgements until cancelled."""
        async for record in consumer:
            try:
                envelope, data = from_headers(record.headers, record.value)
                body = orjson.loads(data)
            except (InputError, orjson.JSONDecodeError):
                continue
            if envelope.type == ORDER_ACKNOWLEDGED and isinstance(body, dict):
                self.acknowledged[str(body.get("order_id"))].append(str(body.get("status")))


@contextlib.asynccontextmanager
async def kafka_transport(settings: Settings, party: str) -> AsyncIterator[KafkaTransport]:
    """A transport on the topics of a party. Raises ConfigurationError where it has none."""
    partitions = await find_partitions(settings, [IN_RIGHTS.of(party)])
    if not partitions:
        raise ConfigurationError(f"{party} has no topics there: `opposable topics apply`")
    options = client_options(settings, "conformance")
    async with AIOKafkaProducer(**options, acks="all") as producer:
        consumer = AIOKafkaConsumer(**options, enable_auto_commit=False, auto_offset_reset="latest")
        async with consumer:
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            transport = KafkaTransport(party, producer)
            reading = asyncio.create_task(transport.read(consumer))
            try:
                yield transport
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
