"""A proof on demand: in which formats, to whom, with what in it; and that each delivery is itself in the log."""

import asyncio
import hashlib
import io
import json
import uuid
import zipfile

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaConnectionError

from services.proof_archive.app import build
from services.proof_archive.delivering.history import History
from services.proof_archive.delivering.outbox import LATE
from services.proof_archive.log.reader import Reader
from services.proof_archive.verifying.verify import verify_bundle
from shared import canonical
from shared.clock import ManualClock
from shared.kafka.publisher import Outgoing, Publisher
from shared.keyring.ring import Fixed
from shared.provisioning import provision
from shared.tickets import GOOD_FOR, Tickets
from shared.topics import ERASURES
from tests.bench import world
from tests.integration.archive.test_archive_service import KEK, Scene, documents
from tests.unit.attestation.attestation_world import PICTURE, PICTURE_SHA256
from tests.unit.attestation.reading import flat, images_of, text_of

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]
WAIT_S = 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(kafka, mongo_uri, tmp_path_factory):
    """Both services, for this module; each test has a record of its own."""
    one = Scene(tmp_path_factory.mktemp("scene"), kafka, mongo_uri)
    await provision(one.settings, registry_documents=[*documents(), form_with_screenshot()])
    await build(one.archive)
    await one.archive.start()
    await one.vault.prepare()
    async with one.signing():
        yield one
    await one.http.aclose()
    await one.archive.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def story(scene):
    """A consent, assessed, withdrawn, proven."""
    record, event, data = await scene.consent()
    await scene.verdict(event)
    await scene.stop("p01", record)
    await scene.complete(record, "consent.assessed", "stop.recorded", "delivery.acknowledged", "list", "form")
    return scene, record, data


def form_with_screenshot():
    """A form of the collector whose screenshot is the one that this suite can upload."""
    form = next(body for _, body in documents() if body["kind"] == "form" and body["collector"] == "bench-a")
    form = {**form, "id": "bench-a-shot", "screenshot_sha256": PICTURE_SHA256}
    return f"form:{form['id']}:{form['version']}", form


async def drained(scene, record):
    """Until no delivery of a record waits to be archived, and the archive has read them all."""
    box, entries = scene.archive.mongo["archive"].outbox, scene.archive.mongo["archive"].entries
    async with asyncio.timeout(WAIT_S):
        while await box.count_documents({"facts.proof_of": record}):
            await asyncio.sleep(0.05)
        count, before = await entries.count_documents({"refs": f"proof_of:{record}"}), -1
        while count != before:
            await asyncio.sleep(0.5)
            count, before = await entries.count_documents({"refs": f"proof_of:{record}"}), count


async def history(scene, record, count, who="operator"):
    """The deliveries of a record, once the log holds that many."""
    answer = await scene.until(f"/v1/deliveries/{record}", lambda a: len(a.json().get("deliveries", [])) >= count, who)
    return answer.json()


async def test_an_attestation_for_each_who_is_entitled_and_no_one_else(story):
    scene, record, data = story
    email, ip = data["contacts"][0]["value"], data["context"]["ip"]
    texts = {}
    for who in ("operator", "bench-a", "p00", "bench-c"):
        answer = await scene.get(f"/v1/proofs/{record}.pdf", who)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text[:200]
        assert answer.headers["content-disposition"].endswith('.pdf"')
        assert answer.headers["cache-control"] == "no-store"
        texts[who] = text_of(answer.content)
        assert flat("Consentement retiré") in texts[who]
        assert flat("Preuve non indépendante") in texts[who]
    by_accept = await scene.get(f"/v1/proofs/{record}", "p00", Accept="application/pdf")
    assert by_accept.content.startswith(b"%PDF-")
    assert ip in texts["bench-a"]
    assert ip in texts["bench-c"]
    assert email in texts["p00"]
    assert ip not in texts["p00"]
    for other in ("(p01)", "(p02)", "P01SAS", "P02SAS"):
        assert other in texts["bench-a"]
        assert other not in texts["p00"]
    assert (await scene.get(f"/v1/proofs/{record}.pdf", "p03")).status_code == 403
    assert (await scene.get(f"/v1/proofs/{record}.pdf", "bench-b")).status_code == 403
    assert (await scene.http.get(f"/v1/proofs/{record}.pdf")).status_code == 401


