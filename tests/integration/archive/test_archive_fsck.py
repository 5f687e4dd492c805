"""fsck finds every altered byte, names it, and says nothing of what is sound."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from bson.binary import Binary

from services.proof_archive.domain import INLINE_MOST
from services.proof_archive.fsck.run import Fsck
from services.proof_archive.log.rows import checkpoint_id, row_id, tile_id
from shared import canonical
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.note import sign
from shared.kafka.publisher import Outgoing
from shared.provisioning import provision
from tests.fakes.archive_world import ArchiveWorld

pytestmark = pytest.mark.engines
SIZES = (100, 256, 900)


@pytest.fixture
async def world(kafka, mongo_uri, tmp_path):
    async with ArchiveWorld(kafka, mongo_uri, tmp_path) as one:
        await provision(one.settings)
        one.target = await one.topic()
        one.seen = []
        instance = await (await one.instance((one.target, 0))).claim()
        signing = one.signing()
        before = 0
        for size in SIZES:
            await one.publish(one.target, size - before, begin=before)
            await instance.drain()
            await signing.round()
            before = size
        one.head = await one.reader.head(one.origin(one.target))
        yield one


async def check(world, *, kafka=True):
    fsck = Fsck(world.client, world.settings, world.policy, lambda *seen: world.seen.append(seen), kafka=kafka)
    return await fsck.run()


async def found(world, **options):
    return [(finding.code, finding.place) for finding in (await check(world, **options)).findings]


def flipped(data, at=10):
    return Binary(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


async def flip(world, collection, key, field, at=10):
    row = await world.db[collection].find_one({"_id": key})
    await world.db[collection].update_one({"_id": key}, {"$set": {field: flipped(bytes(row[field]), at)}})


async def test_sound_logs_are_said_to_be_sound(world):
    report = await check(world)
    assert report.findings == []
    (log,) = report.logs
    assert (log.entries, log.checkpoints, log.kafka_records) == (900, 3, 900)
    assert world.seen[-1] == (world.head.origin, 900, 900)
    assert report.as_dict()["ok"] is True


@pytest.mark.parametrize("index", [0, 255, 256, 767, 768, 899])
async def test_one_flipped_byte_of_an_entry(world, index):
    await flip(world, "entries", row_id(world.head.log, index), "bytes")
    assert await found(world, kafka=False) == [("ENTRY-ALTERED", f"entry {index}")]


async def test_an_altered_entry_differs_from_kafka_too(world):
    row = await world.db.entries.find_one({"_id": row_id(world.head.log, 4)})
    changed = row["bytes"].replace(b'"kind":"test"', b'"kind":"fake"')
    await world.db.entries.update_one({"_id": row["_id"]}, {"$set": {"bytes": Binary(changed)}})
    assert await found(world) == [("ENTRY-ALTERED", "entry 4"), ("KAFKA-DIFFERS", "entry 4")]


@pytest.mark.parametrize("index", [0, 300, 899])
async def test_a_removed_entry(world, index):
    await world.db.entries.delete_one({"_id": row_id(world.head.log, index)})
    assert await found(world, kafka=False) == [("ENTRY-MISSING", f"entry {index}")]
    assert await found(world) == [("ENTRY-MISSING", f"entry {index}"), ("KAFKA-UNARCHIVED", f"offset {index}")]


@pytest.mark.parametrize(("level", "number"), [(0, 0), (0, 2), (0, 3), (1, 0)])
async def test_one_flipped_byte_of_a_tile(world, level, number):
    await flip(world, "tiles", tile_id(world.head.log, level, number), "h", at=40)
    findings = await found(world, kafka=False)
    assert findings == [("TILE-ALTERED", f"tile {level}/{number}")]


@pytest.mark.parametrize(("level", "number"), [(0, 1), (0, 3), (1, 0)])
async def test_a_removed_tile(world, level, number):
    await world.db.tiles.delete_one({"_id": tile_id(world.head.log, level, number)})
    assert await found(world, kafka=False) == [("TILE-MISSING", f"tile {level}/{number}")]


@pytest.mark.parametrize("field", ["root", "range"])
async def test_one_flipped_byte_of_a_head(world, field):
    row = await world.db.heads.find_one({"_id": world.head.origin})
    value = flipped(row["root"]) if field == "root" else [flipped(row["range"][0]), *map(Binary, row["range"][1:])]
    await world.db.heads.update_one({"_id": world.head.origin}, {"$set": {field: value}})
    assert await found(world, kafka=False) == [("HEAD-ALTERED", "head")]


async def test_a_head_put_back(world):
    """A log cut short to what an older checkpoint covers: sound in itself, but larger trees were signed."""
    first = await world.db.checkpoints.find_one({"_id": checkpoint_id(world.head.log, 256)})
    entries = await world.reader.entries(world.head.log, 0, 256)
    assert len(entries) == 256
    root = await world.reader.nodes({world.head.log: (256, [(8, 0)])})
    node = Binary(root[world.head.log][8, 0])
    await world.db.heads.update_one(
        {"_id": world.head.origin}, {"$set": {"size": 256, "root": node, "range": [node], "next_offset": 256}}
    )
    assert first is not None
    assert await found(world) == [
        ("HEAD-BEHIND", "checkpoint 900"),
        ("HEAD-BEHIND", "published checkpoint 900"),
    ]


async def test_a_removed_log(world):
    await world.db.heads.delete_one({"_id": world.head.origin})
    assert await found(world, kafka=False) == []  # nothing in the database names it any more
    assert await found(world) == [("HEAD-MISSING", "head")]


async def test_checkpoints_altered_forged_and_of_another_root(world):
    await flip(world, "checkpoints", checkpoint_id(world.head.log, 100), "note", at=70)
    other = sign(Checkpoint(world.head.origin, 256, b"x" * 32).marshal(), [world.signer])
    await world.db.checkpoints.update_one(
        {"_id": checkpoint_id(world.head.log, 256)}, {"$set": {"note": Binary(other)}}
    )
    await world.db.latest.update_one({"_id": world.head.log}, {"$set": {"size": 256}})
    assert await found(world, kafka=False) == [
        ("CHECKPOINT-REFUSED", "checkpoint 100"),
        ("CHECKPOINT-DIFFERS", "checkpoint 256"),
        ("CHECKPOINT-DIFFERS", "newest checkpoint"),
    ]


async def test_an_entry_that_no_record_gave(world):
    """Planted with its tiles and head, as by someone who holds the database: Kafka still knows better."""
    await world.db.entries.update_one(
        {"_id": row_id(world.head.log, 899)},
        {
            "$set": {
                "bytes": Binary(
                    (await world.reader.entries(world.head.log, 3, 132))[-1].replace(b'"n":899', b'"n":777')
                )
            }
        },
    )
    codes = [code for code, _ in await found(world)]
    assert codes == ["ENTRY-ALTERED", "KAFKA-DIFFERS"]


async def test_an_order_that_is_not_that_of_the_offsets(world):
    entries = await world.reader.entries(world.head.log, 0, 50)
    await world.forge(world.target, [*entries[:20], entries[21], entries[20], *entries[22:]])
    findings = await found(world, kafka=False)
    assert findings[0] == ("ENTRY-MISPLACED", "entry 21")
    assert ("HEAD-BEHIND", "checkpoint 900") in findings


async def test_a_forged_history_is_seen_by_its_own_checkpoints(world):
    entries = [entry for number in range(4) for entry in await world.reader.entries(world.head.log, number, 256)]
    await world.forge(world.target, [entries[0].replace(b'"kind":"test"', b'"kind":"fake"'), *entries[1:900]])
    assert await found(world) == [
        ("CHECKPOINT-DIFFERS", "checkpoint 100"),
        ("CHECKPOINT-DIFFERS", "checkpoint 256"),
        ("CHECKPOINT-DIFFERS", "checkpoint 900"),
        ("KAFKA-DIFFERS", "entry 0"),
    ]


async def test_what_kafka_no_longer_retains_is_not_asked_for(world, kafka):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(world.target, 0): RecordsToDelete(before_offset=850)})
    await admin.close()
    report = await check(world)
    assert report.findings == []
    assert report.logs[0].kafka_records == 50


async def test_facts_beside_an_entry(world):
    facts = {"kind": "test", "record": "acme/long", "x": "y" * INLINE_MOST}
    topic = await world.topic()
    await world.publisher.send_all([Outgoing(topic, b"k", canonical.dumps({"facts": facts}), partition=0)])
    await (await (await world.instance((topic, 0))).claim()).drain()
    assert await found(world) == []
    head = await world.reader.head(world.origin(topic))
    await flip(world, "bodies", row_id(head.log, 0), "bytes")
    assert await found(world) == [("BODY-ALTERED", "entry 0")]
    await world.db.bodies.delete_one({"_id": row_id(head.log, 0)})
    assert await found(world) == [("BODY-ALTERED", "entry 0")]
