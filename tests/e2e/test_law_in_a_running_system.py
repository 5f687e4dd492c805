"""The law in a running system: suspended and judged anew, replayed out of the archive, documents that collectors submit."""

import copy
import hashlib
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime

import httpx
import pytest
import yaml

from services.cli.target import settings_of
from shared.crypto.note import Signer, sign
from shared.instants import format_instant
from shared.registry.hashing import list_hash
from shared.registry.load import load_dir
from shared.registry.publish import publish
from shared.registry.submissions import note_text
from tests.e2e.partner import REGISTRY, Partner
from tests.e2e.test_sanction_patterns import evidence, played, usable, yes

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
QUOTE = (("devis", 3), ("ruisseau-partenaires", 4))
SEED, KEY = b"q" * 32, "une-cle-de-test"


@pytest.fixture
def partner(example_system):
    return Partner(example_system.wait_ready())


@pytest.fixture
def opposable(example_system):
    """The command, as an operator runs it against this system."""
    directory = example_system.plan.data_dir

    def run(*words, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.main", *words, "--data-dir", str(directory)], capture_output=True, text=True,
            timeout=120, env={**os.environ, "OPPOSABLE_LANG": "en"}, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    return run


def document(key):
    return copy.deepcopy(next(d.body for d in load_dir(REGISTRY) if d.key == key))


async def with_status(partner, party, status, tmp_path, opposable):
    """What the operator does: edit the YAML, apply it."""
    file = tmp_path / f"{party}-{status}.yaml"
    file.write_text(yaml.safe_dump(document(f"party:{party}") | {"status": status}, allow_unicode=True))
    return opposable("registry", "apply", str(file))


async def test_suspending_ends_what_was_granted_and_reinstating_grants_it_again(partner, opposable, tmp_path):
    record = await played(partner, evidence(*QUOTE, yes("tisane")))
    await usable(partner, "tisane", record)
    await archived(opposable, record)
    said = await with_status(partner, "ruisseau-devis", "suspended", tmp_path, opposable)
    assert "assessed again" in said
    ended = await partner.read(
        "out.tisane.permissions", lambda b: b["record"] == record and b.get("reasons") == ["PARTY-SUSPENDED"]
    )
    assert ended[0]["channel"] == "email"
    await with_status(partner, "ruisseau-devis", "active", tmp_path, opposable)
    granted = await partner.read("out.tisane.permissions", lambda b: b["record"] == record and "basis" in b, count=2)
    assert granted[1]["valid_until"] == granted[0]["valid_until"]
    verdicts = await partner.read("verdicts", lambda b: b["facts"]["record"] == record, count=3)
    assert len({v["facts"]["evaluated_at"] for v in verdicts}) == 3, "all three stay provable"


async def archived(opposable, record):
    """Wait until the archive counts the record among those to assess again."""
    for _ in range(40):
        asked = json.loads(opposable("reassess", "--party", record.partition("/")[0], "--dry-run", "--json"))
        if asked["would_ask"]:
            return
    raise AssertionError("not archived")


async def test_the_archive_is_replayed_under_the_law_of_another_day(partner, opposable, tmp_path):
    record = await played(partner, evidence(*QUOTE, yes("hibou")))
    await usable(partner, "hibou", record)
    await archived(opposable, record)
    table = tmp_path / "falls.csv"
    told = json.loads(opposable("rules", "replay", "--at", "2035-01-01", "--json", "--csv", str(table)))
    assert told["falls"] == told["sendable_before"] > 0
    assert told["by_reason"]["EXPIRED"] == told["falls"]
    assert record in table.read_text()
    shown = json.loads(opposable("registry", "versions", "list:ruisseau", "--json"))["documents"]
    assert shown[0]["archived_at"]


async def prepared(partner, *, self_service):
    """Gives the collector a key to sign and to call with, and delegates or not."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    party = document("party:carte-coing") | {
        "public_keys": [Signer("carte-coing", SEED).verifier.vkey()],
        "api_keys": [{"id": "k1", "sha256": digest, "scopes": ["collector"], "expires_at": None}],
    }
    documents = [("party:carte-coing", party)]
    for one in load_dir(REGISTRY / "agreements.yaml"):
        if one.body["collector"] == "carte-coing":
            version = 2 if self_service else 3
            documents.append((f"agreement:{one.body['id']}:{version}", {
                **one.body, "version": version, "valid_from": "2026-01-01", "self_service": self_service,
            }))  # fmt: skip
    await publish(settings_of(partner.at), documents)


def submission(body):
    signature = sign(note_text(body), [Signer("carte-coing", SEED)]).decode()
    return {"document": body, "signature": signature}


async def post(partner, body):
    url = f"{partner.at.services['consent_validator'].url}/v1/registry"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as client:
        return await client.post(url, json=submission(body))


def next_list(version, *parties):
    body = document("list:coing-partenaires:2")
    body["entries"] = [e for e in body["entries"] if e["party"] in parties]
    body |= {"version": version, "published_at": format_instant(datetime.now(UTC))}
    return body | {"sha256": list_hash(body)}


async def test_a_collector_submits_its_own_list_and_those_removed_and_added_are_told(partner, opposable):
    await prepared(partner, self_service=True)
    version = 100 + uuid.uuid4().int % 1000
    applied = await post(partner, next_list(version, "hibou"))
    assert (applied.status_code, applied.json()["status"]) == (201, "applied"), applied.text
    assert applied.json()["archived_at"]
    (told,) = await partner.read(
        "out.marmotte.requests", lambda b: (b.get("list"), b.get("version")) == ("coing-partenaires", version)
    )
    assert (told["change"], told["previous"]) == ("removed", 2)
    back = await post(partner, next_list(version + 1, "hibou", "marmotte"))
    assert back.status_code == 201, back.text
    (told,) = await partner.read(
        "out.marmotte.requests", lambda b: (b.get("list"), b.get("version")) == ("coing-partenaires", version + 1)
    )
    assert told["change"] == "added"
    changed = next_list(version, "marmotte")
    assert (await post(partner, changed)).status_code == 409, "a version never changes"
    await prepared(partner, self_service=False)
    queued = await post(partner, next_list(version + 2, "hibou"))
    assert (queued.status_code, queued.json()["status"]) == (202, "queued"), queued.text
    waiting = json.loads(opposable("registry", "queue", "list", "--json"))["submissions"]
    assert queued.json()["id"] in {one["id"] for one in waiting}
    opposable("registry", "queue", "refuse", queued.json()["id"], "--reason", "illegible")
    (told,) = await partner.read("out.carte-coing.requests", lambda b: b.get("submission") == queued.json()["id"])
    assert (told["state"], told["reason"]) == ("refused", "illegible")
    opposable("registry", "queue", "approve", queued.json()["id"], code=1)
    other = await post(partner, next_list(version + 3, "hibou"))
    opposable("registry", "queue", "approve", other.json()["id"])
    shown = json.loads(opposable("registry", "queue", "list", "--all", "--json"))["submissions"]
    assert {s["id"]: s["state"] for s in shown}[other.json()["id"]] == "applied"
