"""The archive's store on a real MongoDB: one commit point, nothing rewritten, nothing erased comes back."""

import asyncio
import base64
import uuid
from dataclasses import replace

import pytest
from bson.binary import Binary

from services.proof_archive.domain import entry_of
from services.proof_archive.log.growth import Edge, grow
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.rows import row_id, tile_id
from services.proof_archive.log.store import Store, Write
from shared.crypto.merkle import inclusion_nodes, inclusion_proof, verify_inclusion
from shared.errors import IntegrityError, Unavailable
from shared.mongo import connect, database
from shared.settings import Settings
from tests.fakes.archive import leaf, simple, stored, tree_hash

pytestmark = pytest.mark.engines


@pytest.fixture
async def client(mongo_uri):
    one = connect(Settings(MONGODB_URI=mongo_uri), "test")
    yield one
    await one.close()


@pytest.fixture
async def store(client):
    one = Store(client)
    await one.prepare()
    return one


@pytest.fixture
def origin():
    return f"t{uuid.uuid4().hex}/consents/0123456789abcdef/p00"


@pytest.fixture
def db(client):
    return database(client, "archive")


def batch(head, edge, records):
    entries = [entry_of(record) for record in records]
    after, tiles = grow(edge, [leaf(entry.data) for entry in entries])
    moved = replace(
        head,
        size=after.size,
        root=after.frontier.root(),
        next_offset=records[-1].offset + 1,
        range=after.frontier.hashes,
    )
    return Write(head, moved, entries, tiles, after)


async def write(store, one):
    await store.write_entries([one])
    await store.write_tiles([one])
    return await store.commit([one])


async def test_a_log_gets_one_number_and_each_claim_a_higher_epoch(store, origin):
    heads = await asyncio.gather(*(store.claim(origin) for _ in range(8)))
    assert sorted(head.epoch for head in heads) == list(range(1, 9))
    assert len({head.log for head in heads}) == 1
    assert {(head.size, head.next_offset, head.range) for head in heads} == {(0, 0, ())}
    other = await store.claim(origin.replace("p00", "p01"))
    assert other.log != heads[0].log


async def test_a_batch_is_read_back_whole(store, client, origin):
    reader = Reader(client)
    head, edge, leaves = await store.claim(origin), Edge(), []
    for begin, end in ((0, 3), (3, 300), (300, 811)):
        one = batch(head, edge, [simple("consents", offset) for offset in range(begin, end)])
        assert await write(store, one) == set()
        leaves += [leaf(entry.data) for entry in one.entries]
        head, edge = one.after, one.edge
    assert (await store.heads([origin]))[origin] == head
    assert head.root == tree_hash(leaves)
    assert (await store.edges([head]))[origin] == edge
    found = await reader.by_refs(["record:acme/0190f6c2-6f1e-7cc3-9a55-00000000012c"], [head.log], 10)
    assert [entry.index for entry in found] == [300]
    nodes = (await reader.nodes({head.log: (811, inclusion_nodes(300, 811))}))[head.log]
    proof = inclusion_proof(300, 811, lambda level, index: nodes[level, index])
    verify_inclusion(300, 811, leaf(found[0].data), proof, head.root)
    assert await reader.entries(head.log, 1, 256) == [entry_of(simple("consents", n)).data for n in range(256, 512)]


async def test_whoever_lost_the_epoch_commits_nothing(store, origin):
    zombie = await store.claim(origin)
    other_origin = origin.replace("p00", "p01")
    neighbour = await store.claim(other_origin)
    owner = await store.claim(origin)
    records = [simple("consents", offset) for offset in range(5)]
    stale = batch(zombie, Edge(), records)
    beside = batch(neighbour, Edge(), records)
    await store.write_entries([stale, beside])
    await store.write_tiles([stale, beside])
    assert await store.commit([stale, beside]) == {origin}
    heads = await store.heads([origin, other_origin])
    assert heads[origin].size == 0
    assert heads[other_origin].size == 5
    assert await write(store, batch(owner, Edge(), records)) == set()  # the zombie's entries are identical


async def test_a_commit_whose_answer_was_lost_is_recognised_and_a_moved_head_is_read_again(store, origin):
    head = await store.claim(origin)
    one = batch(head, Edge(), [simple("consents", 0)])
    assert await write(store, one) == set()
    assert await store.commit([one]) == set()  # the same again: it is where it left it
    with pytest.raises(Unavailable):
        await store.commit([batch(head, Edge(), [simple("consents", 0), simple("consents", 1)])])


