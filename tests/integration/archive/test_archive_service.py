"""The archive and its signer as services: proofs by HTTP, who gets which, and logs that outsiders can follow."""

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import uuid
import zipfile
from datetime import UTC, datetime

import httpx
import pytest
from bson.binary import Binary

from services.collector.domain import Position, internal_event
from services.consent_validator.domain import assess
from services.proof_archive import signer
from services.proof_archive.app import build
from services.proof_archive.log.reader import Reader
from services.proof_archive.settings import ArchiveSettings, SignerSettings
from services.proof_archive.verifying.verify import verify_bundle
from shared import canonical
from shared.contracts.envelope import Envelope
from shared.contracts.types import instant
from shared.crypto.encoding import unb64
from shared.crypto.merkle import CompactRange, leaf_hash, verify_inclusion
from shared.crypto.policy import open_checkpoint, parse_policy
from shared.crypto.tiles import ENTRIES, Tile, decode_bundle, split_hashes, width_at
from shared.intake.accept import accept
from shared.kafka.publisher import Outgoing
from shared.local_engines.trust import policy_text
from shared.provisioning import provision
from shared.service import Context
from shared.topics import CONSENTS, DELIVERIES, ERASURES, REPORTS, STOPS, VERDICTS
from shared.vault import Admission, Vault
from tests.bench import world
from tests.fakes.archive_world import letters

pytestmark = pytest.mark.engines
KEK, SEED, BUNDLE_SEED = b"k" * 32, b"s" * 32, b"b" * 32
KEYS = {
    "bench-a": "collector", "bench-b": "collector", "p00": "prospector", "p01": "prospector", "p02": "prospector",
    "p03": "prospector", "bench-c": "auditor",
}  # fmt: skip


def documents():
    for body in world.documents():
        key = f"{body['kind']}:{body['id']}" + (f":{body['version']}" if "version" in body else "")
        if body["kind"] == "agreement" and not (body["collector"] == "bench-a" and body["prospector"] in KEYS):
            continue
        if body["kind"] == "party":
            if body["id"] not in KEYS:
                continue
            digest = hashlib.sha256(f"key of {body['id']}".encode()).hexdigest()
            key_ = {"id": "k1", "sha256": digest, "scopes": [KEYS[body["id"]]], "expires_at": None}
            body = {**body, "api_keys": [key_]}  # noqa: PLW2901
        yield key, body


