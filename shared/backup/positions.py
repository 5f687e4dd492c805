"""How far the consumer groups are, where topics begin and end, how long they keep: what a copy needs of Kafka, and putting it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from shared.errors import ConfigurationError, Unavailable
from shared.kafka.connection import client_options
from shared.kafka.partitions import partitions_of
from shared.settings import Settings
from shared.topics import SERVICES

RETENTION = "retention.ms"


def named(partition: TopicPartition) -> str:
    """`stops/0`."""
    return f"{partition.topic}/{partition.partition}"


def partition_of(name: str) -> TopicPartition:
    """`stops/0` → its partition."""
    topic, _, number = name.rpartition("/")
    return TopicPartition(topic, int(number))


def service_of(group: str) -> str:
    """`rights_handler.stops` → `rights_handler`."""
    return group.partition(".")[0]


class Positions:
    """What Kafka holds now. Needs the operator's credentials."""

    def __init__(self, settings: Settings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        self._settings, self._admin, self._consumer = settings, admin, consumer

    async def groups(self) -> dict[str, dict[str, int]]:
        """Offsets that the services' groups have committed, by group."""
        names = sorted(group for group, *_ in await self._admin.list_consumer_groups() if service_of(group) in SERVICES)
        found = {}
        for group in names:
            offsets = await self._admin.list_consumer_group_offsets(group)
            found[group] = {named(p): entry.offset for p, entry in sorted(offsets.items()) if entry.offset >= 0}
        return found

    async def partitions(self) -> list[TopicPartition]:
        """Every partition of every topic but Kafka's own."""
        topics = [name for name in await self._admin.list_topics() if not name.startswith("__")]
        return await partitions_of(self._admin, topics)

    async def ends(self) -> dict[str, int]:
        """Where each partition ends."""
        return {named(p): end for p, end in (await self._consumer.end_offsets(await self._known())).items()}

    async def begins(self) -> dict[str, int]:
        """The first record of each that is still there."""
        return {named(p): at for p, at in (await self._consumer.beginning_offsets(await self._known())).items()}

    async def _known(self) -> list[TopicPartition]:
        """Every partition, known to the consumer in one request: it would ask for one topic after the other, a tenth of a second each."""
        found = await self.partitions()
        self._consumer.assign(found)
        self._consumer.pause(*found)
        return found

    async def retention_ms(self) -> dict[str, int]:
        """How long each topic keeps its records, by topic; -1 = for ever."""
        topics = sorted({partition.topic for partition in await self.partitions()})
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
        return {
            resource[3]: int({entry[0]: entry[1] for entry in resource[4]}[RETENTION])
            for answer in await self._admin.describe_configs(asked)
            for resource in answer.resources
        }

    async def busy(self, groups: Mapping[str, Mapping[str, int]]) -> list[str]:
        """Those of these groups (with their offsets) that have members: what they committed cannot be committed again from outside."""
        found = []
        for group, offsets in sorted(groups.items()):
            try:
                if offsets:
                    await self.put_back(group, offsets)
            except Unavailable:
                found.append(group)
        return found

    async def put_back(self, group: str, offsets: Mapping[str, int]) -> None:
        """Commit these offsets for a group without members. Raises Unavailable while it has some."""
        options = client_options(self._settings, "restore")
        consumer = AIOKafkaConsumer(**options, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            parts = {partition_of(name): offset for name, offset in offsets.items()}
            consumer.assign(list(parts))
            await consumer.commit(parts)
        except KafkaError as error:
            raise Unavailable(
                f"the group {group} cannot be put back ({type(error).__name__}): are its services stopped?"
            ) from None
        finally:
            await consumer.stop()

    async def records(self, begins: Mapping[str, int], ends: Mapping[str, int]) -> AsyncIterator[Any]:
        """Every record between these offsets."""
        parts = {partition_of(name): end for name, end in ends.items() if end > begins.get(name, 0)}
        self._consumer.assign(list(parts))
        for partition in parts:
            self._consumer.seek(partition, begins.get(named(partition), 0))
        left = dict(parts)
        while left:
            for partition, records in (await self._consumer.getmany(*left, timeout_ms=500)).items():
                for record in records:
                    if record.offset < parts[partition]:
                        yield record
            left = {p: end for p, end in left.items() if await self._consumer.position(p) < end}


@asynccontextmanager
async def positions(settings: Settings) -> AsyncIterator[Positions]:
    """Connect. Raises ConfigurationError where Kafka refuses."""
    options = client_options(settings, "backup")
    admin = AIOKafkaAdminClient(**options)
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False)
    await admin.start()
    try:
        await consumer.start()
        try:
            yield Positions(settings, admin, consumer)
        finally:
            await consumer.stop()
    except KafkaError as error:
        raise ConfigurationError(f"Kafka refuses ({type(error).__name__})") from None
    finally:
        await admin.close()
