"""A client that shares no code with us: Apache Kafka's Java console producer and consumer, straight from its jars."""

import asyncio
import json
import shutil
import subprocess
import uuid

import pytest

from shared.local_engines.jars import cache_dir, present
from tests.e2e.kafka_access import java_properties
from tests.e2e.partner import Partner, consent, stop

pytestmark = [pytest.mark.engines, pytest.mark.java, pytest.mark.timeout(180)]
JAVA_FLAGS = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


@pytest.fixture
def partner(example_system):
    if shutil.which("java") is None or present(cache_dir()) is None:
        pytest.skip("no JDK, or Kafka's jars are not here: the Java console tools cannot run")
    return Partner(example_system.wait_ready())


def java(tool, *args, text=None):
    """Run one Java tool to its end; its standard output."""
    command = ["java", *JAVA_FLAGS, "-cp", f"{present(cache_dir())}/*", tool, *args]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def as_party(partner, tmp_path):
    """A properties file with the credentials of one party."""

    def write(party):
        path = tmp_path / f"{party}.properties"
        path.write_text(java_properties(partner.at, party))
        return path

    return write


def produce(kafka, properties, topic, event_id, kind, data):
    headers = f"ce_specversion:1.0,ce_id:{event_id},ce_source:acme,ce_type:{kind},content-type:application/json"
    java(
        "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", kafka, "--topic", topic,
        "--command-config", str(properties), "--reader-property", "parse.key=true", "--reader-property", "parse.headers=true",
        "--reader-property", "key.separator=|", "--reader-property", "headers.delimiter=|",
        text=f"{headers}|{event_id}|{json.dumps(data)}\n",
    )  # fmt: skip


async def test_java_publishes_a_consent_and_a_stop_and_reads_the_order(partner, as_party):
    kafka, email = partner.at.kafka, f"java.{uuid.uuid4().int % 10**8}@courriel.example"
    data, withdrawal = consent(email), stop([("email", email)])
    consent_id = data["consent_id"]
    produce_in, acme = asyncio.to_thread, as_party("acme")
    await produce_in(
        produce, kafka, acme, "in.acme.consents", f"j-{consent_id}", "opposable.consent.collected.v1", data
    )
    (told,) = await partner.permissions("canalvert", f"acme/{consent_id}")
    assert told["basis"] == "consent"
    await produce_in(
        produce, kafka, acme, "in.acme.rights", withdrawal["stop_id"], "opposable.stop.requested.v1", withdrawal
    )
    await partner.orders("canalvert", f"acme/{withdrawal['stop_id']}")
    out = await asyncio.to_thread(
        java, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", kafka,
        "--command-config", str(as_party("canalvert")), "--group", "canalvert.java", "--topic", "out.canalvert.withdrawals", "--from-beginning", "--timeout-ms", "8000", "--formatter-property",
        "print.headers=true", "--formatter-property", "print.key=true",
    )  # fmt: skip
    orders = [line for line in out.splitlines() if consent_id in line]
    assert orders
    headers, key, value = orders[0].split("\t")
    order = json.loads(value)
    assert "ce_type:opposable.stop.ordered.v1" in headers
    assert key == order["order_id"]
    assert order["stop_id"] == f"acme/{withdrawal['stop_id']}"
    assert email not in out
