"""A check that is killed goes on where it stood: it finds what one that was not interrupted finds, and reads nothing twice."""

import json
import os
import signal
import subprocess
import sys

import pytest
from bson.binary import Binary

from services.proof_archive.fsck import report as report_module
from services.proof_archive.fsck import run as run_module
from services.proof_archive.fsck.run import Fsck
from services.proof_archive.fsck.state import StateFile
from services.proof_archive.log.rows import row_id, tile_id
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.trust import policy_text
from shared.provisioning import provision
from tests.fakes.archive_world import BUNDLE_SEED, SEED, ArchiveWorld, Killed

pytestmark = pytest.mark.engines
ASKED = {"kafka": True}


@pytest.fixture
async def world(kafka, mongo_uri, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "TILES_AT_ONCE", 1)
    async with ArchiveWorld(kafka, mongo_uri, tmp_path) as one:
        await provision(one.settings)
        one.topics, one.heads = [await one.topic(), await one.topic()], []
        signing = one.signing()
        for topic, sizes in zip(one.topics, ((300, 1100), (600,)), strict=True):
            instance, before = await (await one.instance((topic, 0))).claim(), 0
            for size in sizes:
                await one.publish(topic, size - before, begin=before)
                await instance.drain()
                await signing.round()
                before = size
            one.heads.append(await one.reader.head(one.origin(topic)))
        one.path = tmp_path / "fsck.json"
        yield one


async def check(world, progress=lambda *_: None, asked=ASKED, state=StateFile):
    fsck = Fsck(world.client, world.settings, world.policy, progress, kafka=True, state=state(world.path, asked))
    return (await fsck.run()).as_dict()


class Dying(StateFile):
    """The process ends as soon as one more thing was remembered."""

    def _save(self):
        super()._save()
        raise Killed


async def alter(world, head, index):
    await world.db.entries.update_one({"_id": row_id(head.log, index)}, {"$set": {"bytes": Binary(b"altered")}})


async def killed_everywhere(world):
    """Killed after each group and each log that it finishes, and started again; how often, and the report at last."""
    for kills in range(30):
        try:
            return kills, await check(world, state=Dying)
        except Killed:
            assert json.loads(world.path.read_text())["format"]
    raise AssertionError("it never ends")


@pytest.mark.parametrize("altered", [None, 0, 700, 1099])
async def test_killed_after_every_group_it_finds_the_same(world, altered):
    big = max(world.heads, key=lambda head: head.size)
    if altered is not None:
        await alter(world, big, altered)
        await world.db.tiles.delete_one({"_id": tile_id(big.log, 1, 0)})
    whole = await check(world)
    assert whole["ok"] is (altered is None)
    assert not world.path.exists(), "a finished check leaves nothing behind"
    kills, resumed = await killed_everywhere(world)
    assert kills == 8, "four and two groups, two logs"
    assert resumed == whole
    assert [log["entries"] for log in resumed["logs"]] == [log["entries"] for log in whole["logs"]]
    assert not world.path.exists()


async def test_it_reads_no_group_twice_and_what_grew_meanwhile_too(world, monkeypatch):
    read = []
    real = run_module.read_group

    async def counted(db, head, begin, end):
        read.append((head.origin, begin, end))
        return await real(db, head, begin, end)

    monkeypatch.setattr(run_module, "read_group", counted)
    first = world.heads[0] if world.heads[0].origin < world.heads[1].origin else world.heads[1]
    topic = world.topics[world.heads.index(first)]

    def progress(origin, done, _total):
        if done == 512:
            raise Killed

    with pytest.raises(Killed):
        await check(world, progress)
    await world.publish(topic, 50, begin=first.size)
    await (await (await world.instance((topic, 0))).claim()).drain()
    report = await check(world)
    assert report["ok"] is True
    begun = [(origin, begin) for origin, begin, _ in read]
    # The group in hand when it died is read again, no other: its state had not been written.
    assert sorted(set(begun)) == sorted(begun[:1] + begun[2:]), begun
    assert {log["origin"]: log["entries"] for log in report["logs"]}[first.origin] == first.size + 50


@pytest.mark.parametrize("how", ["asked", "not whole", "other format", "edge"])
async def test_a_state_that_cannot_be_gone_on_from_starts_anew(world, how):
    def progress(_origin, done, _total):
        if done == 512:
            raise Killed

    with pytest.raises(Killed):
        await check(world, progress)
    text = world.path.read_text()
    if how == "not whole":
        world.path.write_text(text[: len(text) // 2])
    elif how == "other format":
        world.path.write_text(text.replace("state-v1", "state-v0"))
    elif how == "edge":
        doc = json.loads(text)
        doc["place"]["tiles"][0] = doc["place"]["tiles"][1]
        world.path.write_text(json.dumps(doc))
    asked = {"kafka": False} if how == "asked" else ASKED
    assert not StateFile(world.path, asked).resumed
    report = await check(world, asked=asked)
    assert report["ok"] is True
    assert sum(log["entries"] for log in report["logs"]) == 1700


async def test_memory_stays_constant_when_everything_was_altered(world, monkeypatch):
    monkeypatch.setattr(report_module, "LISTED_MOST", 10)
    big = max(world.heads, key=lambda head: head.size)
    for index in range(100):
        await alter(world, big, index)
    report = await check(world)
    log = next(log for log in report["logs"] if log["origin"] == big.origin)
    assert len(log["findings"]) == 10
    assert len(log["findings"]) + log["unlisted"] >= 100


async def test_the_command_killed_by_the_system_goes_on(kafka, mongo_uri, tmp_path):
    """kill −9 of the real command, as soon as its state file is there."""
    async with ArchiveWorld(kafka, mongo_uri, tmp_path) as world:
        await provision(world.settings)
        topic = await world.topic()
        await world.publish(topic, 9000)
        await (await (await world.instance((topic, 0))).claim()).drain()
        await world.signing().round()
        deployment = world.deployment
    (tmp_path / "secrets").mkdir()
    (tmp_path / "policy").write_text(policy_text(deployment, SEED, BUNDLE_SEED))
    Endpoints(kafka, mongo_uri, tmp_path / "secrets", deployment).write(tmp_path)
    words = [sys.executable, "-m", "services.cli.main", "--lang", "en", "fsck", "--data-dir", str(tmp_path)]
    state = tmp_path / "state" / "fsck.json"
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    while process.poll() is None and not state.exists():
        pass
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    at = json.loads(state.read_text())["place"]["size"]
    assert at in (4096, 8192)
    again = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)  # noqa: ASYNC221
    assert again.returncode == 0, again.stdout + again.stderr
    assert "going on where the last run was interrupted" in again.stderr
    assert (
        "1 logs, 9000 entries, 1 signed checkpoints, 9000 records of Kafka compared: everything holds" in again.stdout
    )
    assert not state.exists()
