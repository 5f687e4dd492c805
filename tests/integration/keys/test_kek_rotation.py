"""The KEK rotated under traffic, killed after each step, with a process that does not know yet; and what stops it."""

import datetime as dt
import uuid

import pytest
from pymongo import AsyncMongoClient

from shared.clock import ManualClock
from shared.crypto.sealing import RecordKey, wrap
from shared.errors import ConfigurationError, IntegrityError, Unavailable
from shared.keyring import kek as kek_module
from shared.keyring.checks import check_value
from shared.keyring.fence import fence_of, set_fence
from shared.keyring.kek import KekRotation, rows_by_version
from shared.keyring.known import confirm_known
from shared.keyring.ring import Fixed, Ring
from shared.mongo import database
from shared.vault import Admission, Outcome, Vault

pytestmark = pytest.mark.engines
CLOCK = ManualClock(dt.datetime(2026, 11, 2, tzinfo=dt.UTC))


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


@pytest.fixture
async def world(mongo_uri, tmp_path):
    client = AsyncMongoClient(mongo_uri)
    db = database(client, "vault")
    await db.drop_collection("keys")
    await db.drop_collection("rotations")
    (tmp_path / "kek").write_bytes(b"k" * 32)
    vault = Vault(client, Ring(tmp_path, "kek"))
    await vault.prepare()
    yield World(client, tmp_path, vault)
    await set_fence(db, "keys", {})
    await db.drop_collection("keys")
    await db.drop_collection("rotations")
    await client.close()


class World:
    def __init__(self, client, folder, vault):
        self.client, self.folder, self.vault, self.keys = client, folder, vault, {}

    async def admit(self, count, vault=None):
        items = [item() for _ in range(count)]
        answers = await (vault or self.vault).admit(items)
        assert {a.outcome for a in answers} == {Outcome.NEW}
        self.keys.update({i.record_id: a.key for i, a in zip(items, answers, strict=True)})
        return items

    def rotation(self, batch=7):
        return KekRotation(self.client, self.folder, CLOCK, batch=batch)

    async def readable(self, vault=None):
        return await (vault or self.vault).read(self.keys) == self.keys


def item():
    record = f"acme/{uuid.uuid4()}"
    return Admission(record, f"acme {record}", "in.acme.consents/0/1", b"{}")


async def test_every_key_opens_after_it_and_the_old_kek_is_gone(world):
    await world.admit(30)
    seen = []
    done = await world.rotation().run(lambda *at: seen.append(at))
    assert (done.old, done.new, done.rewrapped, done.rows, done.needed) == ((1,), 2, 30, 30, 0)
    assert seen[0] == (0, 30)
    assert seen[-1] == (30, 30)
    assert not (world.folder / "kek").exists()
    assert await world.readable()
    assert await world.readable(Vault(world.client, Ring(world.folder, "kek"))), "a process started afterwards, too"
    assert await rows_by_version(world.client) == {2: 30}
    # Old copies of the vault die with the old key: what they hold does not open under the new one.
    with pytest.raises(IntegrityError):
        await Vault(world.client, Fixed({2: b"k" * 32})).read(world.keys)


async def test_a_version_brought_to_every_machine_beforehand_is_the_next(world):
    await world.admit(3)
    (world.folder / "kek.2").write_bytes(b"2" * 32)
    await world.admit(3)
    assert await rows_by_version(world.client) == {1: 3, 2: 3}, "written under the newest as soon as it is there"
    done = await world.rotation().run()
    assert (done.new, done.rewrapped, done.check) == (2, 3, check_value("kek", 2, b"2" * 32))
    assert await world.readable()


async def test_duplicates_and_own_crashes_are_recognised_across_it(world):
    (one,) = await world.admit(1)
    await world.rotation().run()
    again, duplicate, conflict = await world.vault.admit(
        [
            one,
            Admission(one.record_id, one.event, "in.acme.consents/0/9", one.content),
            Admission(one.record_id, "acme other", "in.acme.consents/0/9", b"other"),
        ]
    )
    assert [a.outcome for a in (again, duplicate, conflict)] == [Outcome.AGAIN, Outcome.DUPLICATE, Outcome.CONFLICT]
    assert again.key == world.keys[one.record_id]


@pytest.mark.parametrize("step", ["intend", "make", "fence", "batch-1", "batch-3", "count", "destroy"])
async def test_killed_after_a_step_it_goes_on_and_loses_nothing(world, step, monkeypatch):
    await world.admit(30)
    rotation = world.rotation()

    def dies_after(owner, name):
        real = getattr(owner, name)

        async def act(*args, **kwargs):
            await real(*args, **kwargs)
            raise Killed

        monkeypatch.setattr(owner, name, act)

    def progress(done, _total):
        if step.startswith("batch") and done == 7 * int(step[-1]):
            raise Killed

    def dies_destroying(*args):
        destroy(*args)
        raise Killed

    destroy = kek_module.destroy_version
    if step in ("intend", "make"):
        dies_after(rotation, f"_{step}")
    elif step == "fence":
        dies_after(kek_module, "set_fence")
    elif step == "count":
        monkeypatch.setattr(kek_module, "destroy_version", lambda *_: (_ for _ in ()).throw(Killed))
    elif step == "destroy":
        monkeypatch.setattr(kek_module, "destroy_version", dies_destroying)
    with pytest.raises(Killed):
        await rotation.run(progress)
    monkeypatch.undo()
    assert await world.readable(), "half way, both versions are read"
    await world.admit(5)
    done = await world.rotation().run()
    assert (done.new, done.needed, done.rows) == (2, 0, 35)
    assert await world.readable()
    assert await rows_by_version(world.client) == {2: 35}
    assert not (world.folder / "kek").exists()
    assert (await world.rotation().run()).new == 3, "the next rotation is another one"
    assert await world.readable()


