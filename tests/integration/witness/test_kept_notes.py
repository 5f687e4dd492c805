"""Cosignatures in a real MongoDB: added once per key, whoever adds at the same time, and never taken for another checkpoint."""

import asyncio
import uuid

import pytest

from services.proof_archive.log.reader import Reader
from services.proof_archive.log.store import Store
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.cosignature import Cosigner
from shared.crypto.note import Signer, open_note
from shared.mongo import connect
from shared.settings import Settings

pytestmark = pytest.mark.engines
LOG = Signer("opposable.test", b"l" * 32)
WITNESSES = [Cosigner(f"w{number}", bytes([number]) * 32) for number in range(1, 9)]


@pytest.fixture
async def client(mongo_uri):
    one = connect(Settings(MONGODB_URI=mongo_uri), "test")
    yield one
    await one.close()


@pytest.fixture
async def log(client):
    head = await Store(client).claim(f"t{uuid.uuid4().hex}/consents/0123456789abcdef/p00")
    return head.log


def checkpoint(size, root=bytes(32)):
    text = Checkpoint("opposable.test/consents/0123456789abcdef/p00", size, root).marshal()
    return text, note.sign(text, [LOG])


async def test_lines_are_added_once_even_by_many_at_once(client, log):
    store, reader = Store(client), Reader(client)
    text, signed = checkpoint(5)
    assert await store.keep_checkpoints([(log, 5, signed)]) == set()
    adding = [store.add_cosignature(log, 5, witness.cosign(text, time)) for time in (1, 2) for witness in WITNESSES]
    await asyncio.gather(*adding)
    latest, (kept,) = await reader.latest_of(log), await reader.newest(log, 10)
    for one in (latest, kept):
        assert one.note.startswith(signed)
        opened = open_note(one.note, [LOG.verifier, *(witness.verifier for witness in WITNESSES)])
        assert sorted(line.name for line in opened.verified) == sorted(
            [LOG.name, *(witness.name for witness in WITNESSES)]
        )
        assert len(note.split(one.note)[1]) == 1 + len(WITNESSES)
    assert latest.at is not None
    assert latest.at.tzinfo is not None


async def test_a_note_signed_again_is_the_same_after_it_was_cosigned(client, log):
    """A signer that starts again signs the same size: its note has no cosignature yet, and contradicts nothing."""
    store, reader = Store(client), Reader(client)
    text, signed = checkpoint(5)
    await store.keep_checkpoints([(log, 5, signed)])
    await store.add_cosignature(log, 5, WITNESSES[0].cosign(text, 1))
    cosigned = (await reader.latest_of(log)).note
    assert await store.keep_checkpoints([(log, 5, signed)]) == set()
    assert (await reader.latest_of(log)).note == cosigned
    assert await store.keep_checkpoints([(log, 5, checkpoint(5, b"x" * 32)[1])]) == {log}
    assert await store.keep_checkpoints([(log, 5, signed[:-2])]) == set()  # a prefix of it says no other thing
    assert [one.note for one in await reader.newest(log, 10)] == [cosigned]


async def test_a_late_cosignature_goes_to_its_own_checkpoint(client, log):
    store, reader = Store(client), Reader(client)
    (text, signed), (_, later) = checkpoint(5), checkpoint(9)
    await store.keep_checkpoints([(log, 5, signed), (log, 9, later)])
    await store.add_cosignature(log, 5, WITNESSES[0].cosign(text, 1))
    await store.add_cosignature(log, 7, WITNESSES[0].cosign(text, 1))  # none of that size: nothing to add to
    newest, before = await reader.newest(log, 10)
    assert (newest.size, newest.note, (await reader.latest_of(log)).note) == (9, later, later)
    assert before.note == signed + WITNESSES[0].cosign(text, 1).line().encode()