async def ready(app):
    """What `/health/ready` answers."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
        return (await client.get("/health/ready")).json()


class Scene:
    """Both services in this process, and the other services' events made by their own pure functions."""

    def __init__(self, directory, kafka, mongo_uri):
        for name, content in (
            ("kek", KEK),
            ("bundle.seed", BUNDLE_SEED),
            ("log.seed", SEED),
            ("operator-token", b"op"),
        ):
            (directory / name).write_bytes(content)
        self.deployment = f"{letters()}.local"
        self.policy = policy_text(self.deployment, SEED, BUNDLE_SEED)
        (directory / "trust").write_text(self.policy)
        common = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka, "MONGODB_URI": mongo_uri, "deployment": self.deployment,
            "secrets_dir": directory, "state_dir": directory / "state", "log_level": "ERROR",
        }  # fmt: skip
        self.settings = ArchiveSettings(**common, policy_file=directory / "trust")
        self.signer_settings = SignerSettings(**common, signer_interval_s=0.1)
        self.archive = Context("proof_archive", self.settings)
        self.signer = None
        self.vault = Vault(self.archive.mongo, KEK)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.archive.app), base_url="http://archive")

    @contextlib.asynccontextmanager
    async def signing(self):
        self.signer = Context("signer", self.signer_settings)
        await signer.build(self.signer)
        await self.signer.start()
        try:
            yield
        finally:
            await self.signer.stop()

    async def get(self, path, who="operator", **headers):
        token = "op" if who == "operator" else f"key of {who}"
        return await self.http.get(path, headers={"Authorization": f"Bearer {token}", **headers})

    async def emit(self, row, key, facts, sealed=None):
        value = {"facts": facts} | ({"sealed": sealed} if sealed else {})
        await self.archive.publisher.send_all([Outgoing(row.name, key.encode(), canonical.dumps(value))])

    async def accept(self, source, kind, value):
        """What the collector makes of an event: published, and its facts."""
        event_id = f"e-{uuid.uuid4().hex[:12]}"
        accepted = accept(
            Envelope(event_id, source, kind), value, party=source, received_at=datetime.now(UTC),
            registry=self.archive.registry.view,
        )  # fmt: skip
        at = Position(f"in.{source}.x", 0, 1)
        coordinate = f"{at.topic}/0/{uuid.uuid4().int % 10**9}"
        admission = Admission(accepted.record_id, f"{source} {event_id}", coordinate, accepted.content)
        (admitted,) = await self.vault.admit([admission])
        row, key, value = internal_event(accepted, admitted.key, at)
        return row, key, value

    async def consent(self, *, publish=True):
        number = uuid.uuid4().int % 10**9
        consent_id, data = world.consent("bench-a", number, "three", f"jeanne.{number}@courriel.example")
        row, key, value = await self.accept("bench-a", "opposable.consent.collected.v1", data)
        assert row is CONSENTS
        if publish:
            await self.archive.publisher.send_all([Outgoing(row.name, key, value)])
        return f"bench-a/{consent_id}", canonical.loads(value), json.loads(data)

    async def verdict(self, event):
        facts = event["facts"]
        verdict = assess(facts, self.archive.registry.view, instant(facts["received_at"]))
        value = verdict.as_event(facts, bytes(32)) | {"sealed": event["sealed"]}
        await self.archive.publisher.send_all(
            [Outgoing(VERDICTS.name, facts["record"].encode(), canonical.dumps(value))]
        )

    async def stop(self, source, record):
        """A withdrawal and what became of it at two prospecteurs."""
        data = world.stop(uuid.uuid4().int % 10**9, "jeanne@courriel.example")
        row, key, value = await self.accept(source, "opposable.stop.requested.v1", data)
        assert row is STOPS
        await self.archive.publisher.send_all([Outgoing(row.name, key, value)])
        facts = canonical.loads(value)["facts"]
        for party in ("p00", "p01"):
            order = uuid.uuid4().hex
            common = {"order": order, "stop": facts["stop"], "party": party, "record": record, "v": 1}
            await self.emit(DELIVERIES, order, {
                **common, "kind": "delivery.ordered", "recipients": "all", "channels": "all", "purposes": "all",
                "at": facts["at"], "ack_due_at": facts["at"], "reminder": 0,
            })  # fmt: skip
            await self.emit(REPORTS, order, {
                "kind": "order.acknowledged", "v": 1, "order": order, "source": party, "status": "applied",
                "applied_at": facts["at"], "received_at": facts["received_at"],
            })  # fmt: skip
            await self.emit(
                DELIVERIES, order, {**common, "kind": "delivery.acknowledged", "status": "applied", "closed": True}
            )
        return facts["stop"]

    async def until(self, path, accept_, who="operator", seconds=60):
        """Ask until the answer is accepted."""
        answer = None
        try:
            async with asyncio.timeout(seconds):
                while not accept_(answer := await self.get(path, who)):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            apps = [one.app for one in (self.archive, self.signer) if one]
            pytest.fail(
                f"{path}: {answer.status_code} {answer.text[:300]}; readiness: {[await ready(app) for app in apps]}"
            )
        return answer

    async def complete(self, record, *kinds):
        """The JSON proof for the operator once it holds all these kinds."""

        def has_all(answer):
            return answer.status_code == 200 and set(kinds) <= {e["kind"] for e in answer.json()["entries"]}

        return (await self.until(f"/v1/proofs/{record}.json", has_all)).json()


