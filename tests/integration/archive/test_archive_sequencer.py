"""The sequencer on real engines: nothing lost, nothing twice, nothing forked, whatever happens between two steps."""

import asyncio
import contextlib
import itertools

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from bson.binary import Binary
from pymongo.errors import AutoReconnect

from services.proof_archive.log.rows import row_id
from shared.kafka.batch import BatchLoop
from shared.kafka.consuming import Consuming, make_broker
from shared.logging import configure
from shared.metrics import Metrics
from tests.fakes.archive_world import ArchiveWorld, Killed

pytestmark = pytest.mark.engines
STEPS = ("entries", "tiles", "heads")


@pytest.fixture
async def world(kafka, mongo_uri, tmp_path):
    async with ArchiveWorld(kafka, mongo_uri, tmp_path) as one:
        yield one


def at(step, *, turns, error):
    """Fail after the given step, on the given turns (0 is the first time the step is done)."""
    count = itertools.count()

    def after(name):
        if name == step and next(count) in turns:
            raise error

    return after


async def test_records_become_entries_in_their_order(world):
    topic = await world.topic(2)
    await world.publish(topic, 700, partition=0)
    await world.publish(topic, 30, partition=1)
    one = await (await world.instance((topic, 0), (topic, 1))).claim()
    await one.drain()
    first, second = await world.assert_archived(topic, 2)
    assert (first.size, first.next_offset, second.size) == (700, 700, 30)
    assert one.sequencer.problems() == []


@pytest.mark.parametrize("step", STEPS)
async def test_killed_after_a_step_the_next_one_goes_on(world, step):
    topic = await world.topic()
    await world.publish(topic, 1500)
    for turn in range(3):
        killed = await (await world.instance((topic, 0), after=at(step, turns={turn}, error=Killed()))).claim()
        with pytest.raises(Killed):
            await killed.drain()
    await (await (await world.instance((topic, 0))).claim()).drain()
    (head,) = await world.assert_archived(topic)
    assert head.epoch == 4


@pytest.mark.parametrize("step", STEPS)
async def test_an_engine_that_fails_after_a_step_costs_nothing(world, step):
    topic = await world.topic()
    await world.publish(topic, 500)
    fault = at(step, turns={0, 1, 3}, error=AutoReconnect("gone"))
    one = await (await world.instance((topic, 0), after=fault)).claim()
    await one.drain()
    (head,) = await world.assert_archived(topic)
    assert head.epoch == 1


async def test_a_position_ahead_of_the_head_skips_nothing(world):
    topic = await world.topic()
    await world.publish(topic, 300)
    one = await (await world.instance((topic, 0))).claim()
    one.consumer.seek(TopicPartition(topic, 0), 250)  # as a rewind after a new claim may leave it
    await one.drain()
    await one.drain()
    await world.assert_archived(topic)


@pytest.mark.parametrize("step", ["before", *STEPS[:2]])
async def test_a_zombie_is_fenced_and_its_work_is_dropped(world, step):
    topic = await world.topic()
    await world.publish(topic, 300)
    owner = await world.instance((topic, 0))
    taken = asyncio.Event()

    async def take_over():
        await owner.claim()
        await owner.drain()
        taken.set()

    zombie = await (await world.instance((topic, 0))).claim()
    store = zombie.sequencer._store

    class Paused:
        """The store, with a pause in which another instance takes the log over and does the same work."""

        def __getattr__(self, name):
            method = getattr(store, name)
            place = {"before": "write_entries", "entries": "write_tiles", "tiles": "commit"}[step]

            async def paused(*args):
                if name == place and not taken.is_set():
                    await take_over()
                return await method(*args)

            return paused

    zombie.sequencer._store = Paused()
    await zombie.drain()
    assert taken.is_set()
    (head,) = await world.assert_archived(topic)
    assert (head.epoch, head.size) == (2, 300)
    assert zombie.sequencer.problems() == [f"{topic}/0: its log is not held here"]
    assert owner.sequencer.problems() == []
    await world.publish(topic, 100, begin=300)
    await zombie.drain()  # it still consumes: it must add nothing
    assert (await world.reader.head(world.origin(topic))).size == 300
    await owner.drain()
    await world.assert_archived(topic)


async def test_an_assignment_does_not_wait_for_a_database_that_is_away(world, monkeypatch):
    """Kafka holds the whole group up while an assignment is handled: claiming is left to the first batch."""
    monkeypatch.setattr("services.proof_archive.log.ownership.CLAIM_S", 0.2)
    topic = await world.topic(2)
    await world.publish(topic, 50, partition=0)
    await world.publish(topic, 50, partition=1)
    await (
        await (await world.instance((topic, 0))).claim()
    ).drain()  # partition 0 is ahead of where the other will begin
    one = await world.instance((topic, 0), (topic, 1))
    claim, away = world.store.claim, [True]

    async def failing(origin):
        if away[0]:
            raise AutoReconnect("gone")
        return await claim(origin)

    monkeypatch.setattr(world.store, "claim", failing)
    async with asyncio.timeout(3):
        await one.claim()
    assert len(one.sequencer.problems()) == 2
    assert await one.step()
    assert not one.loop.healthy
    away[0] = False
    await one.drain()
    assert one.sequencer.problems() == []
    heads = await world.assert_archived(topic, 2)
    assert [head.epoch for head in heads] == [2, 1]


