"""`opposable evidence` as a process, against the archive over HTTP; and the proof that then holds what was sent."""

import asyncio
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import uuid

import pytest
import uvicorn

from services.proof_archive.app import build
from shared.local_engines.plan import ROOT
from shared.provisioning import provision
from tests.integration.archive.test_archive_service import Scene, documents
from tests.integration.evidence.test_evidence_service import consent_with

pytestmark = pytest.mark.engines


@contextlib.asynccontextmanager
async def served(app):
    """The archive's HTTP on a free port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(40):
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def test_files_are_sent_listed_and_fetched(kafka, mongo_uri, tmp_path):
    scene = Scene(tmp_path, kafka, mongo_uri)
    await provision(scene.settings, registry_documents=list(documents()))
    await build(scene.archive)
    await scene.archive.start()
    await scene.vault.prepare()
    files = [tmp_path / "voix.wav", tmp_path / "écran.png"]
    for number, file in enumerate(files):
        file.write_bytes(uuid.uuid4().bytes * (5000 + number))
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    async with scene.signing(), served(scene.archive.app) as url:
        record = await consent_with(scene, *(file.read_bytes() for file in files))
        environment = {
            **os.environ, "KAFKA_BOOTSTRAP_SERVERS": kafka, "OPPOSABLE_PROOF_ARCHIVE_URL": url,
            "OPPOSABLE_API_KEY": "key of bench-a",
        }  # fmt: skip

        async def opposable(*words, code=0, lang="en", **changes):
            done = await asyncio.to_thread(
                subprocess.run, [sys.executable, "-m", "services.cli.main", "--lang", lang, "evidence", *map(str, words)],
                cwd=ROOT, capture_output=True, text=True, env=environment | changes, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == code, done.stderr + done.stdout
            return done.stdout if "--json" not in words else json.loads(done.stdout)

        owed = {row["sha256"]: row for row in (await opposable("owed", "--json"))["owed"]}
        assert {owed[sha256]["record"] for sha256 in hashes} == {record}
        sent = await opposable("put", *files, "--json")
        assert [(line["status"], line["sha256"]) for line in sent] == [("stored", sha256) for sha256 in hashes]
        said = await opposable("put", *files, lang="fr")
        assert said.count("déjà présente") == 2
        owed = {row["sha256"] for row in (await opposable("owed", "--json"))["owed"]}
        assert not owed & set(hashes)
        assert "recording" not in await opposable("owed")
        out = tmp_path / "back.bin"
        await opposable("get", hashes[0], "--output", out)
        assert out.read_bytes() == files[0].read_bytes()
        stranger = tmp_path / "stranger"
        stranger.write_bytes(b"nobody cites this")
        (line,) = await opposable("put", stranger, "--json", code=1)
        assert (line["status"], line["code"]) == ("refused", "FORBIDDEN")
        out.unlink()
        await opposable("get", hashes[0], "--output", out, code=1, OPPOSABLE_API_KEY="key of p00")
        assert not out.exists()
        await opposable("put", tmp_path / "absent", code=2)
        await opposable("owed", code=2, OPPOSABLE_PROOF_ARCHIVE_URL="http://127.0.0.1:9")
    await scene.http.aclose()
    await scene.archive.stop()
