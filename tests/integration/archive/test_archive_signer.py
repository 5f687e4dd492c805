"""The signer on real engines: it states only what it has proven consistent with all it stated before."""

import pytest
from bson.binary import Binary
from pymongo.errors import AutoReconnect

from services.proof_archive.checkpoints.memory import FILE
from services.proof_archive.checkpoints.published import latest_notes
from services.proof_archive.domain import entry_of
from services.proof_archive.log.rows import tile_id
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.note import Signer, sign
from shared.crypto.policy import open_checkpoint
from shared.kafka.publisher import Outgoing
from shared.provisioning import provision
from shared.topics import CHECKPOINTS_LATEST
from tests.fakes.archive_world import ArchiveWorld, Killed

pytestmark = pytest.mark.engines


@pytest.fixture
async def world(kafka, mongo_uri, tmp_path):
    async with ArchiveWorld(kafka, mongo_uri, tmp_path) as one:
        await provision(one.settings)
        yield one


async def archived(world, topic, count, begin=0):
    await world.publish(topic, count, begin=begin)
    await (await (await world.instance((topic, 0))).claim()).drain()
    return await world.reader.head(world.origin(topic))


async def published(world, topic):
    """The newest checkpoint that left, opened with the trust file."""
    note = (await latest_notes(world.settings)).get(world.origin(topic))
    return open_checkpoint(note, world.policy).checkpoint if note else None


async def stored_sizes(world, head):
    rows = world.db.checkpoints.find({"_id.log": head.log}).sort("_id", 1)
    return [row["_id"]["size"] async for row in rows]


async def test_what_grew_is_signed_published_and_stored(world):
    topic = await world.topic()
    signing = world.signing()
    assert await signing.round() == 0
    for begin, count, size in ((0, 5, 5), (5, 600, 605), (605, 1, 606)):
        head = await archived(world, topic, count, begin)
        assert await signing.round() == 1
        assert await signing.round() == 0
        expected = Checkpoint(head.origin, size, head.root)
        assert await published(world, topic) == expected
        newest = await world.reader.latest_of(head.log)
        assert open_checkpoint(newest.note, world.policy).checkpoint == expected
    assert await stored_sizes(world, head) == [5, 605, 606]
    assert signing.problems() == []


@pytest.mark.parametrize("step", ["memory", "published", "stored"])
@pytest.mark.parametrize("grows", [False, True])
async def test_killed_after_a_step_it_goes_on_without_a_fork(world, step, grows):
    topic = await world.topic()
    head = await archived(world, topic, 10)
    await world.signing().round()
    head = await archived(world, topic, 10, 10)

    def kill(name):
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        await world.signing(after=kill).round()
    if grows:
        head = await archived(world, topic, 10, 20)
    again = world.signing()
    again.recover(await latest_notes(world.settings))
    assert await again.round() == 1
    assert await published(world, topic) == Checkpoint(head.origin, head.size, head.root)
    assert (await world.reader.latest_of(head.log)).size == head.size
    assert again.problems() == []
    sizes = await stored_sizes(world, head)
    assert sizes == sorted(set(sizes))


async def test_a_failed_round_is_done_again(world):
    topic = await world.topic()
    head = await archived(world, topic, 10)
    faults = iter([AutoReconnect("gone"), None])

    def fail(name):
        if name == "published" and (fault := next(faults, None)):
            raise fault

    signing = world.signing(after=fail)
    with pytest.raises(AutoReconnect):
        await signing.round()
    assert await signing.round() == 1
    assert await stored_sizes(world, head) == [10]


async def rewritten(world, topic, count):
    """The log with another first entry."""
    entries = [entry_of(record).data for record in (await world.records(topic))[:count]]
    await world.forge(topic, [entries[0].replace(b'"kind":"test"', b'"kind":"fake"'), *entries[1:]])


