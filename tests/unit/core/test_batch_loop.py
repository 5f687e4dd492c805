"""The consumer loop: nothing lost, nothing skipped, nothing hot, whatever a batch does."""

import asyncio
from unittest.mock import patch

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from pymongo.errors import AutoReconnect, BulkWriteError

from shared.errors import Fenced, IntegrityError
from shared.kafka.batch import BACKOFF_MOST_S, BatchLoop
from shared.kafka.record import StoredRecord
from shared.logging import configure
from shared.metrics import Metrics


class Consumer:
    def __init__(self):
        self.sought = {}

    def seek(self, partition, offset):
        self.sought[partition] = offset


class Publisher:
    def __init__(self):
        self.sent = []

    async def send_all(self, messages):
        self.sent += messages


def batch(*offsets, topic="t", partition=0):
    return [StoredRecord(topic, partition, o, 0, None, str(o).encode(), (("h", None),)) for o in offsets]


@pytest.fixture
def slept():
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    with patch("shared.kafka.batch.asyncio.sleep", sleep):
        yield waits


def make(process, *, isolate=True):
    publisher = Publisher()
    loop = BatchLoop(
        group="g", process=process, publisher=publisher, metrics=Metrics(), log=configure("test"), isolate=isolate
    )
    return loop, publisher, Consumer()


async def test_a_done_batch_is_left_alone(slept):
    seen = []

    async def process(records):
        seen.extend(r.offset for r in records)

    loop, publisher, consumer = make(process)
    await loop.run(batch(4, 5), consumer)
    assert (seen, consumer.sought, slept, publisher.sent) == ([4, 5], {}, [], [])


@pytest.mark.parametrize("error", [AutoReconnect("x"), KafkaConnectionError(), OSError(), TimeoutError()])
async def test_an_engine_that_is_away_rewinds_every_partition_to_its_first_record(error, slept):
    async def process(_records):
        raise error

    loop, publisher, consumer = make(process)
    await loop.run(batch(7, 8) + batch(3, partition=1), consumer)
    assert consumer.sought == {TopicPartition("t", 0): 7, TopicPartition("t", 1): 3}
    assert publisher.sent == []
    assert not loop.healthy
    assert slept[0] > 0


async def test_back_off_grows_and_is_bounded(slept):
    async def process(_records):
        raise AutoReconnect("x")

    loop, _, consumer = make(process)
    for _ in range(12):
        await loop.run(batch(1), consumer)
    assert slept[-1] > slept[0]
    assert all(s <= BACKOFF_MOST_S for s in slept)
    assert slept[-1] >= BACKOFF_MOST_S / 2


@pytest.mark.parametrize(
    "fault",
    [ValueError("jean@exemple.fr"), MessageSizeTooLargeError(), BulkWriteError({"writeErrors": [{"code": 2}]})],
)
async def test_one_bad_record_goes_to_dead_and_its_neighbours_are_done(fault, slept):
    done = set()

    async def process(records):
        if any(r.offset == 5 for r in records):
            raise fault
        done.update(r.offset for r in records)

    loop, publisher, consumer = make(process)
    await loop.run(batch(*range(10)), consumer)
    assert done == set(range(10)) - {5}
    (dead,) = publisher.sent
    headers = dict(dead.headers)
    assert (dead.topic, dead.value) == ("dead", b"5")
    assert headers["h"] is None
    assert headers["opposable-offset"] == b"5"
    assert b"jean" not in b"".join(v for v in headers.values() if v)
    assert consumer.sought == {}
    assert slept == []


async def test_a_lack_of_majority_waits_although_it_is_a_bulk_write_error(slept):
    async def process(_records):
        raise BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]})

    loop, publisher, consumer = make(process)
    await loop.run(batch(1), consumer)
    assert consumer.sought == {TopicPartition("t", 0): 1}
    assert publisher.sent == []


@pytest.mark.parametrize("code", [91, 189, 10107, 11600, 11602, 13435])
async def test_a_server_that_goes_away_in_the_middle_of_a_bulk_write_puts_nothing_aside(code, slept):
    async def process(_records):
        raise BulkWriteError({"writeErrors": [{"code": code, "index": 0}]})

    loop, publisher, consumer = make(process)
    await loop.run(batch(1), consumer)
    assert publisher.sent == []
    assert consumer.sought == {TopicPartition("t", 0): 1}
    assert not loop.healthy


async def test_duplicates_of_an_attempt_before_beside_a_failed_write_concern_put_nothing_aside(slept):
    """Stops were lost to `dead` so: inserted by an attempt that was cut, they collided with themselves as the server shut down."""

    async def process(_records):
        raise BulkWriteError({"writeErrors": [{"code": 11000, "index": 0}], "writeConcernErrors": [{"code": 11600}]})

    loop, publisher, consumer = make(process)
    await loop.run(batch(1), consumer)
    assert publisher.sent == []
    assert consumer.sought == {TopicPartition("t", 0): 1}
    assert not loop.healthy


async def test_without_isolation_an_error_halts_instead_of_skipping(slept):
    async def process(_records):
        raise ValueError

    loop, publisher, consumer = make(process, isolate=False)
    await loop.run(batch(1, 2), consumer)
    assert consumer.sought == {TopicPartition("t", 0): 1}
    assert publisher.sent == []


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize("error", [Fenced("x"), IntegrityError("x")])
async def test_fenced_and_integrity_never_skip(error, isolate, slept):
    async def process(_records):
        raise error

    loop, publisher, consumer = make(process, isolate=isolate)
    await loop.run(batch(1, 2), consumer)
    assert consumer.sought == {TopicPartition("t", 0): 1}
    assert publisher.sent == []


async def test_cancellation_passes_through():
    async def process(_records):
        raise asyncio.CancelledError

    loop, _, consumer = make(process)
    with pytest.raises(asyncio.CancelledError):
        await loop.run(batch(1), consumer)