async def test_records_deleted_before_they_were_archived_halt_their_partition_by_name(world, kafka):
    topic = await world.topic(2)
    await world.publish(topic, 50, partition=0)
    await world.publish(topic, 20, partition=1)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=10)})
    await admin.close()
    one = await (await world.instance((topic, 0), (topic, 1))).claim()
    await one.drain()
    assert (await world.reader.head(world.origin(topic, 0))).size == 0
    assert (await world.reader.head(world.origin(topic, 1))).size == 20
    (problem,) = one.sequencer.problems()
    assert f"offsets 0 to 9 of {topic}/0 were deleted" in problem
    (row,) = [r for r in await world.reader.obligations() if r["origin"] == world.origin(topic, 0)]
    assert (row["first"], row["last"], row["owner"]) == (0, 9, "operator")


async def test_a_topic_that_lost_what_was_archived_halts_its_partition(world):
    topic = await world.topic()
    await world.publish(topic, 10)
    one = await (await world.instance((topic, 0))).claim()
    await one.drain()
    await world.db.heads.update_one({"_id": world.origin(topic)}, {"$set": {"next_offset": 12}})
    other = await (await world.instance((topic, 0))).claim()
    (problem,) = other.sequencer.problems()
    assert "ends at offset 10" in problem
    await world.db.heads.update_one({"_id": world.origin(topic)}, {"$set": {"next_offset": 10}})
    again = await (await world.instance((topic, 0))).claim()  # the cause is gone: so is the obligation
    assert again.sequencer.problems() == []
    assert not [r for r in await world.reader.obligations() if r["origin"] == world.origin(topic)]


async def test_offsets_without_records_are_no_gap(world, kafka):
    topic = await world.topic()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic)
    await producer.start()
    for number in range(5):  # each transaction leaves a control batch: an offset that holds no record
        async with producer.transaction():
            await producer.send_and_wait(topic, b'{"facts":{"kind":"test","n":%d}}' % number, partition=0)
    await producer.stop()
    one = await (await world.instance((topic, 0))).claim()
    await one.drain()
    (head,) = await world.assert_archived(topic)
    assert head.size == 5
    assert head.next_offset > 5


async def test_one_contradicted_log_halts_and_its_neighbour_flows(world):
    topic = await world.topic(2)
    await world.publish(topic, 20, partition=0)
    await world.publish(topic, 20, partition=1)
    one = await (await world.instance((topic, 0), (topic, 1))).claim()
    head = await world.reader.head(world.origin(topic, 0))
    await world.db.entries.insert_one({"_id": row_id(head.log, 7), "bytes": Binary(b"planted"), "refs": []})
    await one.drain()
    assert (await world.reader.head(world.origin(topic, 0))).size == 0
    assert (await world.reader.head(world.origin(topic, 1))).size == 20
    (problem,) = one.sequencer.problems()
    assert "index 7" in problem


async def test_unreadable_records_are_archived_by_their_hash(world):
    topic = await world.topic()
    producer = AIOKafkaProducer(bootstrap_servers=world.kafka)
    await producer.start()
    for value in (b"\xff", None, b"{}", b'{"facts":{"x":0.5}}'):
        await producer.send_and_wait(topic, value, key=b"\xfe", partition=0, headers=[("h", b"\xff"), ("n", b"")])
    await producer.stop()
    await (await (await world.instance((topic, 0))).claim()).drain()
    (head,) = await world.assert_archived(topic)
    assert head.size == 4


@contextlib.asynccontextmanager
async def member(world, topic, group):
    """A member of a real consumer group, as the service wires it."""
    broker, sequencer, metrics = make_broker(world.settings, "test"), world.sequencer(), Metrics()
    loop = BatchLoop(
        group=group, process=sequencer.process, publisher=world.publisher, metrics=metrics, log=world.log, isolate=False
    )
    Consuming(
        broker, loop, topics=[topic], pattern=None, on_assigned=sequencer.assigned, max_records=100, metrics=metrics,
        log=configure("test", "ERROR"),
    )  # fmt: skip
    await broker.start()
    try:
        yield sequencer
    finally:
        await broker.stop()


async def test_two_instances_share_the_partitions_and_a_rebalance_forks_no_log(world):
    topic, group = await world.topic(4), f"{world.deployment}-group"

    async def publish():
        for round_ in range(20):
            for partition in range(4):
                await world.publish(topic, 50, partition=partition, begin=50 * round_)
            await asyncio.sleep(0.1)

    async def archived(size):
        heads = [await world.reader.head(world.origin(topic, partition)) for partition in range(4)]
        return all(head is not None and head.size >= size for head in heads)

    async with member(world, topic, group) as first:
        publishing = asyncio.create_task(publish())
        async with asyncio.timeout(60):
            while not await archived(50):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            async with member(world, topic, group) as second:
                while not (len(first._owned._logs) == len(second._owned._logs) == 2):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                shared = {tp.partition for one in (first, second) for tp in one._owned._logs}
                assert shared == {0, 1, 2, 3}
                await asyncio.sleep(0.5)
            await publishing
            for partition in range(4):
                await world.publish(topic, 50, partition=partition, begin=1000)
            while not await archived(1050):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    heads = await world.assert_archived(topic, 4)
    assert min(head.epoch for head in heads) >= 2
    assert max(head.epoch for head in heads) >= 3
