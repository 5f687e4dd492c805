"""docker-compose.yml, run: one consent goes all the way, one stop comes all the way back, nothing runs with more power
than it needs, and stopping everything loses nothing.

The tests of this file share one system and go in order: each takes up where the one before left it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from services.cli.demo_stream import Message
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.note import open_note
from shared.crypto.policy import Policy, parse_policy
from shared.errors import IntegrityError
from tests.containers import partner
from tests.containers.stack import SERVICES, Stack

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

DEPLOYMENT = "opposable.local"
PROSPECTORS = {"hibou": 1, "tisane": 2}
"""How many lines the consent grants to each."""


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
def event(stack: Stack) -> Message:
    return partner.consent()


def _policy(stack: Stack) -> Policy:
    return parse_policy(stack.inside("proof_archive", "cat", "/var/lib/opposable/keys/policy"))


async def _consents_log(stack: Stack, size: int) -> list[tuple[bytes, Checkpoint]]:
    """Notes of the logs of `consents` until the logs hold `size` entries together."""

    def logs(found: partner.Found) -> dict[str, tuple[bytes, Checkpoint]]:
        notes = [r.value for r in found if r.value is not None]
        parsed = [(note, Checkpoint.parse(note.decode().split("\n\n")[0] + "\n")) for note in notes]
        return {c.origin: (note, c) for note, c in parsed if c.origin.startswith(f"{DEPLOYMENT}/consents/")}

    found = await partner.read(
        stack.kafka, "checkpoints", lambda records: sum(c.size for _, c in logs(records).values()) >= size
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


@pytest.mark.parametrize("engine", ["kafka", "mongo"])
def test_an_engine_does_not_run_as_root(stack: Stack, engine: str) -> None:
    assert stack.inside(engine, "id", "-u").strip() != "0"


async def test_a_consent_is_received_and_granted_to_those_it_names(stack: Stack, event: Message) -> None:
    await partner.publish(stack.kafka, event)
    receipts = await partner.read(stack.kafka, f"out.{partner.COLLECTOR}.receipts", bool)
    assert partner.body(receipts[0])["status"] == "accepted"
    for party, lines in PROSPECTORS.items():
        granted = await partner.read(stack.kafka, f"out.{party}.permissions", lambda found, n=lines: len(found) >= n)
        told = [(partner.kind(r), partner.body(r).get("reasons")) for r in granted]
        assert told == [("opposable.permission.granted.v1", None)] * lines


async def test_its_proof_stands_under_a_signed_checkpoint(stack: Stack) -> None:
    key = _policy(stack).log_key(DEPLOYMENT)
    [(note, checkpoint)] = [log for log in await _consents_log(stack, 1) if log[1].size]
    assert Checkpoint.parse(open_note(note, [key]).text) == checkpoint
    with pytest.raises(IntegrityError):
        open_note(note.replace(b"\n1\n", b"\n2\n", 1), [key])


async def test_a_stop_is_ordered_to_every_party_that_may_hold_the_data(stack: Stack, event: Message) -> None:
    await partner.publish(stack.kafka, partner.stop(event))
    for party in (*PROSPECTORS, partner.COLLECTOR):
        [order] = await partner.read(stack.kafka, f"out.{party}.withdrawals", bool)
        assert partner.kind(order) == "opposable.stop.ordered.v1"
        assert partner.body(order)["stop_id"] == "ruisseau-devis/stop-1"


async def test_what_was_stored_outlives_the_containers(stack: Stack, event: Message) -> None:
    key = _policy(stack).log_key(DEPLOYMENT)
    stack.down(volumes=False)
    stack.up()
    assert _policy(stack).log_key(DEPLOYMENT) == key
    await partner.publish(stack.kafka, event)
    receipts = await partner.read(stack.kafka, f"out.{partner.COLLECTOR}.receipts", lambda found: len(found) >= 3)
    assert [partner.body(r)["status"] for r in receipts] == ["accepted", "accepted", "duplicate"]