async def test_a_process_that_has_not_seen_the_new_version_is_refused_and_loses_nothing(world):
    await world.admit(10)
    stale = Vault(world.client, Fixed({1: b"k" * 32}))
    await world.rotation().run()
    late = item()
    with pytest.raises(Unavailable, match="being rotated"):
        await stale.admit([late])
    with pytest.raises(Unavailable, match="version 2 of 'secret'"):
        await stale.read(world.keys)
    (answer,) = await world.vault.admit([late])
    assert answer.outcome is Outcome.NEW


async def test_a_record_erased_meanwhile_stays_erased(world, monkeypatch):
    items = await world.admit(10)
    gone = sorted(i.record_id for i in items)[3]
    real = kek_module._again

    def then_erased(ring, new, row):
        if row["_id"] == gone:
            erased.append(row)
        return real(ring, new, row)

    erased = []
    monkeypatch.setattr(kek_module, "_again", then_erased)
    rows = database(world.client, "vault").keys
    bulk = type(rows).bulk_write

    async def erase_first(self, requests, **options):
        await world.vault.erase([gone], "2026-11-02T00:00:00.000Z")
        return await bulk(self, requests, **options)

    monkeypatch.setattr(type(rows), "bulk_write", erase_first)
    await world.rotation(batch=100).run()
    assert erased
    assert gone not in await world.vault.read([gone])
    assert "key" not in await rows.find_one({"_id": gone})
    assert (await world.vault.admit([next(i for i in items if i.record_id == gone)]))[0].outcome is Outcome.ERASED


async def test_a_row_that_does_not_open_destroys_nothing(world):
    await world.admit(5)
    rows = database(world.client, "vault").keys
    await rows.update_one({}, {"$set": {"key": wrap(b"x" * 32, RecordKey(b"r" * 32))}})
    with pytest.raises(IntegrityError, match="does not open under version 1"):
        await world.rotation().run()
    assert (world.folder / "kek").read_bytes() == b"k" * 32


async def test_a_row_that_still_needs_the_old_kek_keeps_it(world, monkeypatch):
    await world.admit(5)
    real = kek_module.set_fence

    async def no_fence(db, name, _condition):
        await real(db, name, {})

    monkeypatch.setattr(kek_module, "set_fence", no_fence)
    rows = database(world.client, "vault").keys

    rotation = world.rotation(batch=100)
    count = rotation._note

    async def note(**values):
        await count(**values)
        if "done" in values:
            # A row before the cursor, under the old version: what the fence refuses.
            late = {"_id": "a/before", "key": wrap(b"k" * 32, RecordKey(b"r" * 32)), "ce": "a b", "src": "t/0/1"}
            await rows.insert_one(late)

    monkeypatch.setattr(rotation, "_note", note)
    with pytest.raises(IntegrityError, match="1 record keys still need an older KEK"):
        await rotation.run()
    assert (world.folder / "kek").exists()


async def test_a_new_version_lost_half_way_is_never_replaced(world, monkeypatch):
    await world.admit(20)

    def progress(done, _total):
        if done == 7:
            raise Killed

    with pytest.raises(Killed):
        await world.rotation().run(progress)
    kept = (world.folder / "kek.2").read_bytes()
    for wrong in (None, b"z" * 32):
        (world.folder / "kek.2").unlink()
        if wrong:
            (world.folder / "kek.2").write_bytes(wrong)
        with pytest.raises(ConfigurationError, match=check_value("kek", 2, kept)):
            await world.rotation().run()
        (world.folder / "kek.2").write_bytes(wrong or b"-" * 32)
    (world.folder / "kek.2").write_bytes(kept)
    assert (await world.rotation().run()).needed == 0
    assert await fence_of(database(world.client, "vault"), "keys") == {"kv": {"$gte": 2}}


async def test_a_secret_made_anew_in_the_place_of_a_lost_one_is_not_started_on(world, database_name):
    """The drill of a loss without escrow: pepper, match master and KEK are told apart from those the data was made under."""
    db = database(world.client, database_name)
    for name in ("kek", "pepper", "match-master"):
        await confirm_known(db, name, {1: b"1" * 32, 2: b"2" * 32})
        await confirm_known(db, name, {2: b"2" * 32, 3: b"3" * 32})
        with pytest.raises(ConfigurationError, match=f"made under {check_value(name, 1, b'1' * 32)}"):
            await confirm_known(db, name, {1: b"x" * 32})
