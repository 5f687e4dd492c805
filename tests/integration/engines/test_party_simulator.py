"""A simulated party on a real Kafka: stops before permissions, answers late or never, and a restart that resumes."""

import asyncio
import json

import pytest

from services.cli.party_simulator import Behaviour, SimulatedParty
from services.cli.target import settings_of
from shared import canonical
from shared.contracts.envelope import Envelope, from_headers, to_headers
from shared.contracts.platform import PERMISSION_GRANTED, STOP_ORDERED
from shared.kafka.publisher import Outgoing
from tests.integration.engines.command_world import publish, read

pytestmark = pytest.mark.engines


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
