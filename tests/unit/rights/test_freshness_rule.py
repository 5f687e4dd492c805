"""When a check may be answered: every stop said before a moment is in the index, and that moment is recent."""

from datetime import timedelta

import pytest
from aiokafka import TopicPartition
from rights_world import START

from services.rights_handler.freshness import Freshness
from shared.clock import ManualClock

ONE, TWO = TopicPartition("stops", 0), TopicPartition("in.acme.rights", 0)


class Positions:
    def __init__(self):
        self.end, self.done = {ONE: 5, TWO: 0}, {ONE: 5}

    async def ends(self):
        return dict(self.end)

    async def committed(self):
        return dict(self.done)

    async def stop(self):
        pass


@pytest.fixture
def bench():
    positions, clock = Positions(), ManualClock(START)
    return positions, clock, Freshness(positions, clock, timedelta(seconds=30))


async def test_nothing_is_known_before_the_first_look(bench):
    assert bench[2].lagging()


async def test_all_read_is_fresh_and_one_unread_record_is_not(bench):
    positions, clock, fresh = bench
    await fresh.look()
    assert not fresh.lagging()
    positions.end[TWO] = 1  # a stop that the collector has not read
    for _ in range(40):
        clock.advance(timedelta(seconds=1))
        await fresh.look()
    assert fresh.lagging()
    positions.done[TWO] = 1
    await fresh.look()
    assert fresh.lagging()  # complete until the note of 40 s ago only
    await fresh.look()
    assert not fresh.lagging()


async def test_a_steady_stream_that_is_never_quite_read_is_fresh(bench):
    positions, clock, fresh = bench
    for n in range(1, 200):
        positions.end[ONE], positions.done[ONE] = 5 + n, 4 + n
        clock.advance(timedelta(seconds=1))
        await fresh.look()
    assert not fresh.lagging()


async def test_a_cluster_that_does_not_answer_ages_the_answer(bench):
    _, clock, fresh = bench
    await fresh.look()
    clock.advance(timedelta(seconds=31))
    assert fresh.lagging()