async def test_nothing_personal_of_another_reaches_a_prospecteur_in_any_format(story):
    scene, record, data = story
    phone = "+33" + data["contacts"][1]["value"].replace(" ", "")[1:]
    secret = [
        data["context"]["ip"],
        data["context"]["user_agent"] + '"',
        data["context"]["source_url"],
        phone,
        "jeanne@courriel.example",
    ]
    for format_ in ("json", "zip", "pdf"):
        answer = await scene.get(f"/v1/proofs/{record}.{format_}", "p00")
        assert answer.status_code == 200
        content = answer.content
        if format_ == "zip":
            with zipfile.ZipFile(io.BytesIO(content)) as bundle:
                content = b"".join(bundle.read(name) for name in bundle.namelist() if name != "attestation.pdf")
        found = text_of(content).encode() if format_ == "pdf" else content
        for value in secret:
            assert value.encode() not in found, (format_, value)
    proof = (await scene.get(f"/v1/proofs/{record}.json", "p00")).json()
    orders = [e["facts"]["party"] for e in proof["entries"] if e["kind"].startswith("delivery.")]
    assert set(orders) == {"p00"}
    assert {e["facts"]["prospector"] for e in proof["entries"] if e["kind"] == "agreement"} == {"p00"}


async def test_the_bundle_holds_its_attestation_and_verifies(story):
    scene, record, _ = story
    answer = await scene.get(f"/v1/proofs/{record}.zip", "p00")
    verification = verify_bundle(answer.content, scene.policy)
    assert verification.valid, verification.problems
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        text = text_of(bundle.read("attestation.pdf"))
    assert flat("un prospecteur nommé : P00 SAS (p00)") in text


async def test_the_person_has_its_proof_by_ticket_alone(story):
    scene, record, data = story
    clock = ManualClock(scene.archive.clock.now())
    tickets = Tickets(Fixed({1: KEK}), clock)
    ticket = tickets.make(record)
    pdf = await scene.http.get(f"/v1/persons/{ticket}.pdf")
    assert pdf.status_code == 200, pdf.text[:300]
    text = text_of(pdf.content)
    assert flat("la personne concernée") in text
    assert {data["context"]["ip"], data["contacts"][0]["value"]} <= {
        v for v in (data["context"]["ip"], data["contacts"][0]["value"]) if v in text
    }
    proof = (await scene.http.get(f"/v1/persons/{ticket}.json")).json()
    assert "agreement" not in {e["kind"] for e in proof["entries"]}
    assert "agreement" in {w["kind"] for w in proof["withheld"]}
    assert "jeanne@courriel.example" not in json.dumps(
        proof["disclosures"]
    )  # what was written with a stop is its writer's
    bundle = await scene.http.get(f"/v1/persons/{ticket}.zip")
    assert verify_bundle(bundle.content, scene.policy).valid
    other = Tickets(Fixed({1: b"x" * 32}), clock).make(record)
    for wrong in (ticket[:-2], ticket + "A", other, "1~" + "A" * 40, "x", "~" * 600):
        refused = await scene.http.get(f"/v1/persons/{wrong}.pdf")
        assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json"), wrong
    clock._now -= GOOD_FOR * 2
    assert (await scene.http.get(f"/v1/persons/{tickets.make(record)}.pdf")).status_code == 404
    await scene.until(
        f"/v1/deliveries/{record}",
        lambda a: [f["scope"] for f in a.json().get("deliveries", [])].count("person") == 3,
        seconds=WAIT_S,
    )


async def test_each_delivery_is_archived_and_makes_no_proof_longer(story):
    scene, record, _ = story
    first = await scene.get(f"/v1/proofs/{record}.json", "p00")
    given = {}
    for number in range(25):
        format_ = ("json", "zip", "pdf")[number % 3]
        answer = await scene.get(f"/v1/proofs/{record}.{format_}", "bench-a")
        given[hashlib.sha256(answer.content).hexdigest()] = (format_, len(answer.content))
    answer = await scene.until(
        f"/v1/deliveries/{record}",
        lambda a: given.keys() <= {f["sha256"] for f in a.json().get("deliveries", [])},
        seconds=WAIT_S,
    )
    found = answer.json()["deliveries"]
    assert len({f["delivery"] for f in found}) == len({f["index"] for f in found})
    told = {f["sha256"]: (f["format"], f["bytes"]) for f in found if f["party"] == "bench-a"}
    assert given.items() <= told.items()
    assert hashlib.sha256(first.content).hexdigest() in {f["sha256"] for f in found if f["party"] == "p00"}
    assert {f["kind"] for f in found} == {"proof.delivered"}
    assert {f["proof_of"] for f in found} == {record}
    again = await scene.get(f"/v1/proofs/{record}.json", "p00")
    assert len(again.json()["entries"]) == len(first.json()["entries"])
    assert len(again.json()["pending"]) == 0
    await drained(scene, record)
    entries = await scene.archive.mongo["archive"].entries.find({"refs": f"proof_of:{record}"}).to_list()
    for entry in entries:  # nothing personal, nothing but what a delivery is
        facts = canonical.loads(bytes(entry["bytes"]))["facts"]
        assert set(facts) == {"kind", "v", "delivery", "proof_of", "scope", "party", "format", "sha256", "bytes", "at"}
    assert (await scene.get(f"/v1/deliveries/{record}", "p00")).status_code == 403
    assert (await scene.get(f"/v1/deliveries/{record}", "bench-b")).status_code == 403
    assert len((await scene.get(f"/v1/deliveries/{record}", "bench-a")).json()["deliveries"]) >= len(found)


