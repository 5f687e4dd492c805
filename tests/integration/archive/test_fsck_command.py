"""`opposable fsck` as people and programs run it."""

import asyncio
import json

import pytest
from bson.binary import Binary
from typer.testing import CliRunner

from services.cli.main import build
from services.proof_archive.log.rows import row_id
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.trust import policy_text
from shared.provisioning import provision
from tests.fakes.archive_world import BUNDLE_SEED, SEED, ArchiveWorld

pytestmark = pytest.mark.engines


@pytest.fixture
def altered(kafka, mongo_uri, tmp_path):
    """A system's directory, and a function that alters entry 3 of its only log."""
    found = {}

    async def make():
        async with ArchiveWorld(kafka, mongo_uri, tmp_path) as world:
            await provision(world.settings)
            topic = await world.topic()
            await world.publish(topic, 10)
            await (await (await world.instance((topic, 0))).claim()).drain()
            await world.signing().round()
            head = await world.reader.head(world.origin(topic))
            found.update(log=head.log, deployment=world.deployment)

    async def alter():
        async with ArchiveWorld(kafka, mongo_uri, tmp_path) as world:
            key = {"_id": row_id(found["log"], 3)}
            await world.db.entries.update_one(key, {"$set": {"bytes": Binary(b"altered")}})

    asyncio.run(make())
    (tmp_path / "secrets").mkdir()
    (tmp_path / "policy").write_text(policy_text(found["deployment"], SEED, BUNDLE_SEED))
    Endpoints(kafka, mongo_uri, tmp_path / "secrets", found["deployment"]).write(tmp_path)
    return tmp_path, lambda: asyncio.run(alter())


def fsck(directory, *options, lang="en"):
    words = ["fsck", "--data-dir", str(directory), *options]
    return CliRunner().invoke(build(words), ["--lang", lang, *words])


def test_exit_codes_sentences_and_json(altered):
    directory, alter = altered
    result = fsck(directory)
    assert result.exit_code == 0, result.output
    assert "1 logs, 10 entries, 1 signed checkpoints, 10 records of Kafka compared: everything holds" in result.output
    alter()
    result = fsck(directory, lang="fr")
    assert result.exit_code == 1
    assert "entry 3" in result.output
    assert "2 anomalies" in result.output  # the entry, and the record of its offset that no entry names any more
    result = fsck(directory, "--json", "--no-kafka")
    assert result.exit_code == 1
    report = json.loads(result.output)
    assert report["ok"] is False
    assert [(f["code"], f["place"]) for f in report["logs"][0]["findings"]] == [("ENTRY-ALTERED", "entry 3")]


def test_a_trust_file_that_cannot_be_used_is_named(altered):
    directory, _ = altered
    (directory / "policy").unlink()
    result = fsck(directory)
    assert type(result.exception).__name__ == "ConfigurationError"
    assert "--policy" in str(result.exception)
