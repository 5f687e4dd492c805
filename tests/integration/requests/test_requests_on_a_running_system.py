"""Rights of persons in a whole system on real engines, two instances of each service: asked, acted upon, answered, relayed."""

import asyncio
import base64
import functools
import io
import json
import subprocess
import sys
import uuid
import zipfile
from datetime import UTC, datetime

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler.requests.letters import KIND
from shared.crypto.sealing import unseal
from shared.instants import format_instant
from shared.keyring.ring import Ring
from shared.vault import Vault
from tests.e2e.partner import Partner, consent
from tests.waiting import operator_http, until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(280)]
NAMED = {"canalvert", "hibou", "tisane"}


@pytest.fixture(scope="module")
def endpoints(make_system):
    return make_system(environment={"OPPOSABLE_RIGHTS_SWEEP_EVERY": "0.2"}, instances=2).wait_ready()


@pytest.fixture
def partner(endpoints):
    return Partner(endpoints)


@pytest.fixture
async def http(endpoints):
    async with operator_http(endpoints, seconds=40) as client:
        yield client


def someone():
    return f"jeanne.{uuid.uuid4().hex[:8]}@courriel.example"


async def known(partner, email):
    record = await partner.consent(consent(email))
    await partner.permissions("canalvert", record)
    return record


async def asked(partner, right, email, party="acme", **more):
    """A partner passes on a person's request; its name."""
    request_id = f"r-{uuid.uuid4().hex[:10]}"
    data = {
        "request_id": request_id, "right": right, "received_at": format_instant(datetime.now(UTC)),
        "contacts": [{"type": "email", "value": email}], "identity": {"verified": True, "method": "code"}, **more,
    }  # fmt: skip
    await partner.send(f"in.{party}.rights", "opposable.right.requested.v1", data)
    return f"{party}/{request_id}"


async def view(http, name, good):
    answer = await until(
        lambda: http.get(f"/v1/requests/{name}"), lambda a: a.status_code == 200 and good(a.json())
    )  # fmt: skip
    return answer.json()


async def letters(endpoints, name):
    """What the person is written, opened as only who holds the keys can."""
    client = AsyncMongoClient(endpoints.mongodb, tz_aware=True)
    try:
        row = await client["rights"]["requests"].find_one({"_id": name})
        owner = f"request/{name}"
        keys = await Vault(client, Ring(endpoints.secrets_dir, "kek")).read([owner])
        return [unseal(keys[owner], KIND, owner, bytes(letter["sealed"])) for letter in row["letters"]]
    finally:
        await client.close()


