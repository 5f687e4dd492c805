"""docker-compose.yml, run: one consent goes all the way, one stop comes all the way back, nothing runs with more power
than it needs, and stopping everything loses nothing.

The tests of this file share one system and go in order: each takes up where the one before left it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.cli.demo_stream import Message
from shared.access.secret_table import OPTIONAL, PARTYS, READS
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.note import open_note
from shared.crypto.policy import Policy, parse_policy
from shared.errors import IntegrityError
from tests.containers import partner
from tests.containers.stack import SERVICES, Stack

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

DEPLOYMENT = "opposable.local"
WAYS = {"in": ("consents", "rights"), "out": ("receipts", "permissions", "withdrawals", "requests")}
PROSPECTORS = {"hibou": 1, "tisane": 2}
"""How many lines the consent grants to each."""


READS_KEYS = """
import os, pathlib, pymongo, sys
who = {"username": os.environ["OPPOSABLE_MONGODB_USERNAME"],
       "password": pathlib.Path(os.environ["OPPOSABLE_MONGODB_PASSWORD_FILE"]).read_text().strip()}
client = pymongo.MongoClient(os.environ["MONGODB_URI"], **(who if sys.argv[1] else {}))
try:
    client.vault["keys"].find_one()
    print("reads")
except pymongo.errors.OperationFailure as error:
    print(error.code)
