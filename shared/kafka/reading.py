"""Finding what there is to read, for readers without a consumer group (audits, demonstrations, checks)."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


async def topic_names(bootstrap: str) -> list[str]:
    """Every topic of the cluster but Kafka's own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="opposable-reader")
    await admin.start()
    try:
        return sorted(name for name in await admin.list_topics() if not name.startswith("__"))
    finally:
        await admin.close()


async def partitions_of(bootstrap: str, topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of these topics, in order. A topic that does not exist has none.

    A consumer without a subscription does not know them: its own metadata holds only topics it was told of.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="opposable-reader")
    await admin.start()
    try:
        described = await admin.describe_topics(sorted(topics))
    finally:
        await admin.close()
    return sorted(TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"])
