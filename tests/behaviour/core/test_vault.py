"""The guard against duplicates, conflicts and our own crashes, on a real MongoDB."""

import uuid

import pytest
from pymongo import AsyncMongoClient

from shared.crypto.sealing import RecordKey
from shared.vault import Admission, Outcome, Vault

pytestmark = pytest.mark.engines
KEK = b"k" * 32


@pytest.fixture
async def vault(mongo_uri):
    client = AsyncMongoClient(mongo_uri)
    one = Vault(client, KEK)
    await one.prepare()
    yield one
    await client.close()


def item(record=None, event=None, at="in.acme.consents/0/1", content=b"{}"):
    record = record or f"acme/{uuid.uuid4()}"
    return Admission(record, event or f"acme {record}", at, content)


async def outcomes(vault, *items):
    return [a.outcome for a in await vault.admit(items)]


async def test_new_then_again_at_the_same_coordinate_with_the_same_key(vault):
    one = item()
    (first,) = await vault.admit([one])
    (again,) = await vault.admit([one])
    assert (first.outcome, again.outcome) == (Outcome.NEW, Outcome.AGAIN)
    assert isinstance(first.key, RecordKey)
    assert first.key == again.key
    assert (await vault.read([one.record_id]))[one.record_id] == first.key


async def test_same_content_elsewhere_is_a_duplicate_and_names_the_first(vault):
    one = item()
    await vault.admit([one])
    (answer,) = await vault.admit([item(one.record_id, one.event, "in.acme.consents/0/9")])
    assert (answer.outcome, answer.first) == (Outcome.DUPLICATE, "in.acme.consents/0/1")


async def test_other_content_is_a_conflict_even_at_another_event_id(vault):
    one = item()
    await vault.admit([one])
    assert await outcomes(vault, item(one.record_id, "acme other", "in.acme.consents/0/9", b"other")) == [
        Outcome.CONFLICT
    ]


async def test_one_event_id_for_two_records_is_a_conflict_under_the_first_ones_key(vault):
    one, two = item(), item()
    (first,) = await vault.admit([one])
    (answer,) = await vault.admit([item(two.record_id, one.event, "in.acme.consents/0/9")])
    assert (answer.outcome, answer.owner, answer.key) == (Outcome.CONFLICT, one.record_id, first.key)
    assert await vault.read([two.record_id]) == {}


async def test_twins_in_one_batch_among_new_ones(vault):
    one, two = item(), item()
    twin = item(one.record_id, one.event, "in.acme.consents/0/2")
    other = item(one.record_id, one.event, "in.acme.consents/0/3", b"other")
    assert await outcomes(vault, one, twin, two, other) == [
        Outcome.NEW, Outcome.DUPLICATE, Outcome.NEW, Outcome.CONFLICT,
    ]  # fmt: skip


async def test_a_batch_seen_again_after_a_crash_half_way(vault):
    items = [item(at=f"in.acme.consents/0/{i}") for i in range(20)]
    await vault.admit(items[:7])
    answers = await vault.admit(items)
    assert [a.outcome for a in answers] == [Outcome.AGAIN] * 7 + [Outcome.NEW] * 13
    stored = await vault.read([i.record_id for i in items])
    assert [stored[i.record_id] for i in items] == [a.key for a in answers]


async def test_one_collectors_ids_never_shadow_anothers(vault):
    consent = str(uuid.uuid4())
    assert await outcomes(
        vault, item(f"acme/{consent}", f"acme {consent}"), item(f"bolt/{consent}", f"bolt {consent}", content=b"x")
    ) == [Outcome.NEW, Outcome.NEW]


async def test_keys_are_stored_wrapped(vault, mongo_uri):
    one = item()
    (answer,) = await vault.admit([one])
    client = AsyncMongoClient(mongo_uri)
    row = await client.vault.get_collection("keys").find_one({"_id": one.record_id})
    await client.close()
    assert row is not None
    assert answer.key.raw not in bytes(row["key"])
    assert len(row["key"]) == 40  # RFC 3394: 32 bytes and one 8-byte block
