"""Evidence through the running archive: uploaded by who owes it, given to who is entitled, in bundles, erased with the record."""

import asyncio
import hashlib
import io
import json
import uuid
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from services.proof_archive.app import build
from services.proof_archive.evidence.files import Files
from services.proof_archive.evidence.owed import Owed
from services.proof_archive.evidence.rounds import once
from services.proof_archive.verifying.verify import verify_bundle
from shared import canonical
from shared.clock import ManualClock
from shared.crypto.sealing import RecordKey
from shared.kafka.publisher import Outgoing
from shared.provisioning import provision
from shared.topics import CONSENTS, ERASURES
from tests.bench import world
from tests.integration.archive.test_archive_service import Scene, documents

pytestmark = pytest.mark.engines

PIECES = bytes(range(256)) * 1024
"""A quarter of a mebibyte: several pieces of what is encrypted, more than one chunk of what is stored."""


def sha(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
async def scene(kafka, mongo_uri, tmp_path):
    one = Scene(tmp_path, kafka, mongo_uri)
    one.settings = one.settings.model_copy(update={"evidence_file_bytes": 400_000, "evidence_bundle_bytes": 300_000})
    one.archive.settings = one.settings
    await provision(one.settings, registry_documents=list(documents()))
    await build(one.archive)
    await one.archive.start()
    await one.vault.prepare()
    async with one.signing():
        yield one
    await one.http.aclose()
    await one.archive.stop()


async def consent_with(scene, *files):
    """A consent that attaches these files, assessed."""
    number = uuid.uuid4().int % 10**9
    consent_id, data = world.consent("bench-a", number, "three", f"jeanne.{number}@courriel.example")
    data = json.loads(data)
    data["attachments"] = [{"kind": "recording", "sha256": sha(file), "bytes": len(file)} for file in files]
    row, key, value = await scene.accept("bench-a", "opposable.consent.collected.v1", canonical.dumps(data))
    assert row is CONSENTS
    await scene.archive.publisher.send_all([Outgoing(row.name, key, value)])
    await scene.verdict(canonical.loads(value))
    record = f"bench-a/{consent_id}"
    await scene.complete(record, "consent.recorded", "consent.assessed", "form")
    return record


async def put(scene, data, who="bench-a", name=None):
    token = "op" if who == "operator" else f"key of {who}"

    async def parts():
        for at in range(0, len(data), 50_000):
            yield data[at : at + 50_000]

    path = f"/v1/evidence/{name or sha(data)}"
    return await scene.http.put(path, content=parts(), headers={"Authorization": f"Bearer {token}"})


async def contents(scene, record, who):
    answer = await scene.get(f"/v1/proofs/{record}.zip", who)
    assert answer.status_code == 200, answer.text
    verification = verify_bundle(answer.content, scene.policy)
    assert verification.valid, verification.problems
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name.startswith("evidence/")}
    return verification.contents, members


async def owed(scene, who="bench-a"):
    rows, after = [], ""
    while after is not None:
        page = (await scene.get(f"/v1/evidence/owed?limit=3&after={after}", who)).json()
        rows += page["owed"]
        after = page["after"]
    return {row["sha256"]: row for row in rows}


async def stored_bytes(scene):
    rows = scene.archive.mongo["archive"]["evidence.chunks"].find()
    return b"".join([bytes(row["data"]) async for row in rows])


