"""Finding what there is to read, for readers without a consumer group (audits, demonstrations, checks)."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.connection import client_options
from shared.kafka.partitions import partitions_of
from shared.settings import Settings

Cluster = str | Settings
"""Bootstrap addresses of an open cluster, or settings with credentials."""


def _admin(cluster: Cluster) -> AIOKafkaAdminClient:
    if isinstance(cluster, Settings):
        return AIOKafkaAdminClient(**client_options(cluster, "reader"))
    return AIOKafkaAdminClient(bootstrap_servers=cluster, client_id="opposable-reader")


async def topic_names(cluster: Cluster) -> list[str]:
    """Every topic of the cluster but Kafka's own."""
    admin = _admin(cluster)
    await admin.start()
    try:
        return sorted(name for name in await admin.list_topics() if not name.startswith("__"))
    finally:
        await admin.close()


async def find_partitions(cluster: Cluster, topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of these topics, in order (see `partitions_of`)."""
    admin = _admin(cluster)
    await admin.start()
    try:
        return await partitions_of(admin, topics)
    finally:
        await admin.close()
