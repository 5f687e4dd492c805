"""The consumer loop on a real Kafka: poison headers, faults, gaps, two members, topics made later."""

import asyncio
import contextlib
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from pymongo.errors import AutoReconnect

from shared.errors import ConfigurationError
from shared.kafka.batch import BatchLoop
from shared.kafka.consuming import Consuming, make_broker
from shared.kafka.publisher import Outgoing, Publisher
from shared.logging import configure
from shared.metrics import Metrics
from shared.provisioning import require_topics
from shared.settings import Settings
from shared.topics import DEAD

pytestmark = pytest.mark.engines


@pytest.fixture
def settings(kafka, tmp_path):
    return Settings(KAFKA_BOOTSTRAP_SERVERS=kafka, secrets_dir=tmp_path, state_dir=tmp_path)


@pytest.fixture
async def admin(kafka):
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def publisher(settings):
    one = Publisher(settings, "test")
    await one.start()
    yield one
    await one.stop()


async def make_topic(admin, name, partitions=1):
    await admin.create_topics([NewTopic(name, partitions, 1, topic_configs={"max.message.bytes": "4194304"})])
    while name not in await admin.list_topics():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


@pytest.fixture
async def topic(admin):
    name = f"t-{uuid.uuid4().hex[:8]}"
    await make_topic(admin, name)
    return name


@contextlib.asynccontextmanager
async def consuming(settings, publisher, process, *, group, topics=(), pattern=None):
    broker = make_broker(settings, "test")
    log, metrics = configure("test"), Metrics()
    loop = BatchLoop(group=group, process=process, publisher=publisher, metrics=metrics, log=log)
    one = Consuming(
        broker, loop, topics=topics, pattern=pattern, on_assigned=None, max_records=100, metrics=metrics, log=log
    )
    await broker.start()
    try:
        yield one
    finally:
        await broker.stop()


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def committed(settings, group, topic):
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        return await consumer.committed(TopicPartition(topic, 0))
    finally:
        await consumer.stop()


async def test_null_and_non_utf8_headers_reach_the_process_and_are_committed(settings, publisher, topic):
    seen = []

    async def process(records):
        seen.extend((r.value, tuple(r.headers)) for r in records)

    headers = (("ce_id", None), ("x", b"\xff\xfe"))
    await publisher.send_all([Outgoing(topic, b"k", b"1", headers), Outgoing(topic, b"k", b"2")])
    async with consuming(settings, publisher, process, group=f"g-{topic}", topics=[topic]):
        await until(lambda: len(seen) == 2)
    assert seen == [(b"1", headers), (b"2", ())]
    assert await committed(settings, f"g-{topic}", topic) == 2


async def test_an_engine_fault_loses_nothing_and_commits_only_what_was_done(settings, publisher, topic):
    seen, failures = [], iter([AutoReconnect("away"), AutoReconnect("away")])

    async def process(records):
        if any(r.value == b"17" for r in records):
            for failure in failures:
                raise failure
        seen.extend(int(r.value) for r in records)

    await publisher.send_all([Outgoing(topic, b"k", str(i).encode()) for i in range(50)])
    async with consuming(settings, publisher, process, group=f"g-{topic}", topics=[topic]):
        await until(lambda: 49 in seen)
    assert sorted(set(seen)) == list(range(50))
    assert await committed(settings, f"g-{topic}", topic) == 50


async def test_a_poison_record_is_dead_with_its_bytes_and_headers(settings, publisher, topic, admin):
    if DEAD.name not in await admin.list_topics():
        await make_topic(admin, DEAD.name)
    seen = []

    async def process(records):
        if any(r.value == b"poison" for r in records):
            raise ValueError
        seen.extend(r.value for r in records)

    await publisher.send_all([Outgoing(topic, b"k", v, (("h", None), ("b", b"\xff"))) for v in (b"a", b"poison", b"b")])
    async with consuming(settings, publisher, process, group=f"g-{topic}", topics=[topic]):
        await until(lambda: len(seen) == 2)
    assert seen == [b"a", b"b"]
    reader = AIOKafkaConsumer(
        DEAD.name, bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
    )
    await reader.start()
    try:
        async with asyncio.timeout(20):
            async for record in reader:
                headers = dict(record.headers)
                if headers["opposable-topic"] == topic.encode():
                    break
    finally:
        await reader.stop()
    assert record.value == b"poison"
    assert (headers["h"], headers["b"], headers["opposable-offset"]) == (None, b"\xff", b"1")


async def test_a_gap_halts_by_name_and_skips_nothing(settings, publisher, topic, admin):
    seen = []

    async def process(records):
        seen.extend(r.value for r in records)

    group = f"g-{topic}"
    await publisher.send_all([Outgoing(topic, b"k", b"0"), Outgoing(topic, b"k", b"1")])
    async with consuming(settings, publisher, process, group=group, topics=[topic]):
        await until(lambda: len(seen) == 2)
    await publisher.send_all([Outgoing(topic, b"k", str(i).encode()) for i in range(2, 6)])
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})
    async with consuming(settings, publisher, process, group=group, topics=[topic]) as one:
        await until(lambda: any("deleted before" in p for p in one.problems()))
        assert "offsets 2 to 3" in one.problems()[0]
        await asyncio.sleep(1)
    assert seen == [b"0", b"1"]
    assert await committed(settings, group, topic) == 2


async def test_topics_made_later_are_found_by_the_pattern(settings, publisher, admin):
    seen, prefix = [], f"p{uuid.uuid4().hex[:6]}"

    async def process(records):
        seen.extend(r.value for r in records)

    await make_topic(admin, f"{prefix}.a")
    await publisher.send_all([Outgoing(f"{prefix}.a", None, b"a")])
    async with consuming(settings, publisher, process, group=f"g-{prefix}", pattern=rf"^{prefix}\.[a-z]+$"):
        await until(lambda: b"a" in seen)
        await make_topic(admin, f"{prefix}.b")
        await publisher.send_all([Outgoing(f"{prefix}.b", None, b"b")])
        await until(lambda: b"b" in seen, 30)


async def test_two_members_share_and_a_leaving_one_loses_nothing(settings, publisher, admin):
    name = f"t-{uuid.uuid4().hex[:8]}"
    await make_topic(admin, name, 4)
    seen = {"one": set(), "two": set()}

    def remember(who):
        async def process(records):
            await asyncio.sleep(0.01)
            seen[who].update(int(r.value) for r in records)

        return process

    async with consuming(settings, publisher, remember("one"), group=f"g-{name}", topics=[name]):
        async with consuming(settings, publisher, remember("two"), group=f"g-{name}", topics=[name]) as two:
            await until(lambda: two.problems() == [])
            for start in range(0, 2000, 100):
                await publisher.send_all(
                    [Outgoing(name, str(i).encode(), str(i).encode()) for i in range(start, start + 100)]
                )
            await until(lambda: seen["two"])
        await until(lambda: seen["one"] | seen["two"] == set(range(2000)), 60)


async def test_missing_topics_are_named(settings):
    with pytest.raises(ConfigurationError, match="no-such-topic"):
        await require_topics(settings, ["no-such-topic"])