async def test_a_replay_may_be_cut_otherwise(store, origin):
    head = await store.claim(origin)
    records = [simple("consents", offset) for offset in range(700)]
    first = batch(head, Edge(), records)
    await store.write_entries([first])
    await store.write_tiles([first])  # and a crash before the heads
    head, edge = await store.claim(origin), Edge()
    for begin, end in ((0, 100), (100, 650), (650, 700)):
        one = batch(head, edge, records[begin:end])
        assert await write(store, one) == set()
        head, edge = one.after, one.edge
        assert (await store.edges([head]))[origin] == edge
    assert head.root == first.after.root


async def test_other_bytes_at_an_index_are_a_contradiction(store, db, origin):
    head = await store.claim(origin)
    one = batch(head, Edge(), [simple("consents", 0), simple("consents", 1)])
    await db.entries.insert_one({"_id": row_id(head.log, 1), "bytes": Binary(b"other"), "refs": []})
    with pytest.raises(IntegrityError, match="index 1"):
        await store.write_entries([one])
    await db.tiles.insert_one({"_id": tile_id(head.log, 0, 0), "w": 2, "h": Binary(b"x" * 64)})
    with pytest.raises(IntegrityError, match="tile 0/0"):
        await store.write_tiles([one])


async def test_long_facts_are_kept_beside(store, client, origin):
    head = await store.claim(origin)
    record = stored("consents", 0, {"kind": "k", "record": "a/1", "x": "y" * 60_000})
    await write(store, batch(head, Edge(), [record]))
    body = (await Reader(client).bodies([(head.log, 0)]))[head.log, 0]
    assert body == entry_of(record).body


async def test_of_two_copies_of_a_record_the_first_ones_data_is_kept(store, client, origin):
    owner = f"acme/{uuid.uuid4()}"
    copies = [
        stored(
            "consents", offset, {"kind": "consent.recorded", "record": owner}, sealed=base64.b64encode(blob).decode()
        )
        for offset, blob in enumerate((b"first", b"again", b"later"))
    ]
    head = await store.claim(origin)
    one = batch(head, Edge(), copies[:2])
    await write(store, one)
    await write(store, batch(one.after, one.edge, copies[2:]))
    assert (await Reader(client).sealed([owner]))[owner] == ("consent.recorded", b"first")


@pytest.mark.parametrize("erasure_first", [False, True])
async def test_erased_personal_data_never_comes_back(store, client, origin, erasure_first):
    owner = f"acme/{uuid.uuid4()}"
    sealed = stored("consents", 0, {"kind": "consent.recorded", "record": owner}, sealed="c2VjcmV0")
    erasure = stored("erasures", 0, {"kind": "record.erased", "record": owner})
    logs = {}
    for record in (sealed, erasure):
        head = await store.claim(origin.replace("consents", record.topic))
        logs[record.topic] = batch(head, Edge(), [record])
    reader = Reader(client)
    for topic in ("erasures", "consents") if erasure_first else ("consents", "erasures"):
        assert await write(store, logs[topic]) == set()
    assert await reader.sealed([owner]) == {}
    assert await reader.erased([owner]) == {owner}
    await store.write_entries([logs["consents"]])  # replayed late
    assert await reader.sealed([owner]) == {}


async def test_checkpoints_are_kept_once_and_the_newest_is_found(store, client, origin):
    head = await store.claim(origin)
    assert await store.keep_checkpoints([(head.log, 3, b"three")]) == set()
    assert await store.keep_checkpoints([(head.log, 8, b"eight")]) == set()
    assert await store.keep_checkpoints([(head.log, 3, b"three")]) == set()
    assert await store.keep_checkpoints([(head.log, 8, b"another")]) == {head.log}
    newest = await Reader(client).latest_of(head.log)
    assert (newest.size, newest.note) == (8, b"eight")
    assert (await Reader(client).latest())[head.log] == newest


async def test_an_obligation_keeps_the_day_it_was_opened(store, client):
    name = uuid.uuid4().hex
    await store.oblige(name, "a cause", "2026-01-01T00:00:00.000Z", origin="o")
    await store.oblige(name, "another cause", "2026-02-02T00:00:00.000Z", origin="o")
    found = {row["_id"]: row for row in await Reader(client).obligations()}
    assert found[name]["since"] == "2026-01-01T00:00:00.000Z"
    assert found[name]["cause"] == "another cause"
    await store.discharge([name])
    assert name not in {row["_id"] for row in await Reader(client).obligations()}