@pytest.fixture
async def scene(kafka, mongo_uri, tmp_path):
    one = Scene(tmp_path, kafka, mongo_uri)
    await provision(one.settings, registry_documents=list(documents()))
    await build(one.archive)
    await one.archive.start()
    await one.vault.prepare()
    yield one
    await one.http.aclose()
    await one.archive.stop()


async def test_a_record_is_promised_then_proven(scene):
    record, event, _ = await scene.consent(publish=False)
    answer = await scene.get(f"/v1/proofs/{record}")  # the collector has it, the logs do not
    assert (answer.status_code, answer.json()["origin"]) == (202, None)
    await scene.emit(CONSENTS, record, event["facts"], event["sealed"])
    answer = await scene.until(f"/v1/proofs/{record}.zip", lambda a: a.status_code == 202 and a.json()["origin"])
    promise = answer.json()
    assert promise["origin"].startswith(f"{scene.deployment}/consents/")
    assert instant(promise["due"]) > datetime.now(UTC)
    assert "Retry-After" in answer.headers
    async with scene.signing():
        answer = await scene.until(f"/v1/proofs/{record}.zip", lambda a: a.status_code == 200)
        assert answer.headers["content-type"] == "application/zip"
        verification = verify_bundle(answer.content, scene.policy)
        assert verification.valid, verification.problems
        assert verification.contents.state.code == "unassessed"
        refused = await scene.get("/v1/proofs/bench-a/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11")
        assert refused.status_code == 404
        assert refused.headers["content-type"] == "application/problem+json"


async def test_the_whole_story_for_each_audience(scene):
    async with scene.signing():
        record, event, data = await scene.consent()
        await scene.verdict(event)
        stop = await scene.stop("p01", record)
        full = await scene.complete(
            record, "consent.recorded", "consent.assessed", "stop.recorded", "delivery.ordered", "order.acknowledged",
            "delivery.acknowledged", "list", "form", "notice", "agreement",
        )  # fmt: skip
        for entry in full["entries"]:  # by hand, as an outsider would
            checkpoint = open_checkpoint(
                full["checkpoints"][entry["origin"]].encode(), parse_policy(scene.policy)
            ).checkpoint
            leaf = leaf_hash(unb64(entry["entry"]))
            verify_inclusion(entry["index"], checkpoint.size, leaf, [unb64(h) for h in entry["proof"]], checkpoint.root)
        views = {}
        for who in ("operator", "bench-a", "p00", "p01", "bench-c"):
            answer = await scene.get(f"/v1/proofs/{record}", who, Accept="application/zip")
            assert answer.status_code == 200, answer.text
            verification = verify_bundle(answer.content, scene.policy)
            assert verification.valid, (who, verification.problems)
            contents = verification.contents
            views[who] = contents
            assert contents.state.code == "stopped"
            own = {who} if who in ("p00", "p01") else {"p00", "p01", "p02"}
            assert {line.recipient for line in contents.state.lines} == own, "its own lines, and no other's"
            assert len(contents.state.lines) + contents.state.hidden == len(views["operator"].state.lines)
            others = {f'"recipient":"{party}"'.encode() for party in {"p00", "p01", "p02"} - own}
            assert not any(text in answer.content for text in others)
            assert {b"agreement:bench-a-p00:1" in answer.content} == {who != "p01"}
        disclosed = {}
        for who, view in views.items():
            consent = next(e.name for e in view.entries if e.kind == "consent.recorded")
            disclosed[who] = {d.value for d in view.disclosed if d.entry == consent}
        email, phone = data["contacts"][0]["value"], "+33" + data["contacts"][1]["value"].replace(" ", "")[1:]
        assert {email, phone, data["context"]["ip"]} <= disclosed["bench-a"]
        assert {email, phone, data["context"]["ip"]} <= disclosed["bench-c"]
        assert disclosed["p00"] == {email, data["subject_ref"]}  # e-mail alone is granted
        assert {"p00"} == {views["p00"].party}
        kinds = {who: [e.kind for e in view.entries] for who, view in views.items()}
        assert kinds["operator"].count("delivery.ordered") == 2
        assert kinds["p00"].count("delivery.ordered") == kinds["p00"].count("order.acknowledged") == 1
        assert kinds["p00"].count("agreement") == 1
        assert kinds["operator"].count("agreement") == 3
        assert len(views["p00"].entries) + len(views["p00"].withheld) == len(views["operator"].entries)
        assert [e for e in views["p00"].timeline if e["kind"] == "stop.recorded"]
        assert stop.startswith("p01/")
        stop_entry = next(e.name for e in views["p01"].entries if e.kind == "stop.recorded")
        assert "jeanne@courriel.example" in {d.value for d in views["p01"].disclosed if d.entry == stop_entry}
        assert not [d for d in views["p00"].disclosed if d.value == "jeanne@courriel.example"]
        checked = await scene.http.post(
            "/v1/verify", content=(await scene.get(f"/v1/proofs/{record}.zip")).content,
            headers={"Authorization": "Bearer key of p02"},
        )  # fmt: skip
        assert checked.json()["valid"] is True


