"""A partner of the example world, as any client would be: sends CloudEvents by Kafka, reads its own topics.

On a secured system each topic is reached with the credentials of the party it belongs to, internal ones with the operator's.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.cli.target import settings_of
from shared.instants import format_instant
from shared.kafka.reading import find_partitions
from shared.local_engines.endpoints import Endpoints
from tests.e2e.kafka_access import options, owner_of

REGISTRY = Path(__file__).parents[2] / "deploy" / "example" / "registry"


def registry(kind: str, name: str, version: Any) -> dict[str, Any]:
    """One document of the example registry."""
    for path in REGISTRY.glob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text()):
            if document["kind"] == kind and document["id"] == name and str(document.get("version")) == str(version):
                return dict(document)
    raise KeyError(name)


def consent(
    email: str, phone: str | None = None, *, at: datetime | None = None, confirmed: bool = True, **change: Any
) -> dict[str, Any]:
    """A consent of acme's game page, to e-mail from everyone listed (three prospecteurs), given just now unless `at`.

    It must not predate the registry's archived time: evidence older than the page it names proves nothing.
    """
    at = at or datetime.now(UTC)
    form, listed = registry("form", "jeu-rentree", 7), registry("list", "acme-partners", 12)
    notice = registry("notice", form["notice"]["id"], form["notice"]["version"])
    body: dict[str, Any] = {
        "consent_id": str(uuid.uuid4()), "collected_at": format_instant(at), "zone": "Europe/Paris", "country": "FR",
        "subject_ref": f"lead-{uuid.uuid4().hex[:8]}", "audience": "consumer", "age_band": "adult",
        "contacts": [{"type": "email", "value": email}, *([{"type": "phone", "value": phone}] if phone else [])],
        "form": {"id": form["id"], "version": 7, "sha256": form["html_sha256"]},
        "notice": {"version": str(notice["version"]), "sha256": notice["sha256"], "language": "fr"},
        "recipient_list": {"id": listed["id"], "version": 12, "sha256": listed["sha256"],
                           "displayed_at": format_instant(at)},
        "action": {"type": "checkbox", "default_state": "off", "confirmed_by": "double_opt_in" if confirmed else None},
        "decisions": [{"channel": "email", "purpose": "prospecting", "value": "granted", "recipients": "all_listed"}],
        "medium": "web", "context": {"source_url": "https://acme.example/jeu-rentree", "ip": "203.0.113.77"},
    }  # fmt: skip
    return {**body, **change}


def stop(contacts: list[tuple[str, str]], **change: Any) -> dict[str, Any]:
    """A withdrawal of everything."""
    return {"stop_id": f"s-{uuid.uuid4().hex[:12]}", "at": format_instant(datetime.now(UTC)), "kind": "withdrawal",
            "via": "api", "contacts": [{"type": t, "value": v} for t, v in contacts], **change}  # fmt: skip


class Partner:
    """Sends as one party and reads any topic."""

    def __init__(self, at: Endpoints) -> None:
        self.at = at

    async def send(self, topic: str, kind: str, data: dict[str, Any], event_id: str | None = None) -> str:
        """Publish one event; its id."""
        event_id = event_id or f"e-{uuid.uuid4().hex[:12]}"
        headers = [("ce_specversion", b"1.0"), ("ce_id", event_id.encode()), ("ce_source", topic.split(".")[1].encode()),
                   ("ce_type", kind.encode()), ("content-type", b"application/json")]  # fmt: skip
        producer = AIOKafkaProducer(**options(self.at, owner_of(topic)), acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(topic, json.dumps(data).encode(), headers=headers)
        finally:
            await producer.stop()
        return event_id

    async def consent(self, data: dict[str, Any], party: str = "acme") -> str:
        """Publish a consent and wait for its acceptance; its record."""
        event = await self.send(f"in.{party}.consents", "opposable.consent.collected.v1", data)
        (receipt,) = await self.read(f"out.{party}.receipts", lambda b: b["event_id"] == event)
        assert receipt["status"] == "accepted", receipt
        return f"{party}/{data['consent_id']}"

    async def stop(self, data: dict[str, Any], party: str = "acme") -> str:
        """Publish a withdrawal; its internal name."""
        event = await self.send(f"in.{party}.rights", "opposable.stop.requested.v1", data)
        (receipt,) = await self.read(f"out.{party}.receipts", lambda b: b["event_id"] == event)
        assert receipt["status"] == "accepted", receipt
        return f"{party}/{data['stop_id']}"

    async def read(self, topic: str, match: Any, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """The first `count` bodies of a topic, from its beginning, that match. Raises TimeoutError."""
        found: list[dict[str, Any]] = []
        async with self._reader(topic) as consumer, asyncio.timeout(seconds):
            while len(found) < count:
                found += [b for b in await _bodies(consumer) if match(b)]
        return found[:count]  # a reminder may stand right behind

    async def none(self, topic: str, match: Any, seconds: float = 3) -> None:
        """Raises AssertionError if a matching record stands on the topic now or within some seconds."""
        try:
            found = await self.read(topic, match, seconds=seconds)
        except TimeoutError:
            return
        raise AssertionError(found)

    def _reader(self, topic: str) -> _Reader:
        return _Reader(self.at, topic)

    async def permissions(self, party: str, record: str) -> list[dict[str, Any]]:
        """What a prospecteur was told of one record, once it was told something."""
        return await self.read(f"out.{party}.permissions", lambda b: b["record"] == record)

    async def orders(self, party: str, stop_id: str) -> list[dict[str, Any]]:
        """The orders of one stop to one party, once there is one."""
        return await self.read(f"out.{party}.withdrawals", lambda b: b["stop_id"] == stop_id)


class _Reader:
    def __init__(self, at: Endpoints, topic: str) -> None:
        self._at, self._topic = at, topic
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> AIOKafkaConsumer:
        self._consumer = AIOKafkaConsumer(**options(self._at, owner_of(self._topic)), auto_offset_reset="earliest")
        await self._consumer.start()
        parts = await find_partitions(settings_of(self._at), [self._topic])
        self._consumer.assign(parts)
        await self._consumer.seek_to_beginning(*parts)
        return self._consumer

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await self._consumer.stop()


async def _bodies(consumer: AIOKafkaConsumer) -> list[dict[str, Any]]:
    batches = await consumer.getmany(timeout_ms=200)
    return [json.loads(r.value) for records in batches.values() for r in records]