async def test_a_file_about_a_person_from_debt_to_bundle_to_erasure(scene):
    recording = b"voice of Jeanne " + PIECES + uuid.uuid4().bytes
    record = await consent_with(scene, recording)
    debt = (await owed(scene))[sha(recording)]
    assert (debt["owner"], debt["what"], debt["record"], debt["overdue"]) == ("bench-a", "recording", record, False)
    days = datetime.fromisoformat(debt["due_at"]) - datetime.fromisoformat(debt["opened_at"])
    assert (days, debt["next_at"]) == (timedelta(days=30), debt["due_at"])
    obligations = (await scene.get("/v1/obligations")).json()["obligations"]
    assert next(o for o in obligations if o["id"] == "evidence:bench-a")["refs"]["files"] >= 1
    before, _ = await contents(scene, record, "bench-a")
    item = next(i for i in before.evidence if i.sha256 == sha(recording))
    assert (item.owed_by, item.joined, item.held) == ("bench-a", False, None)

    answer = await put(scene, recording)
    assert (answer.status_code, answer.json()) == (
        201, {"sha256": sha(recording), "status": "stored", "bytes": len(recording)},
    )  # fmt: skip
    again = await put(scene, recording)
    assert (again.status_code, again.json()["status"]) == (200, "held")
    assert sha(recording) not in await owed(scene)
    assert b"voice of Jeanne" not in await stored_bytes(scene)  # kept under the record's key
    for who in ("bench-a", "bench-c", "operator"):
        answer = await scene.get(f"/v1/evidence/{sha(recording)}", who)
        assert (answer.status_code, answer.content) == (200, recording)
    for who, path in (
        ("p00", f"/v1/evidence/{sha(recording)}?record={record}"),
        ("p00", f"/v1/evidence/{sha(recording)}"),
        ("bench-b", f"/v1/evidence/{sha(recording)}"),
    ):
        assert (await scene.get(path, who)).status_code == 403
    for who in ("bench-a", "bench-c", "operator"):
        view, members = await contents(scene, record, who)
        assert next(i for i in view.evidence if i.sha256 == sha(recording)).joined
        assert members[f"evidence/{sha(recording)}.bin"] == recording
    view, members = await contents(scene, record, "p00")  # not what the consent has attached
    assert f"evidence/{sha(recording)}.bin" not in members
    assert not next(i for i in view.evidence if i.sha256 == sha(recording)).joined

    erasure = {"kind": "record.erased", "v": 1, "record": record, "at": "2026-10-04T00:00:00.000Z"}
    await scene.emit(ERASURES, record, erasure)
    await scene.complete(record, "record.erased")
    answer = await scene.until(f"/v1/evidence/{sha(recording)}", lambda a: a.status_code != 200)
    assert answer.status_code == 403
    assert (await put(scene, recording)).status_code == 403  # nothing cites it any more
    assert await scene.archive.mongo["archive"].evidence_files.find_one({"record": record}) is None


async def test_a_file_for_everyone_is_owed_once_and_joined_for_everyone(scene):
    page = b"<html>" + uuid.uuid4().bytes * 4000  # 64 kB
    contract = uuid.uuid4().bytes * 18_000  # 288 kB: with the page, beyond the budget of a bundle
    number = uuid.uuid4().int % 10**9
    consent_id, data = world.consent("bench-a", number, "three", f"jeanne.{number}@courriel.example")
    data = json.loads(data)
    data["form"]["sha256"] = sha(page)
    data["attachments"] = [{"kind": "paper", "sha256": sha(contract), "bytes": len(contract)}]
    row, key, value = await scene.accept("bench-a", "opposable.consent.collected.v1", canonical.dumps(data))
    await scene.archive.publisher.send_all([Outgoing(row.name, key, value)])
    await scene.verdict(canonical.loads(value))
    record = f"bench-a/{consent_id}"
    await scene.complete(record, "consent.recorded", "consent.assessed")
    assert (await owed(scene))[sha(page)]["record"] is None
    assert (await scene.get(f"/v1/evidence/{sha(page)}?record={record}", "p00")).json()["code"] == "EVIDENCE-OWED"
    assert (await put(scene, page)).status_code == 201
    assert (await put(scene, contract)).status_code == 201
    answer = await scene.get(f"/v1/evidence/{sha(page)}?record={record}", "p00")
    assert (answer.status_code, answer.content) == (200, page)
    view, members = await contents(scene, record, "p00")
    assert members == {f"evidence/{sha(page)}.bin": page}
    view, members = await contents(scene, record, "bench-a")
    assert members == {f"evidence/{sha(page)}.bin": page}
    item = next(i for i in view.evidence if i.sha256 == sha(contract))
    assert (item.joined, item.held) == (False, len(contract))


