"""`topics`, `registry`, `dead` and `party` as processes, against a real Kafka that holds nothing but what they put there."""

import asyncio
import base64
import json
import os
import subprocess
import sys

import pytest
import yaml
from aiokafka import AIOKafkaConsumer

from services.cli.party_simulator import Behaviour, SimulatedParty
from services.cli.target import settings_of
from shared import canonical
from shared.contracts.envelope import Envelope, from_headers, to_headers
from shared.contracts.platform import PERMISSION_GRANTED, STOP_ORDERED
from shared.kafka.dead import DeadLetter, to_outgoing
from shared.kafka.publisher import Outgoing, Publisher
from shared.kafka.record import StoredRecord
from shared.local_engines.engine import KAFKA
from shared.local_engines.plan import ROOT
from tests.engine_source import own_engines

pytestmark = pytest.mark.engines

PARTY = {
    "kind": "party", "id": "canalvert", "legal_name": "Canal Vert SA", "siren": "999000029", "country": "FR",
    "roles": ["prospector"], "contact_dpo": "dpo@canalvert.example", "privacy_url": "https://canalvert.example/",
}  # fmt: skip
NOTICE = {"kind": "notice", "id": "mentions", "version": "1", "sha256": "a" * 64, "languages": ["fr"],
          "items": ["controller"]}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data directory where Kafka alone runs."""
    path = tmp_path_factory.mktemp("commands") / "d"
    with own_engines(path, KAFKA) as running:
        running.endpoints().write(path)
        yield path


@pytest.fixture(scope="module")
def endpoints(folder):
    from shared.local_engines.endpoints import Endpoints  # noqa: PLC0415

    return Endpoints.read(folder)


@pytest.fixture
def opposable(folder):
    def call(*words, code=0, as_json=True):
        environment = {k: v for k, v in os.environ.items() if k not in {"KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"}}
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.main", "--lang", "en", *words, "--data-dir", str(folder),
             *(["--json"] if as_json else [])],
            cwd=ROOT, capture_output=True, text=True, env=environment, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout) if as_json and done.stdout else done.stdout + done.stderr

    return call


def write_registry(path, *documents):
    path.mkdir(exist_ok=True)
    (path / "all.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))
    return str(path)


@pytest.fixture
def provisioned(opposable, tmp_path):
    opposable("registry", "apply", write_registry(tmp_path / "registry", PARTY, NOTICE))


def test_topics_from_nothing_to_as_the_table_says(opposable, tmp_path):
    assert "opposable topics apply" in opposable("dead", "list", code=2, as_json=False)
    assert "opposable topics apply" in opposable("party", "list", code=2, as_json=False)
    registry = write_registry(tmp_path / "registry", PARTY | {"id": "acme"})
    missing = {
        one["topic"] for one in opposable("topics", "plan", "--registry", registry, code=1) if one["kind"] == "missing"
    }
    assert {"consents", "registry", "dead", "in.acme.consents", "out.acme.receipts"} <= missing
    created = opposable("topics", "apply", "--registry", registry)["created"]
    assert set(created) == missing
    assert opposable("topics", "plan") == []
    assert "as the table says" in opposable("topics", "plan", as_json=False)
    wrong = opposable("topics", "plan", "--partitions", "5", code=1)
    assert {one["kind"] for one in wrong} == {"partitions"}


def test_registry_publishes_what_changed_and_never_rewrites_a_version(opposable, tmp_path):
    folder = tmp_path / "registry"
    write_registry(folder, PARTY, NOTICE)
    first = opposable("registry", "apply", str(folder))
    assert set(first["published"]) <= {"party:canalvert", "notice:mentions:1"}
    assert opposable("registry", "diff", str(folder))["would_publish"] == []
    write_registry(folder, PARTY | {"legal_name": "Canal Vert Groupe"}, NOTICE)
    said = opposable("registry", "apply", str(folder), as_json=False)
    assert "~ party:canalvert  (/legal_name)" in said
    write_registry(folder, PARTY | {"legal_name": "Other"}, NOTICE | {"sha256": "b" * 64})
    refused = opposable("registry", "apply", str(folder), code=1)
    assert refused["refused"] == [{"key": "notice:mentions:1", "changed": ["/sha256"]}]
    assert [one["legal_name"] for one in opposable("party", "list") if one["id"] == "canalvert"] == [
        "Canal Vert Groupe"
    ]
    said = opposable("registry", "apply", str(folder), code=1, as_json=False)
    assert "give the documents marked ! a new version" in said


async def publish(endpoints, *outgoing):
    publisher = Publisher(settings_of(endpoints), "test")
    await publisher.start()
    await publisher.send_all(outgoing)
    await publisher.stop()


async def read(endpoints, topic):
    async with AIOKafkaConsumer(topic, bootstrap_servers=endpoints.kafka, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        records = []
        while len(records) < sum(ends.values()):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records += batch
        return records


@pytest.mark.usefixtures("provisioned")
async def test_dead_letters_are_listed_shown_replayed_byte_for_byte_and_given_up(opposable, endpoints, tmp_path):
    value, headers = b"\x00\x1b[31m{broken \xff", (("ce_id", b"\xfe"), ("null", None))
    bad = [StoredRecord("in.canalvert.rights", 0, n, 1, b"k\x00%d" % n, value + b"%d" % n, headers) for n in range(3)]
    await publish(endpoints, *(to_outgoing(DeadLetter(one, "JSON", "not JSON")) for one in bad))

    def call(*words, **options):
        return asyncio.to_thread(opposable, "dead", *words, **options)

    letters = await call("list")
    assert {(one["code"], one["topic"], one["offset"], one["bytes"]) for one in letters} == {
        ("JSON", "in.canalvert.rights", n, len(value) + 1) for n in range(3)
    }
    by_offset = {one["offset"]: one["id"] for one in letters}
    shown = await call("show", by_offset[0], "--raw", str(tmp_path / "raw"))
    assert (tmp_path / "raw").read_bytes() == bad[0].value
    assert shown["headers"] == [["ce_id", "\\xfe"], ["null", None]]
    assert shown["value"].isprintable()
    assert "\x1b" not in await call("show", by_offset[0], as_json=False)

    assert await call("replay", by_offset[0]) == {"replayed": [by_offset[0]], "left": 0}
    assert await call("drop", by_offset[1], "--reason", "a test") == {"dropped": [by_offset[1]], "left": 0}
    assert "DEAD-UNKNOWN" in await call("replay", by_offset[0], code=2, as_json=False)
    assert "DEAD-WHICH" in await call("replay", code=2, as_json=False)
    assert [one["offset"] for one in await call("list")] == [2]
    assert {one["resolution"] for one in await call("list", "--resolved")} == {"replayed", "dropped", None}
    (again,) = await read(endpoints, "in.canalvert.rights")
    assert (again.key, again.value, again.headers) == (bad[0].key, bad[0].value, headers)
    settled = [dict(one.headers) for one in await read(endpoints, "dead") if one.value is None]
    assert {one["opposable-reason"] for one in settled} == {b"replayed by the operator", b"a test"}
    assert base64.b64encode(bad[2].key) in {
        dict(one.headers).get("opposable-key") for one in await read(endpoints, "dead")
    }

    await publish(endpoints, *(to_outgoing(DeadLetter(one, "FLOOD", "many")) for one in bad))
    capped = await call("drop", "--code", "FLOOD", "--max", "2", "--reason", "flood")
    assert (len(capped["dropped"]), capped["left"]) == (2, 1)


def order(number, at="2026-09-02T00:00:00.000Z", reminder=0):
    return {"order_id": f"o{number}", "stop_id": "s", "consent_ids": [f"00000000-0000-4000-8000-00000000000{number}"],
            "match_keys": [], "channels": "all", "purposes": "all", "at": at, "kind": "withdrawal",
            "ack_due_at": at, "reminder": reminder}  # fmt: skip


def granted(number):
    consent = f"00000000-0000-4000-8000-00000000000{number}"
    return {"record": f"acme/{consent}", "consent_id": consent, "channel": "email", "purpose": "prospecting",
            "sector": "general", "collected_at": "2026-09-01T00:00:00.000Z", "valid_until": "2099-01-01T00:00:00.000Z",
            "match_keys": []}  # fmt: skip


def event(topic, kind, identity, data):
    return Outgoing(topic, b"k", canonical.dumps(data), tuple(to_headers(Envelope(identity, "platform", kind))))


async def until(party, condition):
    async with asyncio.timeout(20):
        while not condition(party.counts()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def acknowledgements(endpoints):
    found = []
    for record in await read(endpoints, "in.canalvert.rights"):
        if b"order_id" in record.value:
            envelope, data = from_headers(record.headers, record.value)
            assert envelope.source == "canalvert"
            found.append((json.loads(data)["order_id"], json.loads(data)["status"], envelope.id))
    return found


@pytest.mark.usefixtures("provisioned")
async def test_a_simulated_party_folds_answers_and_resumes(endpoints):
    permissions, withdrawals = "out.canalvert.permissions", "out.canalvert.withdrawals"
    settings = settings_of(endpoints)
    await publish(endpoints, event(withdrawals, STOP_ORDERED, "e1", order(1)))  # the stop before its permission
    party = SimulatedParty(settings, "canalvert", Behaviour(status="unknown_person"))
    work = asyncio.create_task(party.run())
    await publish(endpoints, *(event(permissions, PERMISSION_GRANTED, f"p{n}", granted(n)) for n in (1, 2)))
    await publish(endpoints, Outgoing(permissions, None, b"not an event"))
    await until(party, lambda counts: (counts.granted, counts.acknowledged, counts.unreadable) == (2, 1, 1))
    assert (party.counts().allowed, party.counts().waiting) == (1, 0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    first = await acknowledgements(endpoints)
    assert [one[:2] for one in first] == [("o1", "unknown_person")]

    await publish(endpoints, event(withdrawals, STOP_ORDERED, "e2", order(1, reminder=1)),
                  event(withdrawals, STOP_ORDERED, "e3", order(2)))  # fmt: skip
    again = SimulatedParty(settings, "canalvert", Behaviour(delay_s=0.5))
    work = asyncio.create_task(again.run())
    await until(again, lambda counts: counts.waiting == 2)
    await until(again, lambda counts: counts.acknowledged == 2)
    assert (again.counts().allowed, again.counts().orders, again.counts().reminders) == (0, 2, 1)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    answers = await acknowledgements(endpoints)
    assert [one[:2] for one in answers[1:]] == [("o1", "applied"), ("o2", "applied")]
    assert len({one[2] for one in answers}) == 3

    silent = SimulatedParty(settings, "canalvert", Behaviour(silent=True))
    work = asyncio.create_task(silent.run())
    await publish(endpoints, event(withdrawals, STOP_ORDERED, "e4", order(3)))
    await until(silent, lambda counts: counts.orders == 3)
    assert (silent.counts().acknowledged, silent.counts().waiting) == (0, 0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.usefixtures("provisioned")
def test_simulate_prints_what_the_party_knows_and_refuses_a_stranger(opposable):
    said = opposable("party", "simulate", "canalvert", "--silent", "--for", "2", as_json=False)
    assert said.startswith("canalvert: ")
    assert "stop orders" in said
    assert "is nobody a registered party?" in opposable(
        "party", "simulate", "nobody", "--for", "5", code=2, as_json=False
    )


def test_a_kafka_that_does_not_answer_is_said():
    environment = os.environ | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "OPPOSABLE_DATA_DIR": ""}
    done = subprocess.run([sys.executable, "-m", "services.cli.main", "dead", "list"], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 2
    assert "Kafka does not answer" in done.stderr or "Kafka ne répond pas" in done.stderr
    assert "Traceback" not in done.stderr
