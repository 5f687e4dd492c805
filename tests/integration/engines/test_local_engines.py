"""Real Kafka and mongod of a data directory: a record stays through restarts, new ports and kill -9."""

import json
import signal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from shared.errors import ConfigurationError, Unavailable
from shared.local_engines import noida
from shared.local_engines.choose import Wishes
from shared.local_engines.engine import KAFKA, MONGODB
from shared.local_engines.plan import Plan
from shared.local_engines.supervisor import Supervisor
from shared.provisioning import provision
from shared.settings import Settings
from tests.engine_source import OWN, own_engines
from tests.integration.engines.dummies import all_gone, wait_until

pytestmark = pytest.mark.engines


async def make_topic(bootstrap, name):
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    answer = await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    assert [error for _, error, *_ in answer.topic_errors] == [0]


async def send(bootstrap, topic, *values):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def read_all(bootstrap, topic):
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        values = []
        while len(values) < end:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                values += [record.value for record in batch]
        return values


def collection(client):
    return client.kept.things


async def test_data_stays_through_a_restart_on_the_same_directory_and_on_new_ports(tmp_path):
    with own_engines(tmp_path / "d", KAFKA, MONGODB) as system:
        first = system.endpoints()
        await make_topic(first.kafka, "kept")
        await send(first.kafka, "kept", b"1", b"2")
        with MongoClient(first.mongodb) as client:
            collection(client).insert_one({"_id": 1})
        cluster = (tmp_path / "d/kafka/data/meta.properties").read_text()

        system.stop()
        assert all_gone(first.engines.values())
        again = system.start()
        assert (again.kafka, again.mongodb) == (first.kafka, first.mongodb)
        await send(again.kafka, "kept", b"3")

        system.stop()
        ports = json.loads((tmp_path / "d/ports.json").read_text())
        (tmp_path / "d/ports.json").unlink()
        moved = system.start()
        assert not set(ports.values()) & set(json.loads((tmp_path / "d/ports.json").read_text()).values())
        assert await read_all(moved.kafka, "kept") == [b"1", b"2", b"3"]
        await make_topic(moved.kafka, "new")  # the controller, whose port moved too, still decides
        assert (tmp_path / "d/kafka/data/meta.properties").read_text() == cluster
        with MongoClient(moved.mongodb) as client:
            assert collection(client).find_one() == {"_id": 1}
            collection(client).insert_one({"_id": 2})


async def test_engines_killed_hard_come_back_where_they_were_with_what_they_had_confirmed(tmp_path):
    with own_engines(tmp_path / "d", KAFKA, MONGODB) as system:
        at = system.endpoints()
        await make_topic(at.kafka, "kept")
        await send(at.kafka, "kept", *(b"%d" % n for n in range(100)))
        with MongoClient(at.mongodb, serverSelectionTimeoutMS=30_000) as client:
            collection(client).insert_many([{"_id": n} for n in range(100)])
            for engine in (KAFKA, MONGODB):
                system.kill(engine)
            for engine, pid in at.engines.items():
                wait_until(lambda engine=engine, pid=pid: system.pid(engine) not in {None, pid})
                assert system.restarts(engine) == 1
            assert collection(client).count_documents({}) == 100
        wait_until(lambda: _listens(at.kafka))
        assert await read_all(at.kafka, "kept") == [b"%d" % n for n in range(100)]
        now = system.endpoints()
        assert (now.kafka, now.mongodb) == (at.kafka, at.mongodb)
        assert all_gone(at.engines.values())


def _listens(bootstrap):
    import socket  # noqa: PLC0415

    host, port = bootstrap.split(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


def test_an_engine_held_down_stays_down_until_released(tmp_path):
    with own_engines(tmp_path / "d", MONGODB) as system:
        uri = system.endpoints().mongodb
        system.hold(MONGODB)
        assert system.pid(MONGODB) is None
        system.release(MONGODB)
        with MongoClient(uri, serverSelectionTimeoutMS=30_000) as client:
            assert client.admin.command("ping")["ok"] == 1
        assert system.restarts(MONGODB) == 1


def test_a_port_that_is_taken_is_said_and_nothing_stays(tmp_path):
    with own_engines(tmp_path / "one", MONGODB) as system:
        port = int(system.endpoints().mongodb.split(":")[2].split("/")[0])
        other = Supervisor(
            Plan(data_dir=tmp_path / "two", engines=(MONGODB,), wishes=Wishes(mongo_port=port, use_environment=False))
        )
        with pytest.raises(ConfigurationError, match=f"port {port}"):
            other.start()
        with pytest.raises(ConfigurationError, match="not started"):
            other.endpoints()


def test_an_engine_that_cannot_start_says_its_last_words(tmp_path):
    data = tmp_path / "d/mongo/data"
    data.mkdir(parents=True)
    (data / "WiredTiger").write_text("not a database")
    (data / "storage.bson").write_bytes(b"nonsense")
    system = Supervisor(Plan(data_dir=tmp_path / "d", engines=(MONGODB,), wishes=OWN))
    with pytest.raises(Unavailable, match="mongodb ends before it is ready"):
        system.start()


async def test_the_stand_in_carries_a_demonstration(tmp_path, monkeypatch):
    """noida-db takes our topics, header bytes and idempotent producer, and keeps records through a polite stop."""
    try:
        noida.find_binary()
    except ConfigurationError as error:
        pytest.skip(str(error))
    monkeypatch.delenv("OPPOSABLE_REQUIRE_KAFKA", raising=False)
    (tmp_path / "d/kafka/memory").mkdir(parents=True)
    plan = Plan(data_dir=tmp_path / "d", engines=(KAFKA,), wishes=Wishes(use_environment=False))
    with Supervisor(plan) as system:
        at = system.endpoints()
        settings = Settings(KAFKA_BOOTSTRAP_SERVERS=at.kafka, secrets_dir=at.secrets_dir)
        party = {"kind": "party", "id": "acme", "legal_name": "ACME"}
        report = await provision(settings, registry_documents=[("party:acme", party)])
        assert {"consents", "in.acme.consents", "dead"} <= set(report.created)
        async with AIOKafkaProducer(bootstrap_servers=at.kafka, acks="all", enable_idempotence=True) as producer:
            await producer.send_and_wait("in.acme.consents", b"v", headers=[("null", None), ("odd", b"\xff")])
    with Supervisor(plan) as system:
        bootstrap = system.endpoints().kafka
        assert bootstrap == at.kafka
        assert await read_all(bootstrap, "in.acme.consents") == [b"v"]


def test_signals_reach_the_engine_itself(tmp_path):
    """The tether becomes the command: the process id we know is mongod's own."""
    with own_engines(tmp_path / "d", MONGODB) as system:
        pid = system.pid(MONGODB)
        system.kill(MONGODB, signal.SIGTERM)
        assert all_gone([pid])
        log = (tmp_path / "d/mongo/mongod.log").read_text()
        assert "got signal 15" in log or '"signal":15' in log