async def test_citing_anothers_file_does_not_give_it(scene):
    contract = uuid.uuid4().bytes * 900
    await cite_page(scene, "bench-a", contract)
    assert (await put(scene, contract)).status_code == 201
    record = await cite_page(scene, "bench-b", contract)  # it knows the hash, and claims it as its own page
    assert (await scene.get(f"/v1/evidence/{sha(contract)}", "bench-b")).json()["code"] == "EVIDENCE-OWED"
    _, members = await contents(scene, record, "bench-b")
    assert members == {}
    assert sha(contract) in await owed(scene, "bench-b")
    wrong = await put(scene, b"not it", who="bench-b", name=sha(contract))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "EVIDENCE-HASH")
    assert (await scene.get(f"/v1/evidence/{sha(contract)}", "bench-b")).status_code == 404
    held = await put(scene, contract, who="bench-b")  # it has shown to hold it
    assert (held.status_code, held.json()["status"]) == (200, "held")
    assert (await scene.get(f"/v1/evidence/{sha(contract)}", "bench-b")).content == contract
    _, members = await contents(scene, record, "bench-b")
    assert members == {f"evidence/{sha(contract)}.bin": contract}


async def cite_page(scene, collector, page):
    """A consent of a collector whose form was this page."""
    number = uuid.uuid4().int % 10**9
    consent_id, data = world.consent(collector, number, "three", f"jeanne.{number}@courriel.example")
    data = json.loads(data)
    data["form"]["sha256"] = sha(page)
    row, key, value = await scene.accept(collector, "opposable.consent.collected.v1", canonical.dumps(data))
    await scene.archive.publisher.send_all([Outgoing(row.name, key, value)])
    record = f"{collector}/{consent_id}"
    await scene.complete(record, "consent.recorded")
    return record


async def test_what_is_refused_says_why_and_stores_nothing(scene):
    recording = PIECES + uuid.uuid4().bytes
    await consent_with(scene, recording)
    files = scene.archive.mongo["archive"].evidence_files
    cases = [
        (await put(scene, b"another", name=sha(recording)), 422, "EVIDENCE-HASH"),
        (await put(scene, b"x" * 400_001, name=sha(recording)), 413, "EVIDENCE-TOO-LARGE"),
        (await put(scene, recording, name="A" * 64), 422, "EVIDENCE-NAME"),
        (await put(scene, b"nobody cites this"), 403, "FORBIDDEN"),
        (await put(scene, recording, who="bench-b"), 403, "FORBIDDEN"),
        (await put(scene, recording, who="p00"), 403, "FORBIDDEN"),
        (await put(scene, recording, who="nobody"), 401, "UNAUTHENTICATED"),
        (await scene.get(f"/v1/evidence/{sha(recording)}"), 404, "EVIDENCE-OWED"),
        (await scene.get("/v1/evidence/owed?limit=x"), 422, "INPUT"),
    ]
    for answer, status, code in cases:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
    assert await files.find_one({"sha256": sha(recording)}) is None
    assert PIECES[:4000] not in await stored_bytes(scene)
    assert sha(recording) in await owed(scene)


async def test_rounds_report_what_is_overdue_and_sweep_broken_uploads(scene):
    recording = uuid.uuid4().bytes
    await consent_with(scene, recording)
    files = Files(scene.archive.mongo)
    mine = Owed(scene.archive.mongo, files, timedelta(days=30))
    clock = ManualClock(datetime.now(UTC) + timedelta(days=29))
    await once(mine, files, clock, scene.archive.log)
    assert not (await owed(scene))[sha(recording)]["overdue"]
    clock.advance(timedelta(days=2))
    await once(mine, files, clock, scene.archive.log)
    late = (await owed(scene))[sha(recording)]
    assert late["overdue"]
    assert datetime.fromisoformat(late["next_at"]) > clock.now()

    async def broken():
        yield b"half of "
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await files.put(sha(recording), broken(), {"r": RecordKey(bytes(32))}, most=100, now=clock.now())
    db = scene.archive.mongo["archive"]
    assert await db.evidence_uploads.count_documents({}) == 0
    sink = await files._sink(sha(recording), None, None, clock.now())  # a process that ends here
    await db["evidence.chunks"].insert_one({"files_id": sink.file, "n": 0, "data": b"half of "})
    assert await files.sweep(clock.now()) == 0
    clock.advance(timedelta(hours=2))
    assert await files.sweep(clock.now()) >= 1
    assert await db["evidence.chunks"].find_one({"files_id": sink.file}) is None
