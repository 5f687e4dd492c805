"""A record assessed again: who was told "you may" is told when it ends, wherever a crash falls, and nobody is told otherwise."""

from __future__ import annotations

import pytest
from rights_world import PERSON, RECORD, make_crossing, make_grant, make_line, make_stop, permissions

from services.rights_handler.former import SUPERSEDED
from tests.fakes.rights import Direct, Stepping, World

FELL = make_line(verdict="review", reasons=("PARTY-SUSPENDED",))
FIRST = make_grant(make_line(), make_line("assurbrelle"))
SECOND = make_grant(FELL, make_line("assurbrelle"), seq=2)


async def told(*grants, world=None):
    ports = Direct(world)
    crossing = make_crossing(ports)
    for grant in grants:
        await crossing.verdicts([grant], {RECORD: PERSON})
    return ports.world


def of(world, party):
    return [(kind, reasons) for recipient, kind, _, reasons in permissions(world) if recipient == party]


async def test_a_line_that_falls_has_ended_and_the_others_stand():
    world = await told(FIRST, SECOND)
    assert of(world, "canalvert") == [("granted", ()), ("ended", ("PARTY-SUSPENDED",))]
    assert [kind for kind, _ in of(world, "assurbrelle")] == ["granted", "granted"]


async def test_what_was_never_granted_is_refused_not_ended():
    world = await told(make_grant(make_line(verdict="invalid", reasons=("LIST-LATER",))), SECOND)
    assert [kind for kind, _ in of(world, "canalvert")] == ["refused", "refused"]


async def test_a_superseded_verdict_says_nothing_however_late_it_comes():
    world = await told(FIRST, SECOND, FIRST)
    assert [kind for kind, _ in of(world, "canalvert")] == ["granted", "ended"]


async def test_a_line_that_rises_again_is_granted_again():
    world = await told(FIRST, SECOND, make_grant(make_line(), make_line("assurbrelle"), seq=3))
    assert [kind for kind, _ in of(world, "canalvert")] == ["granted", "ended", "granted"]


async def test_what_fell_twice_ago_is_still_remembered():
    world = await told(FIRST, SECOND, make_grant(FELL, seq=3))
    assert [kind for kind, _ in of(world, "canalvert")] == ["granted", "ended", "ended"]
    assert of(world, "assurbrelle")[-1] == ("ended", (SUPERSEDED,))  # the latest verdict has no such line at all


async def test_a_stop_ends_what_a_newer_verdict_would_permit():
    ports = Direct()
    crossing = make_crossing(ports)
    await crossing.verdicts([FIRST], {RECORD: PERSON})
    await crossing.stops([make_stop()])
    await crossing.verdicts([make_grant(make_line(), make_line("assurbrelle"), seq=2)], {RECORD: PERSON})
    assert of(ports.world, "canalvert")[-1] == ("ended", ("STOPPED",))


async def test_a_replay_repeats_the_same_events():
    world = await told(FIRST, SECOND)
    before = [(dict(m.headers)["ce_id"], m.value) for m in world.published]
    after = [(dict(m.headers)["ce_id"], m.value) for m in (await told(SECOND, world=world)).published]
    assert after[: len(before)] == before
    assert set(after[len(before) :]) <= set(before)


def run(world, grant, steps):
    """G on one verdict, dying after so many steps; whether it came to its end."""
    running = make_crossing(Stepping()).verdicts([grant], {RECORD: PERSON})
    result = None
    try:
        for _ in range(steps):
            name, args = running.send(result)
            result = getattr(world, name)(*args)
    except StopIteration:
        return True
    running.close()
    return False


ENOUGH = 40


def test_wherever_crashes_fall_the_last_word_is_that_it_ended():
    lost = 0
    for first in range(1, ENOUGH):
        for second in range(1, ENOUGH):
            world = World()
            if not run(world, FIRST, first):
                run(world, FIRST, ENOUGH)
            if not run(world, SECOND, second):
                run(world, FIRST, ENOUGH)  # redelivered from an earlier offset, as after a rebalance
                run(world, SECOND, ENOUGH)
            words = [kind for kind, _ in of(world, "canalvert")]
            lost += words[-1] != "ended"
            assert "granted" not in words[words.index("ended") :]
    assert lost == 0


def test_this_search_can_fail():
    """A second verdict that took the row without remembering what it held would be told as a mere refusal."""

    class Forgetful(World):
        def once_valid(self, _records):
            return {}

    world = Forgetful()
    for grant in (FIRST, SECOND):
        run(world, grant, ENOUGH)
    assert of(world, "canalvert")[-1][0] == "refused"


@pytest.mark.parametrize("seq", [1, 2, 3])
async def test_several_verdicts_of_one_record_in_one_batch_count_as_the_last(seq):
    grants = [FIRST, SECOND, make_grant(make_line(), seq=3)][:seq]
    world = await told(max(grants, key=lambda grant: grant.vid))
    assert len(of(world, "canalvert")) == 1
