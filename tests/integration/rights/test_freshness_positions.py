"""What freshness reads from a real cluster: a stop that nobody has read yet must be seen as a lag (P2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.rights_handler.freshness import Freshness, KafkaPositions
from shared.clock import ManualClock
from shared.settings import Settings

pytestmark = pytest.mark.engines


@pytest.fixture
async def topic(kafka: str, unique: str):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(unique, 2, 1)])
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for partition in (0, 0, 1):
            await producer.send_and_wait(unique, b"stop", partition=partition)
        # A cluster just started has no group coordinator until someone commits.
        await commit(kafka, f"{unique}-g", {TopicPartition(unique, 1): 0})
        yield unique
    finally:
        await producer.stop()
        await admin.delete_topics([unique])
        await admin.close()


async def commit(kafka: str, group: str, offsets: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
    finally:
        await consumer.stop()


async def test_ends_and_commits_of_the_topics_that_carry_stops(kafka: str, topic: str, unique: str) -> None:
    group = f"{unique}-g"
    positions = KafkaPositions(Settings(KAFKA_BOOTSTRAP_SERVERS=kafka), "t", {group: lambda: [topic, f"{unique}-none"]})
    try:
        assert await positions.ends() == {TopicPartition(topic, 0): 2, TopicPartition(topic, 1): 1}
        await commit(kafka, group, {TopicPartition(topic, 0): 1})
        assert await positions.committed() == {TopicPartition(topic, 0): 1, TopicPartition(topic, 1): 0}
    finally:
        await positions.stop()


async def test_an_unread_stop_keeps_checks_from_being_answered(kafka: str, topic: str, unique: str) -> None:
    group, clock = f"{unique}-g", ManualClock(datetime(2026, 11, 24, tzinfo=UTC))
    positions = KafkaPositions(Settings(KAFKA_BOOTSTRAP_SERVERS=kafka), "t", {group: lambda: [topic]})
    freshness = Freshness(positions, clock, timedelta(seconds=30))
    try:
        await freshness.look()
        assert freshness.lagging()
        await commit(kafka, group, {TopicPartition(topic, 0): 2, TopicPartition(topic, 1): 1})
        await freshness.look()
        assert not freshness.lagging()
        clock.advance(timedelta(seconds=31))
        assert freshness.lagging()
    finally:
        await positions.stop()