async def test_who_is_refused(scene):
    async with scene.signing():
        record, event, _ = await scene.consent()
        await scene.complete(record, "consent.recorded")
        waits = await scene.get(f"/v1/proofs/{record}", "p00")  # whom it names is known once it is assessed
        assert waits.status_code == 202
        await scene.verdict(event)
        await scene.complete(record, "consent.assessed")
        _, _, bare = record.partition("/")
        expected = {
            ("p00", record): 200, ("p03", record): 403, ("bench-b", record): 403, ("bench-a", record): 200,
            ("bench-a", bare): 200, ("p00", bare): 200, ("p03", bare): 403, ("operator", bare): 200, ("bench-b", bare): 404,
            ("bench-a", "bench-a/unknown"): 404, ("p00", "bench-a/unknown"): 403, ("p00", "unknown"): 403,
            ("operator", "unknown"): 404, ("nobody", record): 401,
        }  # fmt: skip
        answers = {case: (await scene.get(f"/v1/proofs/{case[1]}", case[0])).status_code for case in expected}
        assert answers == expected
        assert (await scene.http.get(f"/v1/proofs/{record}")).status_code == 401
        wrong = await scene.http.post("/v1/verify", content=b"PK", headers={"Authorization": "Bearer op"})
        assert (wrong.status_code, wrong.json()["valid"]) == (200, False)


async def test_erased_records_are_still_proven_and_say_so(scene):
    async with scene.signing():
        record, event, data = await scene.consent()
        await scene.verdict(event)
        await scene.complete(record, "consent.assessed")
        await scene.emit(
            ERASURES, record, {"kind": "record.erased", "v": 1, "record": record, "at": event["facts"]["received_at"]}
        )
        await scene.archive.mongo.get_database("vault").get_collection("keys").delete_one({"_id": record})
        proof = await scene.complete(record, "record.erased")
        assert proof["erased"] is True
        verdict = next(e for e in proof["entries"] if e["kind"] == "consent.assessed")
        place = (verdict["origin"], verdict["index"])
        assert {(d["origin"], d["index"]) for d in proof["disclosures"]} == {place}, "lines, and nothing personal"
        own = await scene.get(f"/v1/proofs/{record}.zip", "p00")
        contents = verify_bundle(own.content, scene.policy).contents
        assert (contents.erased, contents.disclosed) == (True, ())
        assert {line.recipient for line in contents.state.lines} == {"p00"}, "its own line is proven for ever"
        answer = await scene.get(f"/v1/proofs/{record}.zip", "bench-a")
        verification = verify_bundle(answer.content, scene.policy)
        assert verification.valid
        assert verification.contents.erased
        assert data["contacts"][0]["value"].encode() not in answer.content


