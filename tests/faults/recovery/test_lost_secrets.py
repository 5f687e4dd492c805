"""The drill for the loss of each secret, on a running system: what refuses to go on and says so, what a wrong one does, and the way back.

One system in which a consent was given before everything is lost, one secret after the other; at the end the whole job is done with it.
"""

import asyncio
import subprocess
import sys
import uuid

import pytest

from tests.e2e.partner import Partner, consent, stop
from tests.waiting import operator_http, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]

DRILLS = (
    # secret, the service that needs it, what that says without it, what it says of another one
    ("kek", "collector", "secret file 'kek'", "was made under"),
    ("pepper", "rights_handler", "secret file 'pepper'", "was made under"),
    ("match-master", "rights_handler", "match-master", "was made under"),
    ("log.seed", "signer", "secret file 'log.seed'", "is not ours"),
)


def command(at, *words):
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--lang", "en", *words], capture_output=True, text=True, timeout=180, check=False,
        env=None,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Desk:
    """The operator, beside a running system."""

    def __init__(self, system, folder):
        self.system, self.at, self.folder = system, system.endpoints(), folder
        self.data = ["--data-dir", str(self.at.secrets_dir.parent)]
        (folder / "phrase").write_text("une phrase assez longue pour un essai\n")
        self.phrase = ["--passphrase-file", str(folder / "phrase")]

    async def run(self, *words):
        return await asyncio.to_thread(command, self.at, *words, *self.data)

    def said(self, service):
        """Everything that a service said so far."""
        return (self.system.plan.data_dir / "logs" / f"{service}.log").read_text()

    async def says(self, service, words, since):
        """Return once it says so, after what it had said."""
        await until(lambda: asyncio.to_thread(self.said, service), lambda said: words in said[since:], 90)

    async def without(self, service, change):
        """Stop it, change something, let it start again; how much it had said before."""
        await asyncio.to_thread(self.system.hold, service)
        since = len(self.said(service))
        change()
        self.system.release(service)
        return since


async def test_each_secret_is_lost_and_comes_back_from_escrow(make_system, tmp_path):
    system = make_system()
    desk = Desk(system, tmp_path)
    at, partner = desk.at, Partner(desk.at)
    email = f"{uuid.uuid4().hex}@courriel.example"
    record = await partner.consent(consent(email))
    (granted,) = await partner.permissions("canalvert", record)
    await desk.run("keys", "escrow", "--output", str(tmp_path / "kept"), *desk.phrase)

    for secret, service, missing, another in DRILLS:
        path = at.secrets_dir / secret
        lost = path.read_bytes()
        since = await desk.without(service, path.unlink)
        await desk.says(service, missing, since)
        since = await desk.without(service, lambda path=path: path.write_bytes(b"another one, of thirty-two bytes"))
        await desk.says(service, another, since)
        await asyncio.to_thread(system.hold, service)
        path.unlink()
        await desk.run("keys", "restore", "--from", str(tmp_path / "kept"), *desk.phrase)
        assert path.read_bytes() == lost
        system.release(service)
        await asyncio.to_thread(system.wait_ready)

    # The signer's memory: recovered from what was published, and no log is signed twice differently.
    memory = system.plan.data_dir / "state" / "signer"
    since = await desk.without("signer", lambda: [path.unlink() for path in memory.iterdir() if path.is_file()])
    await desk.says("signer", "memory recovered", since)
    await asyncio.to_thread(system.wait_ready)

    # The whole job with what was given before: found by the same names (pepper), told under the same key (match-master), opened
    # (KEK), proven under the same signature (log.seed).
    stop_id = await partner.stop(stop([("email", email)]))
    (order,) = await partner.orders("canalvert", stop_id)
    assert order["match_keys"] == granted["match_keys"]
    async with operator_http(at, "proof_archive") as archive:
        await until(lambda: archive.get(f"/v1/proofs/{record}.json"), lambda answer: answer.status_code == 200)
    await desk.run("proof", "get", record, "--output", str(tmp_path / "proof.zip"))
    policy = str(at.secrets_dir.parent / "policy")
    assert "disclosed" in await asyncio.to_thread(
        command, at, "verify", str(tmp_path / "proof.zip"), "--policy", policy, "--json"
    )
    assert "everything holds" in await desk.run("fsck")
