"""Publishing registry objects: only what changed, and never a second body under a published version.

Publishing is the operator's right (topic `registry`, one partition, kept for ever). Readers hold the same rule, so two
operators who race cannot rewrite history: the first body stored wins everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared import canonical
from shared.kafka.connection import client_options
from shared.kafka.publisher import Outgoing, Publisher
from shared.settings import Settings
from shared.topics import REGISTRY

READ_S = 60.0
UPDATABLE = frozenset({"party", "topic"})
"""Kinds without versions: the newest body counts. Every other kind is immutable once published."""


@dataclass(slots=True)
class PublishReport:
    """Keys by what happened to them."""

    published: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Keys already published under this version with another body: give the change a new version."""


async def registered_parties(settings: Settings) -> list[str]:
    """The ids of all registered parties, in order."""
    return sorted(key.partition(":")[2] for key in await stored_bodies(settings) if key.startswith("party:"))


async def stored_bodies(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every object of the registry topic by key, as readers see it (first body wins; newest for updatable kinds)."""
    consumer = AIOKafkaConsumer(
        **client_options(settings, "registry-reader"), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    partition = TopicPartition(REGISTRY.name, 0)
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        bodies: dict[str, dict[str, Any]] = {}
        async with asyncio.timeout(READ_S):
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        key = (record.key or b"").decode()
                        if is_updatable(key) or key not in bodies:
                            bodies[key] = orjson.loads(record.value)
        return bodies
    finally:
        await consumer.stop()


def is_updatable(key: str) -> bool:
    """True for objects whose newest body counts."""
    return key.partition(":")[0] in UPDATABLE


def plan(stored: dict[str, dict[str, Any]], wanted: Iterable[tuple[str, dict[str, Any]]]) -> PublishReport:
    """What publishing `wanted` would do. Pure."""
    report = PublishReport()
    for key, body in wanted:
        if key not in stored:
            report.published.append(key)
        elif canonical.dumps(stored[key]) == canonical.dumps(body):
            report.unchanged.append(key)
        elif is_updatable(key):
            report.published.append(key)
        else:
            report.refused.append(key)
    return report


async def publish(settings: Settings, wanted: Iterable[tuple[str, dict[str, Any]]]) -> PublishReport:
    """Publish what changed. Nothing at all is published when any object is refused."""
    objects = dict(wanted)
    for body in objects.values():
        canonical.check(body)
    report = plan(await stored_bodies(settings), objects.items())
    if report.refused or not report.published:
        return report
    publisher = Publisher(settings, "operator")
    await publisher.start()
    try:
        await publisher.send_all(
            [Outgoing(REGISTRY.name, key.encode(), canonical.dumps(objects[key])) for key in report.published]
        )
    finally:
        await publisher.stop()
    return report
