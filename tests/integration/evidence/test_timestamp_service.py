"""Timestamps by a real (openssl) authority: all checkpoints, joined to bundles, verified by each verifier; an authority away."""

import asyncio
import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from io import BytesIO

import httpx
import pytest
from openssl_tsa import OpensslTsa

from services.proof_archive import signer
from services.proof_archive.app import build
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.store import Store
from services.proof_archive.settings import SignerSettings
from services.proof_archive.timestamps.authority import Authority
from services.proof_archive.timestamps.kept import KeptStamps, obligation_of
from services.proof_archive.timestamps.stamping import Stamping
from services.proof_archive.verifier import verify_opposable
from services.proof_archive.verifying.verify import verify_bundle
from shared.errors import IntegrityError
from shared.instants import parse_instant
from shared.provisioning import provision
from tests.integration.archive.test_archive_service import Scene, documents

pytestmark = pytest.mark.engines
SINGLE_FILE = verify_opposable.__file__


@pytest.fixture(scope="module", params=["RSA", "EC"])
def tsa(request, tmp_path_factory):
    one = OpensslTsa(tmp_path_factory.mktemp("tsa"), request.param)
    yield one
    one.close()


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


def stamping(scene, tsa, interval_s=3600.0):
    mongo, deployment = scene.archive.mongo, scene.deployment
    return Stamping(
        Authority.of(tsa.url, tsa.folder / "root.pem"), KeptStamps(mongo, deployment), reader=Reader(mongo),
        store=Store(mongo), deployment=deployment, interval_s=interval_s, clock=scene.archive.clock, log=scene.archive.log,
    )  # fmt: skip


def trust(scene, tsa):
    return f"{scene.policy}# timestamp-authority horloge sha256:{hashlib.sha256(tsa.certificate).hexdigest()}\n"


async def test_the_first_and_the_newest_timestamp_are_joined_and_believed(scene, tsa, tmp_path):
    stamps = stamping(scene, tsa)
    async with scene.signing(), httpx.AsyncClient(trust_env=False) as client:
        record, event, _ = await scene.consent()
        await scene.complete(record, "consent.recorded")
        assert await stamps.round(client)
        assert not await stamps.round(client)  # nothing has grown
        asked = tsa.asked
        await scene.verdict(event)
        await scene.complete(record, "consent.assessed", "form")
        bundle = (await scene.get(f"/v1/proofs/{record}.zip")).content
        contents = verify_bundle(bundle, trust(scene, tsa)).contents
        assert not contents.independent  # the verdict came after the timestamp
        times = {entry.kind: entry.timestamped for entry in contents.entries}
        assert times["consent.recorded"]
        assert times["consent.assessed"] is None
        assert await stamping(scene, tsa).round(client)  # another process
        assert tsa.asked == asked + 1
        bundle = (await scene.get(f"/v1/proofs/{record}.zip")).content
    verification = verify_bundle(bundle, trust(scene, tsa))
    assert verification.valid, verification.problems
    contents = verification.contents
    late = [(e.kind, e.timestamped) for e in contents.entries if e.timestamped is None]
    assert contents.independent, (late, [item.verified for item in contents.timestamps])
    assert [(item.authority, item.verified) for item in contents.timestamps] == [("horloge", True)] * 2
    times = {entry.kind: entry.timestamped for entry in contents.entries}
    assert times["consent.recorded"] <= times["consent.assessed"]  # whole seconds
    assert abs((parse_instant(times["consent.assessed"]) - datetime.now(UTC)).total_seconds()) < 120
    assert {item.reason for item in verify_bundle(bundle, scene.policy).contents.timestamps} == {"authority"}

    (tmp_path / "proof.zip").write_bytes(bundle)
    (tmp_path / "policy").write_text(trust(scene, tsa))
    command = [sys.executable, "-I", SINGLE_FILE, tmp_path / "proof.zip", "--policy", tmp_path / "policy", "--json"]
    alone = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    assert json.loads(alone.stdout) == json.loads(json.dumps(verification.as_dict()))
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        archive.extractall(tmp_path / "bundle")
    for token in (tmp_path / "bundle" / "timestamps").glob("*.tsr"):  # and openssl itself believes what we keep of it
        await asyncio.to_thread(
            subprocess.run,
            ["openssl", "ts", "-verify", "-data", token.with_suffix(".json"), "-in", token, "-CAfile", tsa.folder / "root.pem"],
            check=True, capture_output=True,
        )  # fmt: skip


async def test_an_authority_that_is_away_is_an_obligation(scene, tsa):
    stamps = stamping(scene, tsa)
    async with scene.signing(), httpx.AsyncClient(trust_env=False) as client:
        record, _, _ = await scene.consent()
        await scene.complete(record, "consent.recorded")
        tsa.up = False
        try:
            delays = [await stamps.step(client) for _ in range(3)]
        finally:
            tsa.up = True
        assert delays == [5.0, 10.0, 20.0]
        rows = (await scene.get("/v1/obligations")).json()["obligations"]
        (row,) = [row for row in rows if row["id"] == obligation_of(scene.deployment)]
        assert (row["kind"], row["owner"], row["cause"]) == (
            "timestamp.late", "operator", "the timestamp authority answers 503",
        )  # fmt: skip
        assert row["next_at"] > row["opened_at"]
        assert await stamps.step(client) == 3600.0
        rows = (await scene.get("/v1/obligations")).json()["obligations"]
        assert obligation_of(scene.deployment) not in {row["id"] for row in rows}
        assert (await scene.get(f"/v1/proofs/{record}.zip")).status_code == 200


async def test_a_bad_answer_is_not_kept(scene, tsa, tmp_path):
    other = OpensslTsa(tmp_path, "RSA")
    try:
        async with scene.signing(), httpx.AsyncClient(trust_env=False) as client:
            record, _, _ = await scene.consent()
            await scene.complete(record, "consent.recorded")
            stranger = Authority.of(other.url, tsa.folder / "root.pem")
            with pytest.raises(IntegrityError, match="TSA_CA_FILE"):
                await stranger.stamp(client, b"statement", datetime.now(UTC))
            with pytest.raises(IntegrityError, match="clock"):
                await Authority.of(other.url, None).stamp(client, b"statement", datetime(2020, 1, 1, tzinfo=UTC))
            reply = other.answer
            first = reply((other.folder / "query").read_bytes())
            other.answer = lambda _query: first
            with pytest.raises(IntegrityError, match="question"):
                await Authority.of(other.url, None).stamp(client, b"statement", datetime.now(UTC))
            other.answer = lambda _query: b"<html>"
            with pytest.raises(IntegrityError, match="cannot be used"):
                await Authority.of(other.url, None).stamp(client, b"statement", datetime.now(UTC))
            assert await KeptStamps(scene.archive.mongo, scene.deployment).newest() == []
    finally:
        other.close()


async def test_the_signer_timestamps_by_itself(scene, tsa):
    values = scene.signer_settings.model_dump() | {"tsa_url": tsa.url, "tsa_interval_s": 0.2}
    scene.signer_settings = SignerSettings.model_construct(**values)
    async with scene.signing():
        assert signer
        record, _, _ = await scene.consent()
        await scene.complete(record, "consent.recorded")
        async with asyncio.timeout(40):
            while not await KeptStamps(scene.archive.mongo, scene.deployment).newest():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
