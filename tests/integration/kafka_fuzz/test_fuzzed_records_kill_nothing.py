"""Whatever stands on a topic, no service dies of it, what nobody can use is in `dead` with its reason, and its neighbours flow.

Records are made by hypothesis: any bytes, keys and headers, and things that nearly are events. Two kinds are left out, since they
must halt their group rather than be skipped: what is sealed under a key that the vault never had, and any fault on `erasures`.
"""

import asyncio
import os

import httpx
import hypothesis
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from hypothesis import strategies as st

from services.cli.target import settings_of
from shared import topics
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.partner_rights import STOP_REQUESTED
from shared.kafka.reading import find_partitions
from tests.e2e.partner import Partner, consent, stop

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]
EACH = 12
"""Records for each topic and example."""
TYPES = sorted({event.name for event in CATALOGUE} - {STOP_REQUESTED})
"""A stop is understood however little it says: it is no bad record."""
KINDS = ("consent.recorded", "consent.assessed", "stop.recorded", "request.received", "order.acknowledged", "notice.given",
         "data.transferred", "contact.attempted", "no.kind", "")  # fmt: skip
PARTNERS = ("in.acme.consents", "in.acme.rights", topics.IN_PLATFORM_RIGHTS.name)
READ = tuple(t.name for t in (topics.CONSENTS, topics.VERDICTS, topics.STOPS, topics.REQUESTS, topics.REPORTS))
KEPT = tuple(t.name for t in (topics.DELIVERIES, topics.MESSAGES, topics.REASSESSMENTS, topics.REGISTRY))
"""Here a bad record is archived by its hash, ignored and said, or put aside: whichever, nothing stops."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6,
)  # fmt: skip
FIELDS = ("record", "stop", "request", "order", "source", "event_id", "received_at", "lines", "to", "at", "right", "status",
          "channel", "collector", "contact_types", "identity", "ruleset_seq")  # fmt: skip


@st.composite
def internal(draw):
    facts = draw(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6))
    body = {"facts": {**facts, "kind": draw(st.sampled_from(KINDS))}}
    return {
        **body,
        **draw(st.sampled_from([{}, {"sealed": "no base64 !"}, {"sealed": 7}, {"facts": []}, {"facts": None}])),
    }


def as_json(value):
    import json  # noqa: PLC0415 - NaN and huge integers as Python writes them: orjson would refuse to

    return json.dumps(value).encode()


values = (
    st.none() | st.binary(max_size=60) | json_values.map(as_json) | internal().map(as_json)
    | st.sampled_from([b"", b"{", b"[" * 5000, b'"\\ud800"', b'{"facts":{"kind":"stop.recorded"}}', b"\xff\xfe{}"])
)  # fmt: skip
names = st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "content-type", "traceparent",
                         "opposable-topic", "X"])  # fmt: skip
contents = st.binary(max_size=20) | st.sampled_from(
    [b"acme", b"platform", b"1.0", b"application/json", b"application/cloudevents+json", *(t.encode() for t in TYPES)]
)
headers = st.lists(st.tuples(names, contents), max_size=7)
records = st.tuples(values, st.none() | st.binary(max_size=20), headers)


@pytest.fixture(scope="module")
def at(system):
    return system.wait_ready()


async def strew(at, made):
    """Publish the records in turn on every topic; where each stands, by topic."""
    producer = AIOKafkaProducer(bootstrap_servers=at.kafka)
    await producer.start()
    where = {}
    try:
        for index, topic in enumerate((*PARTNERS, *READ, *KEPT)):
            for value, key, heads in made[index * EACH : (index + 1) * EACH]:
                stored = await producer.send_and_wait(topic, value=value, key=key or b"", headers=heads)
                where.setdefault(topic, set()).add((stored.partition, stored.offset))
    finally:
        await producer.stop()
    return where


async def put_aside(at, wanted):
    """Read `dead` until it holds all of these; those still missing when time is up."""
    consumer = AIOKafkaConsumer(bootstrap_servers=at.kafka, auto_offset_reset="earliest")
    await consumer.start()
    missing = set(wanted)
    try:
        partitions = await find_partitions(settings_of(at), ["dead"])
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async with asyncio.timeout(90):
            while missing:
                for batch in (await consumer.getmany(timeout_ms=300)).values():
                    for record in batch:
                        said = dict(record.headers)  # ours stand last
                        assert said["opposable-error-code"]
                        missing.discard((said["opposable-topic"].decode(), int(said["opposable-partition"]),
                                         int(said["opposable-offset"])))  # fmt: skip
    except TimeoutError:
        pass
    finally:
        await consumer.stop()
    return missing


async def neighbours_flow(at):
    """A consent is accepted, told to whom it names, and withdrawn, after all that."""
    partner = Partner(at)
    email = f"voisine.{os.urandom(4).hex()}@courriel.example"
    record = await partner.consent(consent(email))
    (told,) = await partner.permissions("canalvert", record)
    assert told["record"] == record
    name = await partner.stop(stop([("email", email)]))
    assert await partner.orders("canalvert", name)


async def alive(at):
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        for name, service in at.services.items():
            os.kill(service.pid, 0)
            if service.url:
                answer = await http.get(f"{service.url}/health/ready")
                assert answer.status_code == 200, (name, answer.text)


@hypothesis.settings(
    max_examples=2, deadline=None, database=None, phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
@hypothesis.given(made=st.lists(records, min_size=12 * EACH, max_size=12 * EACH))
def test_fuzzed_records_kill_nothing(at, made):
    async def scenario():
        pids = {name: service.pid for name, service in at.services.items()}
        where = await strew(at, made)
        wanted = {(topic, *place) for topic in (*PARTNERS, *READ) for place in where[topic]}
        missing = await put_aside(at, wanted)
        assert not missing, sorted(missing)
        await neighbours_flow(at)
        await alive(at)
        assert pids == {name: service.pid for name, service in at.services.items()}

    asyncio.run(scenario())