async def test_a_key_that_vanished_without_an_erasure_is_an_alarm(scene):
    async with scene.signing():
        record, _, _ = await scene.consent()
        await scene.complete(record, "consent.recorded")
        await scene.archive.mongo.get_database("vault").get_collection("keys").delete_one({"_id": record})
        answer = await scene.get(f"/v1/proofs/{record}.zip")
        assert (answer.status_code, answer.json()["code"]) == (500, "INTEGRITY")


async def test_what_is_halted_is_the_operators_to_see(scene):
    record, _, _ = await scene.consent()
    promise = await scene.until(f"/v1/proofs/{record}", lambda a: a.json()["origin"])
    reader, place = Reader(scene.archive.mongo), promise.json()
    while (head := await reader.head(place["origin"])).size <= place["index"]:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    # Committed, and the last record of its partition: nothing more will be added to this log.
    await scene.archive.mongo["archive"]["heads"].update_one(
        {"_id": head.origin}, {"$set": {"root": Binary(b"x" * 32)}}
    )
    async with scene.signing():

        def halted(answer):
            return [item for item in answer.json()["obligations"] if item["kind"] == "log.halted"]

        (found,) = halted(await scene.until("/v1/obligations", halted))
        assert (found["kind"], found["owner"], found["refs"]) == ("log.halted", "operator", {"origin": head.origin})
        assert "head's root" in found["cause"]
        assert (await scene.get("/v1/obligations", "bench-c")).status_code == 403


async def test_the_logs_can_be_followed_from_outside(scene):
    async with scene.signing():
        record, _, _ = await scene.consent()
        proof = await scene.complete(record, "consent.recorded")
        (entry,) = [e for e in proof["entries"] if e["kind"] == "consent.recorded"]
        origin = entry["origin"]
        answer = await scene.http.get(f"/log/{origin}/checkpoint")
        checkpoint = open_checkpoint(answer.content, parse_policy(scene.policy)).checkpoint
        assert answer.headers["cache-control"] == "no-cache"
        size, leaves, entries = checkpoint.size, [], []
        for number in range(-(-size // 256)):
            width = width_at(0, number, size)
            tile = await scene.http.get(f"/log/{origin}/{Tile(0, number, width).path()}")
            leaves += split_hashes(tile.content)
            assert ("immutable" in tile.headers["cache-control"]) is (width == 256)
            path = f"/log/{origin}/{Tile(ENTRIES, number, width).path()}"
            assert (await scene.http.get(path)).status_code == 401
            assert (await scene.get(path, "p00")).status_code == 403
            bundle = await scene.get(path, "bench-c")
            assert bundle.headers["cache-control"].startswith("private")
            entries += decode_bundle(bundle.content)
        assert CompactRange().extend(leaves).root() == checkpoint.root
        assert [leaf_hash(data) for data in entries] == leaves
        assert base64.b64decode(entry["entry"]) == entries[entry["index"]]
        for missing in ("tile/0/999", "tile/9/000.p/1", "tile/0/0", "x", "", f"tile/0/{size // 256:03d}.p/255"):
            found = await scene.http.get(f"/log/{origin}/{missing}")
            assert found.status_code == 404 or (missing.endswith("255") and size % 256 == 255), missing
        assert (await scene.http.get("/log/nobody/checkpoint")).status_code == 404


async def test_both_are_ready_and_the_bundle_is_a_plain_zip(scene):
    async with scene.signing():
        async with asyncio.timeout(30):
            while (await ready(scene.archive.app))["problems"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            while (await ready(scene.signer.app))["problems"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        record, _, _ = await scene.consent()
        await scene.complete(record, "consent.recorded")
        answer = await scene.get(f"/v1/proofs/{record}.zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            assert {"manifest.json", "entries/000.bin", "entries/000.tlog-proof"} <= set(archive.namelist())