def command(endpoints, *words, code=0, error=False, group="request"):
    """What `opposable request …` prints."""
    line = [sys.executable, "-m", "services.cli.main", "--lang", "fr", group, *words, "--data-dir"]
    done = subprocess.run(
        [*line, str(endpoints.secrets_dir.parent)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code, done.stderr
    return done.stderr if error else done.stdout


async def apply(partner, name, parties):
    """These parties answer `applied`; the bodies of their orders."""
    bodies = {}
    for party in parties:
        (bodies[party],) = await partner.read(
            f"out.{party}.requests", lambda b: b.get("request_id") == name.partition("/")[2]
        )
        answer = {"order_id": bodies[party]["order_id"], "status": "applied"}
        await partner.send(f"in.{party}.rights", "opposable.order.acknowledged.v1", answer)
    return bodies


async def allowed(http, email):
    body = {"contact": {"type": "email", "value": email}, "channel": "email", "recipient": "canalvert"}
    return (await http.post("/v1/permissions/check", json=body)).json()


async def test_an_erasure_is_ordered_everywhere_done_answered_and_closed_when_all_have_applied_it(
    partner, http, endpoints
):
    email = someone()
    record = await known(partner, email)
    name = await asked(partner, "erasure", email, party="canalvert")
    seen = await view(http, name, lambda v: v["state"] == "answered")
    assert seen["erased"] == [record]
    assert {branch["party"] for branch in seen["branches"]} == {*NAMED, "acme"}
    bodies = await apply(partner, name, {*NAMED, "acme"})
    assert {body["right"] for body in bodies.values()} == {"erasure"}
    await view(http, name, lambda v: v["state"] == "closed")
    (letter,) = await letters(endpoints, name)
    assert letter["to"] == email
    assert "ACME Jeux SAS" in letter["text"]
    (message,) = await partner.read("messages", lambda b: b["facts"]["owner"] == f"request/{name}")
    assert email not in json.dumps(message)
    (fact,) = await partner.read(
        "deliveries", lambda b: b["facts"].get("request") == name and b["facts"]["kind"] == "request.answered"
    )
    assert fact["facts"]["sha256"]
    client = AsyncMongoClient(endpoints.mongodb)
    keys = client["vault"]["keys"]
    await until(lambda: keys.find_one({"_id": record}), lambda row: row is None or "key" not in row)
    await client.close()


async def test_access_by_the_command_gives_both_documents_with_the_actual_recipients(partner, endpoints):
    email = someone()
    record = await known(partner, email)
    run = functools.partial(command, endpoints)
    name = run("new", "access", "--contact", f"email:{email}", "--verified", "code").strip()
    shown = json.loads(run("show", name, "--json", code=1))
    assert shown["state"] == "open"
    assert {one["party"] for one in shown["controllers"]} == {"acme", *NAMED}
    assert name in run("list")
    done = run("answer", name, "--outcome", "upheld", code=2, error=True)
    assert "REQUEST-OUTCOME" in done
    answered = run("answer", name)
    assert "closed" in answered
    (letter,) = await letters(endpoints, name)
    documents = {file: base64.b64decode(body) for file, _, body in letter["attachments"]}
    assert set(documents) == {"acces.json", "acces.pdf"}
    told = json.loads(documents["acces.json"])
    assert [one["enregistrement"] for one in told["enregistrements"]] == [record]
    assert {one["societe"] for one in told["destinataires"]} == {
        "Canal Vert SA",
        "Assurances du Hibou SA",
        "Tisane Télécom SAS",
    }
    assert name not in run("list")


async def test_a_restriction_withholds_at_once_gives_back_when_lifted_and_all_of_it_is_proven(
    partner, http, endpoints, tmp_path
):
    email = someone()
    record = await known(partner, email)
    assert (await allowed(http, email))["allowed"]
    name = await asked(partner, "restriction", email)
    await until(lambda: allowed(http, email), lambda a: not a["allowed"])
    told = await partner.read("out.canalvert.permissions", lambda b: b["record"] == record, count=2)
    assert told[1]["reasons"] == ["RESTRICTED"]
    await view(http, name, lambda v: len(v["branches"]) == 4)
    done = await http.post(f"/v1/requests/{name}/answer", json={})
    assert done.json()["state"] == "answered", done.text
    lifted = await http.post(f"/v1/requests/{name}/lift", json={"note": "Vérification terminée."})
    assert lifted.json()["state"] == "closed", lifted.text
    await until(lambda: allowed(http, email), lambda a: a["allowed"])
    told = await partner.read("out.canalvert.permissions", lambda b: b["record"] == record, count=3)
    assert told[2]["valid_until"] == told[0]["valid_until"]

    def tells(answer):
        """Whether the bundle tells that the request was relayed: its entries stand under a checkpoint a moment later."""
        if answer.status_code != 200:
            return False
        held = zipfile.ZipFile(io.BytesIO(answer.content))
        story = next(name for name in held.namelist() if name.endswith("timeline.json"))
        return "Demande adressée à canalvert" in held.read(story).decode()

    bundle = await until(lambda: http.get(f"{endpoints.url('proof_archive')}/v1/proofs/{record}.zip"), tells)
    file = tmp_path / "proof.zip"
    file.write_bytes(bundle.content)
    policy = str(endpoints.secrets_dir.parent / "policy")
    for command in (
        [sys.executable, "-m", "services.cli.main", "verify", str(file), "--policy", policy],
        [sys.executable, "services/proof_archive/verifier/verify_opposable.py", str(file), "--policy", policy],
    ):
        checked = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False, timeout=60
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


async def test_a_dispute_suspends_demands_the_proof_and_answers_with_it(partner, http, endpoints):
    email = someone()
    record = await known(partner, email)
    name = await asked(partner, "dispute", email, party="hibou", identity={"verified": False})
    await view(http, name, lambda v: len(v["branches"]) == 4)
    assert not (await allowed(http, email))["allowed"]
    owed = (await http.get("/v1/obligations?owner=acme")).json()["obligations"]
    (proof,) = [one for one in owed if one["kind"] == "proof" and one["refs"]["request"] == name]
    assert proof["refs"]["record"] == record
    archive = endpoints.url("proof_archive")
    await until(
        lambda: http.get(f"{archive}/v1/proofs/{record}.zip"), lambda a: a.status_code == 200
    )  # it stands under a checkpoint
    done = await http.post(f"/v1/requests/{name}/answer", json={"outcome": "upheld", "note": "Sans preuve."})
    assert done.status_code == 200, done.text
    (letter,) = await letters(endpoints, name)
    ((file, kind, _),) = letter["attachments"]
    assert (file.startswith("preuve-acme"), kind) == (True, "application/zip")
    assert not (await allowed(http, email))["allowed"]
    left = (await http.get("/v1/obligations?owner=acme")).json()["obligations"]
    assert not [one for one in left if one["kind"] == "proof" and one["refs"]["request"] == name]


async def test_the_notice_of_article_14_is_ready_for_the_first_message_and_nobody_is_overdue_yet(partner, endpoints):
    record = await known(partner, someone())
    text = command(endpoints, "text", record, "--party", "canalvert", group="notices")
    assert "VOUS POUVEZ VOUS OPPOSER" in text
    assert "ACME Jeux SAS" in text
    assert json.loads(command(endpoints, "overdue", "--party", "canalvert", "--json", group="notices")) == []
    command(endpoints, "text", record, "--party", "marmotte", group="notices", code=1)


async def test_nothing_of_the_person_stands_in_clear(partner, http, endpoints):
    email = someone()
    await known(partner, email)
    name = await asked(partner, "rectification", email, details=f"écrivez à {email}, mon nom est Jehanne")
    await view(http, name, lambda v: v["state"] == "open")
    await http.post(f"/v1/requests/{name}/answer", json={})
    (order,) = await partner.read("out.acme.requests", lambda b: b.get("request_id") == name.partition("/")[2])
    assert order["details_url"].endswith(f"/v1/requests/{name}/details")
    assert "Jehanne" in (await http.get(f"/v1/requests/{name}/details")).json()["details"]
    client = AsyncMongoClient(endpoints.mongodb)
    row = await client["rights"]["requests"].find_one({"_id": name})
    await client.close()
    kept = repr(row) + json.dumps(order)
    for word in (email, "Jehanne"):
        assert word not in kept