async def test_pages_of_deliveries(story, monkeypatch):
    scene, record, _ = story
    for _ in range(7):
        await scene.get(f"/v1/proofs/{record}.json", "bench-a")
    await drained(scene, record)
    everything = (await history(scene, record, 7))["deliveries"]
    pages, before = [], None
    one = History(scene.archive.mongo, Reader(scene.archive.mongo), scene.deployment)
    while True:
        page = await one.of(record, before, most=3)
        pages += page["deliveries"]
        if (before := page["before"]) is None:
            break
    assert pages == everything
    assert [f["at"] for f in pages] == sorted((f["at"] for f in pages), reverse=True)


async def test_a_proof_is_given_while_kafka_is_away_and_its_delivery_archived_later(story, monkeypatch):
    scene, record, _ = story
    send, away = Publisher.send_all, [True]

    async def down(self, messages):
        if away[0] and any(m.topic == "deliveries" for m in messages):
            raise KafkaConnectionError("away")
        await send(self, messages)

    monkeypatch.setattr(Publisher, "send_all", down)
    box = scene.archive.mongo["archive"].outbox
    answers = [await scene.get(f"/v1/proofs/{record}.pdf", who) for who in ("p00", "bench-a")]
    assert [a.status_code for a in answers] == [200, 200]
    hashes = {hashlib.sha256(a.content).hexdigest() for a in answers}
    async with asyncio.timeout(WAIT_S):
        while await box.count_documents({"facts.sha256": {"$in": sorted(hashes)}}) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await box.update_many(
        {"facts.sha256": {"$in": sorted(hashes)}}, {"$set": {"at": scene.archive.clock.now() - 2 * LATE}}
    )
    owed = (await scene.get("/v1/obligations")).json()["obligations"]
    mine = [o for o in owed if o["kind"] == "proof.unarchived"]
    assert mine[0]["owner"] == "operator"
    assert mine[0]["refs"]["deliveries"] >= 2
    assert {"cause", "opened_at", "due_at", "next_at"} <= mine[0].keys()
    away[0] = False
    found = await scene.until(
        f"/v1/deliveries/{record}",
        lambda a: hashes <= {f["sha256"] for f in a.json().get("deliveries", [])},
        seconds=WAIT_S,
    )
    assert [f["sha256"] for f in found.json()["deliveries"]].count(min(hashes)) == 1
    assert not [
        o for o in (await scene.get("/v1/obligations")).json()["obligations"] if o["kind"] == "proof.unarchived"
    ]


async def test_the_page_as_the_person_saw_it_once_its_screenshot_is_there(scene):
    _, data = world.consent("bench-a", uuid.uuid4().int % 10**9, "three")
    data = json.dumps({**json.loads(data), "form": {"id": "bench-a-shot", "version": 1, "sha256": world.SHA}}).encode()
    row, key, value = await scene.accept("bench-a", "opposable.consent.collected.v1", data)
    await scene.archive.publisher.send_all([Outgoing(row.name, key, value)])
    event, record = canonical.loads(value), key.decode()
    await scene.verdict(event)
    await scene.complete(record, "consent.assessed", "form")
    before = await scene.get(f"/v1/proofs/{record}.pdf", "p00")
    assert images_of(before.content) == 0
    assert flat("doit la produire. Elle se reconnaît à son empreinte") in text_of(before.content)
    headers = {"Authorization": "Bearer key of bench-a"}
    put = await scene.http.put(f"/v1/evidence/{PICTURE_SHA256}", content=PICTURE, headers=headers)
    assert put.status_code in (200, 201), put.text
    after = await scene.get(f"/v1/proofs/{record}.pdf", "p00")
    assert images_of(after.content) == 1
    assert flat("vérifiée à l’octet près") in text_of(after.content)
    bundle = await scene.get(f"/v1/proofs/{record}.zip", "p00")
    assert verify_bundle(bundle.content, scene.policy).valid


async def test_an_erased_record_has_an_attestation_that_says_so(story):
    scene, record, data = story
    await scene.emit(
        ERASURES, record, {"kind": "record.erased", "v": 1, "record": record, "at": "2026-10-04T00:00:00.000Z"}
    )
    await scene.archive.mongo["vault"].get_collection("keys").delete_one({"_id": record})
    answer = await scene.until(
        f"/v1/proofs/{record}.pdf",
        lambda a: a.status_code == 200 and flat("Incluses, données personnelles effacées") in text_of(a.content),
    )
    assert data["contacts"][0]["value"] not in text_of(answer.content)
