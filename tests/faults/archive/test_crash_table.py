"""Each row of the crash table, on real processes: never a fork, never a gap, a halt with its cause.

| Crash after | What happens | Test |
|---|---|---|
| 1–3 (built, entries, tiles) | replay finds identical entries; no checkpoint covers them | `test_the_sequencer_dies_after_a_step` |
| 4 (heads) | the head is durable, the offset only behind | same |
| signing (proven, memory, published, stored) | the same note again | `test_the_signer_dies_after_a_step` |
| zombie consumer | its compare-and-set fails on the epoch; its entries are identical | `test_a_zombie_wakes_after_its_partitions_went_on` |
| MongoDB away, stepped down | batches wait; nothing is lost, nothing is signed twice | `test_the_primary_steps_down_and_returns` |
| MongoDB restored from an older copy | signing halts by name; the tail is replayed to the same root | `test_an_older_copy_of_the_database` |
"""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

pytestmark = [pytest.mark.engines, pytest.mark.timeout(420)]
WAIT_S = 60


async def until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def dies_at(system, audit, service, step):
    """Publish until the process has died at this step, and let it be started again."""
    before = system.restarts(service)
    crash = system.plan.data_dir / "crash"
    crash.write_text(step)
    await audit.publish(150)
    await until(lambda: not crash.exists() and system.restarts(service) > before, f"{service} never reached {step}")


@pytest.mark.parametrize("step", ["built", "entries", "tiles", "heads"])
async def test_the_sequencer_dies_after_a_step(system, audit, step):
    await dies_at(system, audit, "proof_archive", step)
    await audit.publish(50)
    await audit.settled()


@pytest.mark.parametrize("step", ["proven", "memory", "published", "stored"])
async def test_the_signer_dies_after_a_step(system, audit, step):
    await dies_at(system, audit, "signer", step)
    await audit.publish(50)
    await audit.settled()


async def test_a_zombie_wakes_after_its_partitions_went_on(system, audit):
    """Stopped (SIGSTOP) in mid-stream; another process takes its logs over, then it wakes and finishes what it held."""
    epochs = {p: head["epoch"] for p, head in audit.heads().items()}
    sending = asyncio.create_task(audit.publish(300, pause=0.005))
    await asyncio.sleep(0.5)
    pid = system.pid("proof_archive")
    os.kill(pid, signal.SIGSTOP)
    other = await asyncio.create_subprocess_exec(
        *system.plan.services[1].command, env=_environment(system), stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await sending
        await until(lambda: all(h["epoch"] > epochs.get(p, 0) for p, h in audit.heads().items()), "nobody took over")
        await audit.settled()
        os.kill(pid, signal.SIGCONT)
        await audit.publish(100)
        await audit.settled()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        other.kill()
        await other.wait()
    await audit.publish(20)
    await audit.settled()


def _environment(system):
    at = system.endpoints()
    return system.plan.environment_of(
        "proof_archive-other", "proof_archive", 0, public_port=1, proof_port=1, kafka=at.kafka, mongodb=at.mongodb
    )  # fmt: skip


async def test_the_primary_steps_down_and_returns(system, audit):
    before = {name: system.restarts(name) for name in ("proof_archive", "signer")}
    sending = asyncio.create_task(audit.publish(400, pause=0.005))
    for _ in range(2):
        await asyncio.sleep(0.4)
        with MongoClient(system.endpoints().mongodb, timeoutMS=10_000) as client, contextlib.suppress(PyMongoError):
            await asyncio.to_thread(client.admin.command, "replSetStepDown", 2, force=True)
    await asyncio.to_thread(system.hold, "mongodb", signal.SIGKILL)
    await sending
    await audit.publish(100)
    await asyncio.to_thread(system.release, "mongodb")
    await asyncio.to_thread(system.wait_ready)
    await audit.settled()
    assert {name: system.restarts(name) for name in before} == before, "they wait, they do not die"


async def test_an_older_copy_of_the_database(system, audit):
    """The files of MongoDB put back to an earlier day: what was signed since is known outside, and is demanded."""
    data = Path(system.plan.data_dir)
    await audit.publish(100)
    old = await audit.settled()
    await asyncio.to_thread(system.hold, "mongodb")
    shutil.copytree(data / "mongo", data / "mongo-copy")
    system.release("mongodb")
    await asyncio.to_thread(system.wait_ready)
    await audit.publish(400)
    signed = await audit.settled()
    assert all(signed[p]["size"] > old[p]["size"] for p in old)

    await asyncio.to_thread(system.hold, "proof_archive")  # as the runbook says: nothing writes while it is put back
    await asyncio.to_thread(system.hold, "mongodb")
    shutil.rmtree(data / "mongo")
    (data / "mongo-copy").rename(data / "mongo")
    system.release("mongodb")
    said = await _said(system, "behind what was signed")
    assert any("/reports/" in cause for cause in said), said
    history = await audit.checkpoints()
    assert {o: n[-1].size for o, n in history.items()} == {h["_id"]: h["size"] for h in signed.values()}, (
        "nothing signed"
    )
    with MongoClient(system.endpoints().mongodb) as client:
        owed = list(client.archive.obligations.find({"_id": {"$regex": "^signer:"}}))
    assert owed, "the halt has an owner and a cause"

    system.release("proof_archive")
    await asyncio.to_thread(system.wait_ready)
    after = await audit.settled()
    assert {p: (h["size"], bytes(h["root"])) for p, h in after.items()} == {
        p: (h["size"], bytes(h["root"])) for p, h in signed.items()
    }, "the tail replayed from Kafka leads to the same roots"
    await audit.publish(50)
    await audit.settled()


async def _said(system, words):
    """What the signer answers on its readiness, once it says this."""
    deadline = time.monotonic() + WAIT_S
    async with httpx.AsyncClient(timeout=20) as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = (await http.get(f"{system.endpoints().url('signer')}/health/ready")).json()
                found = [cause for cause in answer["problems"] if words in cause]
                if found:
                    return found
            assert time.monotonic() < deadline, answer
            await asyncio.sleep(0.3)
