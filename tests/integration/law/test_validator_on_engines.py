"""The consent validator on a real Kafka: verdicts by the registry's current end, poison put aside, sealed parts untouched."""

import asyncio
import contextlib
import json
import uuid
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from services.consent_validator.app import build
from services.consent_validator.settings import ValidatorSettings
from shared.contracts.envelope import Envelope
from shared.contracts.types import instant
from shared.intake.accept import accept
from shared.kafka.publisher import Outgoing, Publisher
from shared.kafka.reading import find_partitions
from shared.provisioning import provision
from shared.registry.hashing import list_hash
from shared.registry.load import load_dir, view_of
from shared.registry.publish import publish
from shared.service import Context
from shared.verdicts import said

pytestmark = pytest.mark.engines
CASES = Path(__file__).resolve().parents[2] / "cases"
DOCUMENTS = load_dir(CASES / "registry")
BASE = json.loads((CASES / "public.jsonl").read_text("utf-8").splitlines()[0])["input"]


@pytest.fixture
def settings(kafka, mongo_uri, tmp_path):
    (tmp_path / "operator-token").write_text("secret")
    return ValidatorSettings(
        KAFKA_BOOTSTRAP_SERVERS=kafka, MONGODB_URI=mongo_uri, secrets_dir=tmp_path, state_dir=tmp_path
    )


@contextlib.asynccontextmanager
async def running(settings):
    context = Context("consent_validator", settings)
    await build(context)
    await context.start()
    try:
        yield context
    finally:
        await context.stop()


@pytest.fixture
async def publisher(settings):
    await provision(settings, registry_documents=[(d.key, d.body) for d in DOCUMENTS])
    one = Publisher(settings, "collector")
    await one.start()
    yield one
    await one.stop()


def consent(**changes):
    """(record, value): an internal event as the collector writes it."""
    data = {**BASE["data"], "consent_id": str(uuid.uuid4()), **changes}
    accepted = accept(
        Envelope(BASE["ce"]["id"], "ludibrume", BASE["ce"]["type"]), orjson.dumps(data), party="ludibrume",
        received_at=instant(BASE["received_at"]), registry=view_of(DOCUMENTS),
    )  # fmt: skip
    return accepted.record_id, orjson.dumps({"facts": accepted.facts, "sealed": "b3BhcXVl"})


async def found(settings, topic, match, seconds=30):
    """The first record of a topic that matches."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(await find_partitions(settings.kafka_bootstrap_servers, [topic]))
        async with asyncio.timeout(seconds):
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        if match(record):
                            return record
    finally:
        await consumer.stop()


async def verdict(settings, record):
    return await found(settings, "verdicts", lambda r: r.key == record.encode())


async def test_verdict_with_poison_and_conflicts_around_it(settings, publisher):
    record, value = consent()
    poison = b"{broken " + uuid.uuid4().hex.encode()
    conflict = orjson.dumps({"facts": {"kind": "consent.conflict", "record": record}})
    async with running(settings):
        await publisher.send_all(
            [Outgoing("consents", b"k", v, partition=0) for v in (poison, conflict, value, b"null")]
        )
        stored = await verdict(settings, record)
        letter = await found(settings, "dead", lambda r: r.value == poison)
    body = orjson.loads(stored.value)
    facts = said(body)
    assert body["sealed"] == "b3BhcXVl"
    assert facts["registry_offset"] >= len(DOCUMENTS) - 1
    # The cases' registry was archived today, the consent is of June 2026: dates typed by hand prove nothing.
    assert facts["lines"][0]["reasons"] == ["EVIDENCE-LATE"]
    assert all(reference["offset"] >= 0 and reference["archived_at"] for reference in facts["references"])
    assert dict(letter.headers)["opposable-error-code"] == b"FACTS"


async def test_a_list_published_a_moment_before_is_known(settings, publisher):
    """Whatever the feed has read so far: unknown is said only after reading to the registry's current end."""
    body = dict(next(d.body for d in DOCUMENTS if d.key == "list:ludibrume-partenaires:1"))
    async with running(settings):
        for round_ in range(5):
            body["version"] = 1000 + uuid.uuid4().int % 10**6
            body["sha256"] = list_hash(body)
            record, value = consent(recipient_list={k: body[k] for k in ("id", "version", "sha256")})
            await publish(settings, [(f"list:{body['id']}:{body['version']}", body)])
            await publisher.send_all([Outgoing("consents", record.encode(), value)])
            facts = said(orjson.loads((await verdict(settings, record)).value))
            assert "LIST-UNKNOWN" not in facts["lines"][0]["reasons"], round_
        unknown = {"id": "ludibrume-partenaires", "version": 999, "sha256": "0" * 64}
        record, value = consent(recipient_list=unknown)
        await publisher.send_all([Outgoing("consents", record.encode(), value)])
        facts = said(orjson.loads((await verdict(settings, record)).value))
        assert "LIST-UNKNOWN" in facts["lines"][0]["reasons"]
