"""Erasing in a whole system on real engines: nothing is left that opens, nothing comes back, every proof still verifies."""

import asyncio
import json
import subprocess
import sys
import uuid

import pytest
from pymongo import AsyncMongoClient

from services.proof_archive.verifying.verify import verify_bundle
from tests.e2e.partner import Partner, stop
from tests.integration.erasure.world import (
    call_line,
    caught_up,
    command,
    data_of,
    day_in,
    erased,
    leaks_in_databases,
    leaks_in_topics,
    needles,
    openable,
    someone,
    start_again,
    until,
)
from tests.reading import every_record
from tests.waiting import operator_http

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def running(make_system):
    return make_system()


@pytest.fixture
def at(running):
    return running.wait_ready()


@pytest.fixture
def policy(at):
    return (at.secrets_dir.parent / "policy").read_text()


@pytest.fixture
def partner(at):
    return Partner(at)


@pytest.fixture
async def rights(at):
    async with operator_http(at) as client:
        yield client


@pytest.fixture
async def archive(at):
    async with operator_http(at, "proof_archive") as client:
        yield client


@pytest.fixture
async def mongo(at):
    client = AsyncMongoClient(at.mongodb)
    yield client
    await client.close()


async def cli(at, *words):
    return await asyncio.to_thread(command, at, *words)


async def proof_of(archive, record, *kinds):
    """The bundle of a record, once its entries of these kinds are under a signed checkpoint."""

    def whole(answer):
        return answer.status_code == 200 and set(kinds) <= {entry["kind"] for entry in answer.json()["entries"]}

    await until(lambda: archive.get(f"/v1/proofs/{record}.json"), whole)
    return (await archive.get(f"/v1/proofs/{record}.zip")).content


async def archived(mongo, topic):
    """How many records of a topic stand in its logs."""
    return sum([head["size"] async for head in mongo.archive.heads.find({"_id": {"$regex": f"/{topic}/"}})])


async def ended(partner, party, record):
    return await partner.read(
        f"out.{party}.permissions", lambda b: b["record"] == record and "ERASED" in b.get("reasons", ())
    )