async def test_an_older_database_halts_the_log_until_kafka_has_given_the_same_root(world):
    topic = await world.topic()
    await archived(world, topic, 20)
    backup = [
        [row async for row in world.db[name].find({"_id.log": log} if name != "heads" else {"log": log})]
        for log in [(await world.reader.head(world.origin(topic))).log]
        for name in ("entries", "tiles", "heads")
    ]
    head = await archived(world, topic, 300, 20)
    signing = world.signing()
    assert await signing.round() == 1
    for name, rows in zip(("entries", "tiles", "heads"), backup, strict=True):
        collection = world.db[name]
        await collection.delete_many({"_id.log": head.log} if name != "heads" else {"log": head.log})
        await collection.insert_many(rows)
    restarted = world.signing()
    restarted.recover(await latest_notes(world.settings))
    for one in (signing, restarted):
        assert await one.round() == 0
        (problem,) = one.problems()
        assert "behind what was signed (320 entries)" in problem
    (row,) = [r for r in await world.reader.obligations() if r["origin"] == head.origin]
    assert row["_id"].startswith("signer:")
    await (await (await world.instance((topic, 0))).claim()).drain()  # replays the tail from Kafka
    assert (await world.reader.head(head.origin)).root == head.root
    for one in (restarted, signing):  # one that lived through it, too: the replay ends at the size that it signed last
        assert await one.round() == 1
        assert one.problems() == []
    assert not [r for r in await world.reader.obligations() if r["origin"] == head.origin]


@pytest.mark.parametrize("size", [400, 450])
@pytest.mark.parametrize("memory", ["file", "topic"])
async def test_a_fork_is_never_signed(world, tmp_path, size, memory):
    topic = await world.topic()
    signed = await archived(world, topic, 400)
    assert await world.signing().round() == 1
    await world.publish(topic, 50, begin=400)
    await rewritten(world, topic, size)
    if memory == "topic":
        (tmp_path / "state" / FILE).unlink()
    signing = world.signing()
    signing.recover(await latest_notes(world.settings))
    for _ in range(2):
        assert await signing.round() == 0
        (problem,) = signing.problems()
        assert "inconsistent with what was signed" in problem
    assert await published(world, topic) == Checkpoint(signed.origin, 400, signed.root)
    assert await stored_sizes(world, signed) == [400]


async def test_a_damaged_tile_halts_its_log_alone(world):
    topic, other = await world.topic(), await world.topic()
    await archived(world, topic, 300)
    head = await archived(world, other, 300)
    key = {"_id": tile_id((await world.reader.head(world.origin(topic))).log, 1, 0)}
    await world.db.tiles.delete_one(key)
    signing = world.signing()
    assert await signing.round() == 1
    (problem,) = signing.problems()
    assert world.origin(topic) in problem
    assert (await published(world, other)).size == head.size
    assert await published(world, topic) is None


async def test_a_head_that_its_tiles_do_not_give_is_not_signed_even_the_first_time(world):
    topic = await world.topic()
    head = await archived(world, topic, 10)
    await world.db.heads.update_one({"_id": head.origin}, {"$set": {"root": Binary(b"x" * 32)}})
    signing = world.signing()
    assert await signing.round() == 0
    (problem,) = signing.problems()
    assert "the tiles do not lead to the head's root" in problem


async def test_a_memory_lost_is_recovered_from_what_was_published(world, tmp_path):
    topic = await world.topic()
    head = await archived(world, topic, 10)
    await world.signing().round()
    (tmp_path / "state" / FILE).unlink()
    signing = world.signing()
    signing.recover(await latest_notes(world.settings))
    assert (tmp_path / "state" / FILE).exists()
    assert signing._memory.get(head.origin) == Checkpoint(head.origin, 10, head.root)


async def test_a_note_that_is_not_ours_under_the_name_of_a_log_halts_it(world):
    topic = await world.topic()
    head = await archived(world, topic, 10)
    forged = sign(Checkpoint(head.origin, 3, b"f" * 32).marshal(), [Signer(world.deployment, b"f" * 32)])
    await world.publisher.send_all([Outgoing(CHECKPOINTS_LATEST.name, head.origin.encode(), forged)])
    signing = world.signing()
    signing.recover(await latest_notes(world.settings))
    assert await signing.round() == 0
    (problem,) = signing.problems()
    assert "not ours to go on from" in problem


async def test_a_key_signs_the_logs_of_its_own_deployment_only(world, kafka, mongo_uri, tmp_path):
    async with ArchiveWorld(kafka, mongo_uri, tmp_path / "other") as other:
        await archived(other, await other.topic(), 3)
        assert await world.signing().round() == 0
        assert await other.signing().round() == 1
