"""Creates topics from the one table, and gives each archived topic its incarnation id in the registry.

An incarnation id is random and drawn once per topic: a topic deleted and made again is another log (proof.md), so two
histories can never be taken for one.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.errors import ConfigurationError
from shared.kafka.connection import client_options
from shared.registry.publish import PublishReport, publish, stored_bodies
from shared.settings import Settings
from shared.topics import ARCHIVED, PLATFORM_PARTY, TopicRow, platform_topics, settings_of, topics_of_party

VISIBLE_S = 20.0
"""How long a topic just created may be missing from the cluster's metadata."""


@dataclass(slots=True)
class ProvisionReport:
    """What provisioning did."""

    created: list[str] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    registry: PublishReport = field(default_factory=PublishReport)


def wanted_topics(parties: Iterable[str]) -> list[tuple[str, TopicRow]]:
    """Every topic the table asks for, given the parties."""
    return platform_topics() + [pair for party in sorted(parties) for pair in topics_of_party(party)]


def partitions_of(name: str, row: TopicRow, internal: int, party: int) -> int:
    """How many partitions a topic gets."""
    if row.single_partition:
        return 1
    return party if name.startswith(("in.", "out.")) else internal


async def topics_missing(settings: Settings, names: Iterable[str]) -> list[str]:
    """Which of these topics the cluster does not show."""
    admin = AIOKafkaAdminClient(**client_options(settings, "admin"))
    await admin.start()
    try:
        present = set(await admin.list_topics())
    finally:
        await admin.close()
    return sorted(set(names) - present)


async def require_topics(settings: Settings, names: Sequence[str]) -> None:
    """Fail with the names of missing topics: a subscriber of a missing topic would wait for ever in silence."""
    missing = await topics_missing(settings, names)
    if missing:
        raise ConfigurationError(
            f"topics missing, or not allowed to this user: {', '.join(missing)}; run `opposable topics apply`"
        )


async def create_topics(
    settings: Settings, wanted: Sequence[tuple[str, TopicRow, int]], replication: int
) -> tuple[list[str], list[str]]:
    """Create (name, row, partitions) where missing and align configurations. Returns created and existing names."""
    admin = AIOKafkaAdminClient(**client_options(settings, "admin"))
    await admin.start()
    try:
        new = [
            NewTopic(name, partitions, replication, topic_configs=_config(row, replication))
            for name, row, partitions in wanted
        ]
        response = await admin.create_topics(new, timeout_ms=30_000)
        created, existing = [], []
        for name, code, *_ in response.topic_errors:  # refused creations come as codes, not as exceptions
            if code == 0:
                created.append(name)
            elif for_code(code) is TopicAlreadyExistsError:
                existing.append(name)
            else:
                raise ConfigurationError(f"Kafka refuses to create topic {name}: {for_code(code).__name__}")
        if existing:
            rows = {name: row for name, row, _ in wanted}
            replicas = {t["topic"]: len(t["partitions"][0]["replicas"]) for t in await admin.describe_topics(existing)}
            await admin.alter_configs([
                ConfigResource(ConfigResourceType.TOPIC, name, configs=_config(rows[name], replicas[name]))
                for name in existing
            ])  # fmt: skip
    finally:
        await admin.close()
    await _visible(settings, [name for name, _, _ in wanted])
    return created, existing


def _config(row: TopicRow, replication: int) -> dict[str, str]:
    return settings_of(row) | {"min.insync.replicas": "2" if replication > 2 else "1"}  # noqa: PLR2004 - RF 3, ISR 2


async def _visible(settings: Settings, names: Sequence[str]) -> None:
    async with asyncio.timeout(VISIBLE_S):
        while await topics_missing(settings, names):  # noqa: ASYNC110 - Kafka offers no event for this
            await asyncio.sleep(0.2)


async def provision(
    settings: Settings,
    *,
    registry_documents: Iterable[tuple[str, dict[str, Any]]] = (),
    internal_partitions: int = 3,
    party_partitions: int = 1,
    replication: int = 1,
) -> ProvisionReport:
    """Make topics for the platform and every party (those given and those already registered), then publish the registry.

    `registry_documents` are (key, body) pairs. Idempotent. Raises ConfigurationError when Kafka refuses, or when a
    published version would change.
    """
    documents = list(registry_documents)
    rows = [
        (name, row, partitions_of(name, row, internal_partitions, party_partitions)) for name, row in platform_topics()
    ]
    created, existing = await create_topics(settings, rows, replication)
    stored = await stored_bodies(settings)
    incarnations = [
        (f"topic:{row.name}", {
            "kind": "topic", "id": row.name, "incarnation": secrets.token_hex(8),
            "partitions": partitions_of(row.name, row, internal_partitions, party_partitions),
        })
        for row in ARCHIVED if f"topic:{row.name}" not in stored
    ]  # fmt: skip
    parties = {k.partition(":")[2] for k in [*stored, *(k for k, _ in documents)] if k.startswith("party:")}
    if PLATFORM_PARTY in parties:
        raise ConfigurationError(f"no party may be called {PLATFORM_PARTY!r}: it names the platform's own edges")
    await publish(settings, incarnations)
    per_party = [
        (name, row, partitions_of(name, row, internal_partitions, party_partitions))
        for party in sorted(parties) for name, row in topics_of_party(party)
    ]  # fmt: skip
    if per_party:
        more, already = await create_topics(settings, per_party, replication)
        created, existing = created + more, existing + already
    report = ProvisionReport(created, existing, await publish(settings, documents))
    if report.registry.refused:
        raise ConfigurationError(
            "already published with another body: " + ", ".join(report.registry.refused)
            + ". Published versions are immutable: give the change a new version"
        )  # fmt: skip
    return report
