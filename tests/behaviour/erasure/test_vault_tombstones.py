"""Keys destroyed or restricted by order, on a real MongoDB: what stays, what is answered, what is never done again."""

import uuid

import pytest
from pymongo import AsyncMongoClient

from shared.vault import Admission, Gone, Outcome, Vault

pytestmark = pytest.mark.engines
AT = "2026-11-27T10:00:00.000Z"


@pytest.fixture
async def client(mongo_uri):
    one = AsyncMongoClient(mongo_uri)
    yield one
    await one.close()


@pytest.fixture
async def vault(client):
    one = Vault(client, b"k" * 32)
    await one.prepare()
    return one


def item(record=None, event=None, at="in.acme.consents/0/1", content=b"{}"):
    record = record or f"acme/{uuid.uuid4()}"
    return Admission(record, event or f"acme {record}", at, content)


async def test_an_erased_record_leaves_a_tombstone_without_key_or_mac(vault, client):
    one = item()
    await vault.admit([one])
    assert await vault.erase([one.record_id], AT) == 1
    assert await vault.read([one.record_id], for_claims=True) == {}
    assert await vault.gone([one.record_id]) == {one.record_id: Gone.ERASED}
    row = await client.vault["keys"].find_one({"_id": one.record_id})
    assert row == {"_id": one.record_id, "src": one.coordinate, "ce": one.event, "erased": AT}
    assert await vault.erase([one.record_id], "2027-01-01T00:00:00.000Z") == 0
    assert (await client.vault["keys"].find_one({"_id": one.record_id}))["erased"] == AT


async def test_late_copies_of_an_erased_event_are_never_admitted_with_a_new_key(vault):
    one = item()
    await vault.admit([one])
    await vault.erase([one.record_id], AT)
    replay, copy, other = one, item(one.record_id, one.event, "in.acme.consents/0/7"), item(one.record_id, "acme z")
    reused = item(event=one.event)
    answers = await vault.admit([replay, copy, other, reused, fresh := item()])
    assert [a.outcome for a in answers] == [Outcome.ERASED] * 4 + [Outcome.NEW]
    assert [a.key for a in answers[:4]] == [None] * 4
    assert [a.owner for a in answers[:4]] == [one.record_id] * 4
    assert set(await vault.read([one.record_id, reused.record_id, fresh.record_id])) == {fresh.record_id}


async def test_a_restricted_key_is_read_for_claims_only(vault):
    one = item()
    (first,) = await vault.admit([one])
    await vault.restrict([one.record_id], AT)
    assert await vault.read([one.record_id]) == {}
    assert await vault.read([one.record_id], for_claims=True) == {one.record_id: first.key}
    assert await vault.gone([one.record_id]) == {one.record_id: Gone.RESTRICTED}
    (again,) = await vault.admit([item(one.record_id, one.event, "in.acme.consents/0/9")])
    assert again.outcome is Outcome.DUPLICATE  # it is still the same consent
    await vault.erase([one.record_id], AT)
    await vault.restrict([one.record_id], AT)  # too late: what is erased stays erased
    assert await vault.gone([one.record_id]) == {one.record_id: Gone.ERASED}


async def test_what_was_never_admitted_is_neither_known_nor_gone(vault):
    one, never = item(), f"acme/{uuid.uuid4()}"
    await vault.admit([one])
    assert await vault.known([one.record_id, never]) == {one.record_id}
    assert await vault.gone([one.record_id, never]) == {}
