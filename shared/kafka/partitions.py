"""Which partitions topics have, asked of the cluster.

A consumer knows only the topics it follows: `partitions_for_topic` answers None for any other, whatever `topics()` just
fetched (aiokafka 0.14). Taken for "no partition", that would read nothing and find nothing missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.errors import Unavailable

UNKNOWN_TOPIC = 3
"""Kafka's error code of a topic that does not exist."""


async def partitions_of(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of these topics, in order; a topic that does not exist has none.

    Raises Unavailable when the cluster cannot tell (a topic just created, or one that may not be described).
    """
    wanted = sorted(set(topics))
    if not wanted:
        return []
    found = []
    for topic in await admin.describe_topics(wanted):
        if topic["error_code"] == UNKNOWN_TOPIC:
            continue
        if topic["error_code"] or not topic["partitions"]:
            raise Unavailable(f"the cluster does not tell the partitions of topic {topic['topic']}")
        found += [TopicPartition(topic["topic"], partition["partition"]) for partition in topic["partitions"]]
    return sorted(found)
