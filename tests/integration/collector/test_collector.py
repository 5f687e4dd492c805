"""The collector on real engines: what each input becomes, and what its sender is told."""

import asyncio
import base64
import contextlib
import uuid

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from services.collector.app import build
from services.collector.handlers import Intake
from services.collector.settings import CollectorSettings
from shared import canonical
from shared.crypto.sealing import unseal
from shared.kafka.publisher import Outgoing, Publisher
from shared.kafka.reading import find_partitions
from shared.kafka.record import StoredRecord
from shared.provisioning import provision
from shared.service import Context
from shared.vault import Vault
from tests.bench import world

pytestmark = pytest.mark.engines
CONSENT, STOP = "opposable.consent.collected.v1", "opposable.stop.requested.v1"
KEK = b"k" * 32


@pytest.fixture
def settings(kafka, mongo_uri, tmp_path):
    (tmp_path / "kek").write_bytes(KEK)
    (tmp_path / "operator-token").write_text("secret")
    return CollectorSettings(
        KAFKA_BOOTSTRAP_SERVERS=kafka, MONGODB_URI=mongo_uri, secrets_dir=tmp_path, state_dir=tmp_path
    )


class World:
    """The collector running, a publisher as the partner, and readers of what comes out since the test began."""

    def __init__(self, settings):
        self.settings = settings
        self.publisher = Publisher(settings, "partner")
        self.context = None

    async def send(self, value, headers=(), *, topic="in.bench-a.consents"):
        await self.publisher.send_all([Outgoing(topic, b"k", value, tuple(headers))])

    async def read(self, topic, match, count=1, seconds=20):
        """The first `count` records of a topic, from its beginning, that match."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            parts = await find_partitions(self.settings.kafka_bootstrap_servers, [topic])
            consumer.assign(parts)
            found = []
            async with asyncio.timeout(seconds):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found += [r for r in records if match(r)]
            return found
        finally:
            await consumer.stop()

    async def receipt(self, event_id, count=1):
        found = await self.read("out.bench-a.receipts", lambda r: r.key == event_id.encode(), count)
        return [orjson.loads(r.value) for r in found]


@contextlib.asynccontextmanager
async def running(settings):
    context = Context("collector", settings)
    await build(context)
    await context.start()
    try:
        yield context
    finally:
        await context.stop()


@pytest.fixture
async def scene(settings):
    documents = [
        (f"{d['kind']}:{d['id']}" + (f":{d['version']}" if "version" in d else ""), d) for d in world.documents()
    ]
    documents = [(k, d) for k, d in documents if not k.startswith(("party:p", "agreement:")) or ":p00" in k]
    await provision(settings, registry_documents=documents)
    one = World(settings)
    await one.publisher.start()
    async with running(settings) as context:
        one.context = context
        yield one
    await one.publisher.stop()


def new_event():
    number = uuid.uuid4().int % 10**9
    consent_id, value = world.consent("bench-a", number, "three", f"jeanne.{number}@courriel.example")
    event_id = f"e-{uuid.uuid4().hex[:12]}"
    return event_id, consent_id, value, world.headers("bench-a", event_id, CONSENT)


async def test_accepted_facts_hold_nothing_personal_and_the_seal_opens(scene):
    event_id, consent_id, value, headers = new_event()
    await scene.send(value, headers)
    (receipt,) = await scene.receipt(event_id)
    assert (receipt["status"], receipt["consent_id"]) == ("accepted", consent_id)
    record = f"bench-a/{consent_id}"
    (event,) = await scene.read("consents", lambda r: r.key == record.encode())
    body = orjson.loads(event.value)
    email = orjson.loads(value)["contacts"][0]["value"]
    assert email.encode() not in event.value
    assert b"203.0.113.9" not in event.value
    assert canonical.dumps(body) == event.value
    canonical.check(body["facts"])
    vault = Vault(scene.context.mongo, KEK)
    key = (await vault.read([record]))[record]
    opened = unseal(key, "consent.recorded", record, base64.b64decode(body["sealed"]))
    assert opened["contacts"][0]["value"] == email
    assert set(body["facts"]["commitments"]) >= {
        "/contacts/0/value",
        "/contacts/1/value",
        "/subject_ref",
        "/context/ip",
    }


async def test_duplicate_then_conflict(scene):
    event_id, consent_id, value, headers = new_event()
    await scene.send(value, headers)
    await scene.receipt(event_id)
    await scene.send(value, headers)
    other = orjson.dumps({**orjson.loads(value), "subject_ref": "another"})
    await scene.send(other, headers)
    receipts = await scene.receipt(event_id, 3)
    assert [r["status"] for r in receipts] == ["accepted", "duplicate", "conflict"]
    events = await scene.read("consents", lambda r: r.key == f"bench-a/{consent_id}".encode(), 2)
    kinds = [orjson.loads(e.value)["facts"]["kind"] for e in events]
    assert kinds == ["consent.recorded", "consent.conflict"]


POISON = {
    "null header": (b"{}", [("ce_id", None)], "HEADER-NULL"),
    "not utf-8": (b"{}", [("ce_id", b"\xff\xfe")], "HEADER-ENCODING"),
    "broken json": (b'{"consent_id": ', world.headers("bench-a", "broken", CONSENT), "JSON"),
    "2 MB": (b"[" + b"1," * 1_000_000 + b"1]", world.headers("bench-a", "big", CONSENT), "TOO-LARGE"),
    "wrong party": (b"{}", world.headers("bench-b", "foreign", CONSENT), "IDENTITY"),
    "unknown type": (b"{}", world.headers("bench-a", "unknown", "opposable.nothing.v1"), "TYPE-UNKNOWN"),
    "no value": (b"", world.headers("bench-a", "empty", CONSENT), "EMPTY"),
}


@pytest.mark.parametrize("topic", ["in.bench-a.consents", "in.bench-a.rights"])
@pytest.mark.parametrize("kind", POISON)
async def test_poison_is_answered_and_kept_and_neighbours_flow(scene, kind, topic):
    value, headers, code = POISON[kind]
    mark = uuid.uuid4().hex.encode()
    first, _, good, good_headers = new_event()
    second, _, good2, good_headers2 = new_event()
    await scene.send(good, good_headers, topic=topic)
    await scene.send(value, [*headers, ("mark", mark)], topic=topic)
    await scene.send(good2, good_headers2, topic=topic)
    (dead,) = await scene.read("dead", lambda r: dict(r.headers).get("mark") == mark)
    kept = dict(dead.headers)
    assert (dead.value or b"") == value
    assert kept["opposable-error-code"] == code.encode()
    assert kept["opposable-topic"] == topic.encode()
    for name, header in headers:
        assert kept[name] == header
    at = f"{topic}:0:{kept['opposable-offset'].decode()}"
    claimed = dict(headers).get("ce_id")
    event_id = claimed.decode() if claimed and claimed.isascii() and kind != "not utf-8" else at
    (receipt,) = (await scene.receipt(event_id))[-1:]
    assert receipt["status"] == "rejected"
    assert receipt["problems"][0]["code"] == code
    for event in (first, second):
        assert (await scene.receipt(event))[0]["status"] == "accepted"


async def test_killed_between_vault_and_publish_is_published_after_restart(scene):
    """The guard recognises its own record: accepted, once more, under the stored key."""
    event_id, consent_id, value, headers = new_event()

    class Crash(BaseException):
        pass

    class DyingPublisher:
        async def send_all(self, _messages):
            raise Crash

    context = scene.context
    record = StoredRecord("in.bench-a.consents", 0, 10**9, 1_790_000_000_000, None, value, tuple(headers))
    parts = {"vault": Vault(context.mongo, KEK), "registry": context.registry, "metrics": context.metrics,
             "log": context.log, "max_bytes": 10**6}  # fmt: skip
    with pytest.raises(Crash):
        await Intake(publisher=DyingPublisher(), **parts).process([record])
    key = (await Vault(context.mongo, KEK).read([f"bench-a/{consent_id}"]))[f"bench-a/{consent_id}"]
    await Intake(publisher=context.publisher, **parts).process([record])
    (receipt,) = await scene.receipt(event_id)
    assert receipt["status"] == "accepted"
    assert (await Vault(context.mongo, KEK).read([f"bench-a/{consent_id}"]))[f"bench-a/{consent_id}"] == key
