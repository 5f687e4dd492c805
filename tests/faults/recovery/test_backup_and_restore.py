"""The rehearsal of a lost database: a copy taken under load, MongoDB gone, the copy put back beside the Kafka that outlived it.

Vault and services' databases are two cases, as in production, where the vault has a cluster of its own: with the vault intact nothing is
lost at all; with a vault from the copy, the keys made since are named.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from pymongo import AsyncMongoClient, MongoClient

from services.cli.target import settings_of
from services.cli.up import system_plan
from shared.backup.manifest import DATABASES, read_manifest
from shared.backup.restore import restore
from shared.clock import SystemClock
from shared.errors import ConfigurationError, IntegrityError
from shared.local_engines.supervisor import Supervisor
from shared.mongo import connect
from tests.bench import world
from tests.faults.conftest import FAST
from tests.faults.traffic import Traffic
from tests.waiting import operator_http, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
REST = tuple(name for name in DATABASES if name != "vault")


def command(data_dir, *words, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--lang", "en", *words, "--data-dir", str(data_dir)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


class Rehearsal:
    """One system, what was sent to it, and its copies."""

    def __init__(self, folder):
        self.folder, self.data = folder, folder / "data"
        self.old, self.vault = folder / "copy", folder / "vault"
        self.plan = system_plan(self.data, registry=world.write(folder / "registry"), environment=FAST)

    def run(self, *words, code=0):
        return asyncio.to_thread(command, self.data, *words, code=code)

    async def erase(self, rights, record):
        """Its person's, and wait until its key is destroyed."""
        await rights.post("/v1/erasures", json={"records": [record], "reason": "person_request"})
        await until(
            lambda: rights.get(f"/v1/erasures/{record}"),
            lambda a: a.status_code == 200 and a.json()["state"] == "done",
            60,
        )


async def restored_with(settings, directory, databases):
    client = connect(settings, "rehearsal")
    try:
        return await restore(settings, client, directory, SystemClock(), databases=databases)
    finally:
        await client.close()


async def test_a_lost_database_is_put_back_and_nothing_acknowledged_is_missing_nor_anything_erased_back(tmp_path):  # noqa: PLR0915 - one story
    r = Rehearsal(tmp_path)
    told = {}
    with Supervisor(r.plan) as system:
        at = system.wait_ready()
        settings = settings_of(at)
        traffic = Traffic(at, "recovery")
        await traffic.send(120)
        await traffic.settle()
        before = list(traffic.sent)
        unstopped = [record for record in before if record not in traffic.stopped]
        erased_before, erased_after, stopped_after = unstopped[0], unstopped[1], unstopped[2]
        async with operator_http(at) as rights:
            await r.erase(rights, erased_before)
            # A copy under load.
            sending = asyncio.create_task(traffic.send(240, per_second=60))
            await asyncio.sleep(1)
            begun = time.monotonic()
            said = await r.run("backup", "create", str(r.old))
            took_s = time.monotonic() - begun
            assert "note it elsewhere" in said
            await sending
            # What happens after it.
            await traffic.send(60)
            await r.erase(rights, erased_after)
        await traffic.settle()
        assert "would bring the system back" in await r.run("backup", "check", str(r.old), "--interval", "24h")
        assert "in.bench-a.consents keeps records" in await r.run(
            "backup", "check", str(r.old), "--interval", "7d", code=1
        )
        with pytest.raises(ConfigurationError, match="these hold something"):
            await restored_with(settings, r.old, None)
        await r.run("backup", "create", str(r.vault), "--database", "vault")
        after = [record for record in traffic.sent if record not in before]

    shutil.rmtree(r.data / "mongo")  # the engine is gone, and everything in it

    async def put_back(endpoints):
        """Between engines and services, as the runbook says."""
        settings = settings_of(endpoints)
        # With a vault of the time of the copy, the keys made since are lost, and named; the erased one does not come back.
        found = await restored_with(settings, r.old, ("vault",))
        told["old vault"] = found
        async with AsyncMongoClient(endpoints.mongodb) as client:
            await put_back_all(settings, client)

    async def put_back_all(settings, client):
        told["erased"] = await client.vault["keys"].find_one({"_id": erased_after})
        await client.drop_database("vault")
        # With the vault's own cluster intact, nothing is.
        told["vault"] = await restored_with(settings, r.vault, None)
        begun = time.monotonic()
        told["rest"] = await restored_with(settings, r.old, REST)
        told["restored_s"] = time.monotonic() - begun
        told["closed"] = await client.rights.restores.find_one({"_id": "newest"})

    with Supervisor(replace(r.plan, prepare=put_back)) as system:
        begun = time.monotonic()
        at = system.wait_ready()
        ready_s = time.monotonic() - begun
        lost = set(told["old vault"].lost)
        assert lost
        assert {name for name in lost if not name.startswith("stop/")} <= set(after), "only what came after the copy"
        assert "key" not in told["erased"]
        assert told["old vault"].erased_again >= 1
        assert told["vault"].lost == told["rest"].lost == ()
        assert told["closed"]["read_at"] is None
        assert told["closed"]["until"]
        traffic.at = at
        await traffic.settle()  # nothing lost, no stop missed, every log whole and signed to its end
        await until(lambda: asyncio.to_thread(gate, at), lambda row: row["read_at"] is not None)
        with MongoClient(at.mongodb) as client:
            for record in (erased_before, erased_after):
                assert "key" not in client.vault["keys"].find_one({"_id": record})
                assert client.rights.grants.find_one({"_id": record})["erased"] == "erased"
                assert client.archive.sealed.find_one({"_id": record}) is None
            assert {row["_id"] for row in client.rights.grants.find({}, {"_id": 1})} == set(traffic.sent)
        # It goes on: what is said from now on has its effect.
        await traffic.send(30)
        await traffic.settle()
        assert "everything holds" in await r.run("fsck")
        async with operator_http(at) as rights:
            await r.erase(rights, stopped_after)
    measured = {
        "copy_under_load_s": took_s,
        "put_back_s": told["restored_s"],
        "ready_s": ready_s,
        "documents": told["rest"].documents,
    }
    (tmp_path / "measured.json").write_text(json.dumps(measured))


def gate(at):
    with MongoClient(at.mongodb) as client:
        return client.rights.restores.find_one({"_id": "newest"})


def test_a_copy_that_was_touched_is_refused(tmp_path):
    from shared.backup.check import check_files  # noqa: PLC0415
    from shared.backup.documents import path_of  # noqa: PLC0415
    from tests.faults.recovery.small import small_copy  # noqa: PLC0415

    manifest = small_copy(tmp_path, documents=3)
    assert check_files(tmp_path, manifest) == ()
    path = path_of(tmp_path, "rights", "grants")
    whole = path.read_bytes()
    for bent in (whole[:-9], whole[:40], b"", b"not a file of documents"):
        path.write_bytes(bent)
        assert check_files(tmp_path, manifest), bent
    small_copy(tmp_path, documents=4)
    (wrong,) = check_files(tmp_path, manifest)
    assert "4 documents" in wrong
    (tmp_path / "manifest.json").write_text(json.dumps({"v": 2}))
    with pytest.raises(ConfigurationError):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(ConfigurationError, match="no whole copy"):
        read_manifest(tmp_path)
    path.unlink()
    assert "cannot be read" in check_files(tmp_path, manifest)[0]
    assert issubclass(IntegrityError, Exception)
