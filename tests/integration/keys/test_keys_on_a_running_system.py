"""Every rotation by its command on a whole system that goes on working; the command killed −9 in the middle of each."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import uuid

import pytest
from pymongo import MongoClient

from shared.crypto.keys import match_key
from tests.e2e.partner import Partner, consent, stop
from tests.waiting import operator_http

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]
PARTY = "canalvert"


@pytest.fixture(scope="module")
def at(system):
    return system.wait_ready()


def keys(at, *words, lang="en"):
    """The command, as an operator gives it."""
    command = [
        sys.executable,
        "-m",
        "services.cli.main",
        "--lang",
        lang,
        "keys",
        *words,
        "--data-dir",
        str(at.secrets_dir.parent),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def killed_in_the_middle(at, begun, *words):
    """The command with one row a write, killed −9 once `begun()`; False where it was over before."""
    command = [
        sys.executable,
        "-m",
        "services.cli.main",
        "keys",
        *words,
        "--batch",
        "1",
        "--data-dir",
        str(at.secrets_dir.parent),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if begun():
            os.kill(process.pid, signal.SIGKILL)
            break
    return process.wait() == -signal.SIGKILL


class Traffic:
    """Consents and withdrawals of persons of its own, and what must come of them."""

    def __init__(self, at):
        self.at, self.partner, self.emails = at, Partner(at), []
        self.http = operator_http(at)

    async def consents(self, count):
        made = [f"p.{uuid.uuid4().hex[:10]}@courriel.example" for _ in range(count)]
        records = await asyncio.gather(*[self.partner.consent(consent(email)) for email in made])
        self.emails += made
        return made, records

    async def codes(self, **person):
        """The reasons of a check, once the service is fresh."""
        async with asyncio.timeout(60):
            while True:
                body = {"channel": "email", "recipient": PARTY, **person}
                answer = await self.http.post("/v1/permissions/check", json=body)
                if answer.status_code == 200:
                    return [reason["code"] for reason in answer.json()["reasons"]]
                assert answer.status_code == 503, answer.text
                await asyncio.sleep(0.3)

    async def by_contact(self, email):
        return await self.codes(contact={"type": "email", "value": email})

    async def withdraw(self, email):
        name = await self.partner.stop(stop([("email", email)]))
        (order,) = await self.partner.orders(PARTY, name)
        async with asyncio.timeout(60):
            while await self.by_contact(email) != ["STOPPED"]:
                await asyncio.sleep(0.3)
        return order


@pytest.fixture
async def traffic(at):
    one = Traffic(at)
    yield one
    await one.http.aclose()


def database(at):
    return MongoClient(at.mongodb)


async def test_the_kek_is_rotated_under_traffic(at, traffic):
    await traffic.consents(6)
    with database(at) as client:

        def begun():
            state = client.vault.rotations.find_one({"_id": "kek"})
            return state is not None and state["done"] >= 2

        assert await asyncio.to_thread(killed_in_the_middle, at, begun, "rotate", "kek")
    assert (at.secrets_dir / "kek").exists()
    half = json.loads((await asyncio.to_thread(keys, at, "status", "--json")).stdout)
    assert half["kek_rotation"]["phase"] == "rewrap"
    assert {row["kek"] for row in half["record_keys"]} == {1, 2}
    during, _ = await traffic.consents(2)
    await traffic.withdraw(during[0])
    done = await asyncio.to_thread(keys, at, "rotate", "kek", "--json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert (outcome["new"], outcome["needing_old"], outcome["destroyed"]) == (2, 0, True)
    assert not (at.secrets_dir / "kek").exists()
    # The very processes that were started under the old key read all of it, and write under the new one.
    after, (record, *_) = await traffic.consents(2)
    await traffic.withdraw(after[0])
    await traffic.withdraw(traffic.emails[0])
    async with asyncio.timeout(60):  # promised until the next checkpoint
        while (
            proof := await traffic.http.get(f"{at.url('proof_archive')}/v1/proofs/{record}.json")
        ).status_code == 202:
            await asyncio.sleep(0.3)
    assert proof.status_code == 200, proof.text
    status = await asyncio.to_thread(keys, at, "status", "--json")
    assert status.returncode == 0
    assert [row["kek"] for row in json.loads(status.stdout)["record_keys"]] == [2]


async def test_the_pepper_is_rotated_under_traffic(at, traffic):
    (stopped, open_, later), _ = await traffic.consents(3)
    await traffic.withdraw(stopped)
    with database(at) as client:

        def begun():
            state = client.rights.naming.find_one({"_id": "pepper"})
            return state is not None and client.rights.grants.count_documents({"pvs": 2}) >= 1

        assert await asyncio.to_thread(killed_in_the_middle, at, begun, "rotate", "pepper")
        assert await traffic.by_contact(stopped) == ["STOPPED"]
        assert await traffic.by_contact(open_) == []
        (during, _), _ = await traffic.consents(2)
        await traffic.withdraw(during)
        done = await asyncio.to_thread(keys, at, "rotate", "pepper", "--json")
        assert done.returncode == 0, done.stderr
        assert (json.loads(done.stdout)["new"], json.loads(done.stdout)["left"]) == (2, 0)
        for email in (stopped, during):
            assert await traffic.by_contact(email) == ["STOPPED"]
        assert await traffic.by_contact(open_) == []
        await traffic.withdraw(later)
        # A re-import of a stopped person is stopped though it is written under the new pepper alone.
        record = await traffic.partner.consent(consent(stopped, confirmed=False))
        refused = await traffic.partner.read(f"out.{PARTY}.permissions", lambda b: b["record"] == record)
        assert "reasons" in refused[0]
        text = str([*client.rights.grants.find({}), *client.rights.stops.find({})])
        assert "'p2." in text
        assert "'p1." not in text


async def test_a_match_key_is_rotated_under_traffic(at, traffic):
    (email, other), (_, _) = await traffic.consents(2)
    master = (at.secrets_dir / "match-master").read_bytes()
    with database(at) as client:

        def begun():
            row = client.rights.matching.find_one({"_id": PARTY})
            return row is not None and row.get("at", "") != ""

        assert await asyncio.to_thread(killed_in_the_middle, at, begun, "rotate", "match", "--party", PARTY)
    done = await asyncio.to_thread(keys, at, "rotate", "match", "--party", PARTY, "--json")
    assert json.loads(done.stdout)["phase"] == "offered", done.stderr
    unknown = await asyncio.to_thread(keys, at, "rotate", "match", "--party", "nobody")
    assert (unknown.returncode, "PARTY-UNKNOWN" in unknown.stderr) == (2, True)
    early = await asyncio.to_thread(keys, at, "confirm", "--party", PARTY, "--version", "2")
    assert (early.returncode, "MATCH-UNDELIVERED" in early.stderr) == (2, True)
    from shared.crypto.keys import party_key  # noqa: PLC0415 - the test's own oracle of what the party was given

    mine = {version: party_key(master, PARTY, version) for version in (1, 2)}
    for version, key in mine.items():
        named = {"type": "email", "key": match_key(version, key, "email", email)}
        assert await traffic.codes(match_key=named) == []
    order = await traffic.withdraw(other)
    assert {k["key"] for k in order["match_keys"]} == {match_key(v, k, "email", other) for v, k in mine.items()}
    with database(at) as client:  # what the authenticated download notes
        client.rights.matching.update_one({"_id": PARTY}, {"$set": {"delivered.2": "2026-11-02T00:00:00.000Z"}})
    confirmed = await asyncio.to_thread(keys, at, "confirm", "--party", PARTY, "--version", "2", "--json")
    assert json.loads(confirmed.stdout)["versions"] == [2]
    async with asyncio.timeout(60):
        while True:
            (fresh,), (record,) = await traffic.consents(1)
            (told, *_) = await traffic.partner.permissions(PARTY, record)
            if [k["key"] for k in told["match_keys"]] == [match_key(2, mine[2], "email", fresh)]:
                break
    assert base64.b64encode(mine[2]).decode() not in confirmed.stdout


def test_the_words_of_the_command(at):
    for lang, words in (("fr", "Valeur de contrôle"), ("en", "Check value")):
        said = keys(at, "status", lang=lang)
        assert said.returncode == 0, said.stderr
        assert words in said.stdout
    for path in at.secrets_dir.iterdir():
        assert path.read_bytes().hex() not in said.stdout