"""
"""Whether a container may read record keys, as itself or as nobody: `reads`, or the code of the refusal."""


@pytest.fixture(scope="module")
def stack(docker: str) -> Iterator[Stack]:
    system = Stack(docker, f"opposable-test-{os.getpid()}")
    system.build()
    try:
        system.up()
        yield system
    finally:
        system.down(volumes=True)


@pytest.fixture(scope="module")
def clients(stack: Stack) -> dict[str, partner.Client]:
    return stack.credentials()


@pytest.fixture(scope="module")
def event(stack: Stack) -> Message:
    return partner.consent()


def _policy(stack: Stack) -> Policy:
    return parse_policy(stack.inside("proof_archive", "cat", "/var/lib/opposable/keys/policy"))


async def _consents_log(client: partner.Client, size: int) -> list[tuple[bytes, Checkpoint]]:
    """Notes of the logs of `consents` until the logs hold `size` entries together."""

    def logs(found: partner.Found) -> dict[str, tuple[bytes, Checkpoint]]:
        notes = [r.value for r in found if r.value is not None]
        parsed = [(note, Checkpoint.parse(note.decode().split("\n\n")[0] + "\n")) for note in notes]
        return {c.origin: (note, c) for note, c in parsed if c.origin.startswith(f"{DEPLOYMENT}/consents/")}

    found = await partner.read(
        client, "checkpoints", lambda records: sum(c.size for _, c in logs(records).values()) >= size
    )
    return list(logs(found).values())


def test_every_service_says_it_is_ready_on_its_own_port(stack: Stack) -> None:
    for name, port in stack.ports.items():
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:
            assert answer.status == 200, name


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_no_more_power_than_it_needs(stack: Stack, service: str) -> None:
    powers = stack.powers(service)
    assert powers == {
        "uids": ["10001"],
        "capabilities": 0,
        "no_new_privileges": "1",
        "root": "Read-only file system",
        "program": "Read-only file system",
        "temporary": True,
        "secrets": "Read-only file system",
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_holds_its_own_secrets_and_no_other(stack: Stack, service: str) -> None:
    found = stack.inside(service, "find", "/var/lib/opposable/keys", "-type", "f", "-printf", "%P %m\\n").split("\n")
    secrets = {f"secrets/{name}" for name in READS[service] if name not in (*OPTIONAL, PARTYS)}
    own = {*secrets, "policy", "kafka.password", "kafka-ca.pem", "mongodb.password"}
    assert set(found) - {""} == {f"{name} 600" for name in own}


async def test_kafka_lets_nobody_in_without_credentials_nor_a_party_where_it_does_not_belong(
    stack: Stack, clients: dict[str, partner.Client]
) -> None:
    stranger = AIOKafkaConsumer("checkpoints", bootstrap_servers=stack.kafka)
    try:
        with pytest.raises((KafkaError, TimeoutError)):
            await asyncio.wait_for(stranger.start(), 30)
    finally:
        await stranger.stop()
    async with AIOKafkaConsumer(**clients["hibou"]) as consumer:
        assert await consumer.topics() == {
            *(f"{way}.hibou.{name}" for way, names in WAYS.items() for name in names), "checkpoints", "checkpoints.latest",
        }  # fmt: skip


@pytest.mark.parametrize(("service", "as_itself", "answer"), [
    ("collector", "1", "reads"), ("collector", "", "13"), ("signer", "1", "13"),
])  # fmt: skip
def test_mongodb_lets_nobody_do_what_is_not_its_work(stack: Stack, service: str, as_itself: str, answer: str) -> None:
    assert stack.inside(service, "python", "-c", READS_KEYS, as_itself).strip() == answer


def test_the_operators_commands_say_that_all_is_as_the_tables_say(stack: Stack) -> None:
    for command in ("topics", "mongo"):
        assert "as the table says" in stack.operator("opposable", "--lang", "en", command, "plan")


@pytest.mark.parametrize("engine", ["kafka", "mongo"])
def test_an_engine_does_not_run_as_root(stack: Stack, engine: str) -> None:
    assert stack.inside(engine, "id", "-u").strip() != "0"


async def test_a_consent_is_received_and_granted_to_those_it_names(
    stack: Stack, clients: dict[str, partner.Client], event: Message
) -> None:
    await partner.publish(clients[partner.COLLECTOR], event)
    receipts = await partner.read(clients[partner.COLLECTOR], f"out.{partner.COLLECTOR}.receipts", bool)
    assert partner.body(receipts[0])["status"] == "accepted"
    for party, lines in PROSPECTORS.items():
        granted = await partner.read(clients[party], f"out.{party}.permissions", lambda found, n=lines: len(found) >= n)
        told = [(partner.kind(r), partner.body(r).get("reasons")) for r in granted]
        assert told == [("opposable.permission.granted.v1", None)] * lines


async def test_its_proof_stands_under_a_signed_checkpoint(stack: Stack, clients: dict[str, partner.Client]) -> None:
    key = _policy(stack).log_key(DEPLOYMENT)
    [(note, checkpoint)] = [log for log in await _consents_log(clients["hibou"], 1) if log[1].size]
    assert Checkpoint.parse(open_note(note, [key]).text) == checkpoint
    with pytest.raises(IntegrityError):
        open_note(note.replace(b"\n1\n", b"\n2\n", 1), [key])


async def test_a_stop_is_ordered_to_every_party_that_may_hold_the_data(
    stack: Stack, clients: dict[str, partner.Client], event: Message
) -> None:
    await partner.publish(clients[partner.COLLECTOR], partner.stop(event))
    for party in (*PROSPECTORS, partner.COLLECTOR):
        [order] = await partner.read(clients[party], f"out.{party}.withdrawals", bool)
        assert partner.kind(order) == "opposable.stop.ordered.v1"
        assert partner.body(order)["stop_id"] == "ruisseau-devis/stop-1"


async def test_what_was_stored_outlives_the_containers(
    stack: Stack, clients: dict[str, partner.Client], event: Message
) -> None:
    key = _policy(stack).log_key(DEPLOYMENT)
    stack.down(volumes=False)
    stack.up()
    assert _policy(stack).log_key(DEPLOYMENT) == key
    await partner.publish(clients[partner.COLLECTOR], event)
    receipts = await partner.read(
        clients[partner.COLLECTOR], f"out.{partner.COLLECTOR}.receipts", lambda found: len(found) >= 3
    )
    assert [partner.body(r)["status"] for r in receipts] == ["accepted", "accepted", "duplicate"]