async def test_a_person_who_withdrew_is_erased_everywhere_and_proofs_still_verify(
    at, partner, rights, archive, mongo, policy, tmp_path
):
    person = someone()
    records = [await partner.consent(data_of(person)) for _ in range(2)]
    for record in records:
        await partner.permissions("canalvert", record)
    attempt = {"record": records[0], "channel": "email", "at": day_in(0) + "T00:00:01.000Z", "outcome": "sent",
               "contacts": [{"type": "email", "value": person["email"]}]}  # fmt: skip
    await partner.send("in.canalvert.rights", "opposable.contact.attempted.v1", attempt)
    withdrawal = await partner.stop(stop([("email", person["email"]), ("phone", person["phone"])]))
    await partner.orders("canalvert", withdrawal)
    before = await proof_of(archive, records[0], "consent.assessed", "delivery.ordered")
    assert person["email"].lower().encode() in before
    await until(lambda: mongo.rights.attempts.count_documents({"keys": records[0]}), lambda n: n == 1)

    code, out, err = await cli(at, "erase", "--contact", f"email:{person['email']}", "--dry-run", "--json")
    assert code == 0, err
    assert {one["record"] for one in json.loads(out)["erasures"]} == set(records)
    assert (await rights.get(f"/v1/erasures/{records[0]}")).status_code == 404
    code, out, err = await cli(at, "erase", "--contact", f"email:{person['email'].upper()}", "--yes", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert set(told["states"].values()) == {"done"}
    ends = told["erasures"][0]["ends"]["fr"]
    assert ends[0]["until"] == "now"
    assert any("canalvert" in end["what"] and end["until"] > day_in(80) for end in ends)
    erasure = (await rights.get(f"/v1/erasures/{records[1]}")).json()
    assert erasure["stop"] == withdrawal  # everyone was told already: no second order
    for party in ("canalvert", "hibou", "tisane"):
        assert [end["channel"] for end in await ended(partner, party, records[1])] == ["email"]

    words, kept = needles(person), [record async for record in every_record(at.kafka)]
    assert leaks_in_topics(kept, words) == []
    assert await leaks_in_databases(mongo, words) == []
    assert [where for where, text in await openable(at, mongo, kept) if any(w in text for w in words)] == []
    gone = [row["_id"] async for row in mongo.vault["keys"].find({"erased": {"$exists": True}})]
    assert {*records, f"stop/{withdrawal}"} <= set(gone)
    assert any(name.startswith("report/canalvert/") for name in gone)
    assert await mongo.archive.sealed.count_documents({"_id": {"$in": gone}}) == 0
    assert await mongo.rights.attempts.count_documents({"keys": records[0]}) == 0
    async for row in mongo.rights.grants.find({"_id": {"$in": records}}):
        assert (row["erased"], row["cks"], row["aks"], row["sealed"], row["sby"]) == (
            "erased",
            [],
            [],
            None,
            [withdrawal],
        )

    assert verify_bundle(before, policy).valid  # the proof of before
    after = await proof_of(archive, records[0], "key.destroyed")
    verified = verify_bundle(after, policy)
    assert verified.valid, verified.problems
    assert (verified.contents.erased, verified.contents.state.code) == (True, "erased")
    assert {"record.erased", "key.destroyed", "stop.recorded"} <= {entry.kind for entry in verified.contents.entries}
    (tmp_path / "after.zip").write_bytes(after)
    alone = [sys.executable, "services/proof_archive/verifier/verify_opposable.py", str(tmp_path / "after.zip"),
             "--policy", str(at.secrets_dir.parent / "policy")]  # fmt: skip
    said = await asyncio.to_thread(subprocess.run, alone, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "personal data erased" in said.stdout


async def test_what_was_erased_never_comes_back_by_the_same_id_nor_by_a_new_import(partner, rights, at, mongo):
    person = someone()
    record = await partner.consent(data_of(person))
    await partner.permissions("canalvert", record)
    code, out, err = await cli(
        at, "erase", "--subject", f"acme/{person['ref']}", "--yes"
    )  # nobody was told to stop yet
    assert code == 0, err
    assert "effacé, clé détruite" in out
    name = (await rights.get(f"/v1/erasures/{record}")).json()["stop"]
    orders = [await partner.orders(party, name) for party in ("canalvert", "hibou", "tisane", "acme")]
    assert all(order[0]["match_keys"] for order in orders)  # each could still find the person when it was told

    event = await partner.send("in.acme.consents", "opposable.consent.collected.v1",
                               data_of(person, consent_id=record.partition("/")[2]))  # fmt: skip
    (receipt,) = await partner.read("out.acme.receipts", lambda b: b["event_id"] == event)
    assert (receipt["status"], [p["code"] for p in receipt["problems"]]) == ("duplicate", ["ERASED"])
    bought = {"action": {"type": "checkbox", "default_state": "off", "confirmed_by": None}}
    for contact in ({"phone": None}, {}):  # by the e-mail alone, then whole: every contact stays blocked
        imported = await partner.consent({**data_of({**person, **contact}), **bought})
        told = await partner.permissions("canalvert", imported)
        assert ["REOPEN-UNCONFIRMED" in b["reasons"] for b in told] == [True]
    assert await mongo.vault["keys"].count_documents({"_id": record, "key": {"$exists": True}}) == 0


async def test_proof_of_a_phone_consent_is_kept_for_claims_only(at, partner, rights, archive, mongo, policy, tmp_path):
    person = someone()
    decisions = [
        {"channel": "email", "purpose": "prospecting", "value": "granted", "recipients": "all_listed"},
        call_line(),
    ]
    record = await partner.consent(data_of(person, decisions=decisions))
    told = await partner.permissions("canalvert", record)
    answer = await rights.post("/v1/erasures", json={"records": [record], "dry_run": True})
    (planned,) = answer.json()["erasures"]
    assert (planned["outcome"], planned["because"]) == ("restrict", ["PHONE-PROOF"]), (planned, told)
    assert planned["until"].startswith(str(int(day_in(0)[:4]) + 3))
    assert "R.223-3" in planned["ends"]["fr"][0]["why"]
    await proof_of(archive, record, "consent.assessed")
    assert (await rights.post("/v1/erasures", json={"records": [record]})).status_code == 202
    await erased(rights, record, "restricted")
    words = needles(person)

    check = {"contact": {"type": "email", "value": person["email"]}, "channel": "email", "recipient": "canalvert"}
    answer = await until(lambda: rights.post("/v1/permissions/check", json=check), lambda a: a.status_code == 200)
    assert answer.json()["allowed"] is False
    row = await mongo.rights.grants.find_one({"_id": record})
    assert (row["erased"], row["cks"], row["sealed"]) == ("restricted", [], None)
    async with asyncio.timeout(40):
        while not await mongo.vault["keys"].count_documents({"_id": record, "restricted": {"$exists": True}}):
            await asyncio.sleep(0.1)
    normal = await proof_of(archive, record, "record.restricted")
    verified = verify_bundle(normal, policy)
    assert verified.valid, verified.problems
    assert (verified.contents.erased, verified.contents.disclosed) == (False, ())
    assert not [w for w in words if w in normal]

    refused = await archive.post(f"/v1/proofs/{record}.zip", json={"claim": f"plainte de {person['email']}"})
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (422, "CLAIM-PERSONAL")
    file, claim_text = tmp_path / "opened.zip", "RG 26/01234, tribunal judiciaire"
    code, _, err = await cli(at, "proof", "get", record, "-o", str(file), "--claim", claim_text)
    assert code == 0, err
    opened = file.read_bytes()
    assert verify_bundle(opened, policy).valid
    assert person["email"].lower().encode() in opened
    whole = (await until(lambda: archive.get(f"/v1/proofs/{record}.json"),
                         lambda a: "proof.opened" in {e["kind"] for e in a.json()["entries"]})).json()  # fmt: skip
    (claim,) = [entry["facts"] for entry in whole["entries"] if entry["kind"] == "proof.opened"]
    assert (claim["claim"], claim["by"]) == (claim_text, "operator")
    verdicts = {(e["origin"], e["index"]) for e in whole["entries"] if e["kind"] == "consent.assessed"}
    assert {(d["origin"], d["index"]) for d in whole["disclosures"]} == verdicts, "lines of verdicts: nothing personal"


async def test_a_hold_keeps_until_it_is_released_and_each_act_is_archived(at, partner, rights, archive, mongo):
    person = someone()
    record = await partner.consent(data_of(person))
    await partner.permissions("canalvert", record)
    name = f"case-{uuid.uuid4().hex[:8]}"
    scope = ("--contact", f"email:{person['email']}", "--author", "legal-2", "--reason", "litigation")
    code, _, err = await cli(at, "hold", "add", name, *scope, "--review", day_in(90), "--json")
    assert code == 0, err
    assert (await rights.post("/v1/erasures", json={"records": [record]})).status_code == 202
    fate = (await erased(rights, record, "restricted")).json()["fate"]
    assert fate == {"outcome": "restrict", "until": None, "because": [f"HOLD:{name}"]}
    later = {"review_at": day_in(120) + "T23:59:59.000Z"}
    assert (await rights.post(f"/v1/holds/{name}/review", json=later)).status_code == 200
    past = {"review_at": day_in(-2) + "T00:00:00.000Z"}
    assert (await rights.post(f"/v1/holds/{name}/review", json=past)).status_code == 422
    (held,) = [one for one in (await rights.get("/v1/holds")).json()["holds"] if one["id"] == name]
    assert (held["review_at"][:10], held["value"], held["overdue"]) == (day_in(120), None, False)
    assert await mongo.vault["keys"].count_documents({"_id": record, "key": {"$exists": True}}) == 1
    code, out, err = await cli(at, "hold", "release", name, "--json")
    assert (code, json.loads(out)["looked_at_again"]) == (0, [record]), err
    await erased(rights, record)
    assert await mongo.vault["keys"].count_documents({"_id": record, "key": {"$exists": True}}) == 0
    acts = [
        json.loads(r.value)["facts"]
        for r in [record async for record in every_record(at.kafka)]
        if r.topic == "erasures"
    ]
    mine = [facts for facts in acts if facts.get("hold") == name]
    assert [facts["kind"] for facts in mine] == ["hold.added", "hold.reviewed", "hold.released"]
    assert {facts["author"] for facts in mine} == {"legal-2"}


async def test_the_eraser_killed_between_steps_resumes_and_no_key_goes_before_its_proof(
    at, running, partner, rights, mongo
):
    record = await partner.consent(data_of(someone()))
    await partner.permissions("canalvert", record)
    await asyncio.to_thread(running.hold, "signer")  # no checkpoint will cover the erasure
    try:
        assert (await rights.post("/v1/erasures", json={"records": [record]})).status_code == 202
        await erased(rights, record, "erased")
        before = running.restarts("eraser")
        for _ in range(2):
            running.kill("eraser")
            await until(lambda: asyncio.to_thread(running.pid, "eraser"), lambda pid: pid is not None)
        assert await mongo.vault["keys"].count_documents({"_id": record, "key": {"$exists": True}}) == 1
    finally:
        await asyncio.to_thread(running.release, "signer")
    await erased(rights, record)
    assert running.restarts("eraser") >= before + 1
    assert await mongo.vault["keys"].find_one({"_id": record}, {"key": 1, "mac": 1}) == {"_id": record}


async def test_replaying_every_topic_into_empty_databases_resurrects_nothing(at, running, partner, rights, mongo):
    gone, kept = someone(), someone()
    records = {name: await partner.consent(data_of(p)) for name, p in (("gone", gone), ("kept", kept))}
    for record in records.values():
        await partner.permissions("canalvert", record)
    withdrawal = await partner.stop(stop([("email", gone["email"])]))
    await partner.orders("canalvert", withdrawal)
    assert (await rights.post("/v1/erasures", json={"records": [records["gone"]]})).status_code == 202
    await erased(rights, records["gone"])

    for service in ("rights_handler", "proof_archive"):
        await asyncio.to_thread(running.hold, service)
    await mongo.drop_database("rights")
    await mongo.drop_database("archive")
    groups = {f"rights_handler.{topic}": topic for topic in ("verdicts", "stops", "reports", "requests", "erasures")}
    await start_again(at.kafka, groups)
    for service in ("rights_handler", "proof_archive"):
        await asyncio.to_thread(running.release, service)
    fresh = await asyncio.to_thread(running.wait_ready)
    await caught_up(fresh.kafka, groups)

    row = await mongo.rights.grants.find_one({"_id": records["gone"]})
    assert row is None or (row["erased"], row["cks"], row["sealed"]) == ("erased", [], None)
    assert (await mongo.rights.grants.find_one({"_id": records["kept"]}))["sealed"] is not None
    async with operator_http(fresh, "rights_handler") as again:
        assert (await again.get(f"/v1/erasures/{records['gone']}")).json()["state"] == "done"
        check = {"contact": {"type": "email", "value": gone["email"]}, "channel": "email", "recipient": "canalvert"}
        answer = await until(lambda: again.post("/v1/permissions/check", json=check), lambda a: a.status_code == 200)
        assert answer.json()["allowed"] is False
    left = [record async for record in every_record(fresh.kafka)]
    for topic in ("consents", "erasures"):
        await until(lambda t=topic: archived(mongo, t), lambda n, t=topic: n == sum(r.topic == t for r in left))
    assert await mongo.archive.sealed.count_documents({"_id": records["gone"]}) == 0
    assert await mongo.archive.sealed.count_documents({"_id": records["kept"]}) == 1
    words = needles(gone)
    assert await leaks_in_databases(mongo, words) == []
    assert [where for where, text in await openable(fresh, mongo, left) if any(w in text for w in words)] == []
