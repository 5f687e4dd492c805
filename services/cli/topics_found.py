"""The topics a cluster holds, with their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.kafka.connection import client_options
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Found:
    """A topic of the cluster: its number of partitions and its configuration."""

    partitions: int
    settings: Mapping[str, str]


async def cluster_topics(settings: Settings) -> dict[str, Found]:
    """Every topic of the cluster."""
    admin = AIOKafkaAdminClient(**client_options(settings, "cli"))
    await admin.start()
    try:
        names = sorted(await admin.list_topics())
        described = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(names)}
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    finally:
        await admin.close()
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    return {name: Found(described.get(name, 0), configs.get(name, {})) for name in names}
