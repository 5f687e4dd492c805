"""What a party does is what the platform sees: slow, dead and flapping parties by Kafka beside a prompt one, on a running system.

The liar stands in `test_played_parties`. Reminders and escalation by the clock: tests/unit/rights.
"""

import asyncio
import contextlib
import uuid

import pytest

from services.cli.party_simulator import FLAP_S, Behaviour, SimulatedParty
from services.cli.party_system import Manner
from services.cli.target import settings_of
from tests.e2e.partner import Partner, consent, stop
from tests.integration.relay.relay_world import operator

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]
PROMPT_S = 40
"""Generous for a busy machine, and nothing beside a party that never answers."""


@contextlib.asynccontextmanager
async def played(endpoints, **behaviours):
    parties = {name: SimulatedParty(settings_of(endpoints), name, one) for name, one in behaviours.items()}
    tasks = [asyncio.create_task(party.run()) for party in parties.values()]
    try:
        yield parties
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def branches(http, stop_id):
    view = (await http.get(f"/v1/stops/{stop_id}")).json()
    return {branch["party"]: branch for branch in view.get("branches", ())}


async def until_closed(http, stop_ids, party, seconds):
    async with asyncio.timeout(seconds):
        for stop_id in stop_ids:
            while (await branches(http, stop_id)).get(party, {}).get("state") != "closed":
                await asyncio.sleep(0.2)


async def withdrawals(partner, count):
    stops = []
    for _ in range(count):
        email = f"{uuid.uuid4().hex[:8]}@courriel.example"
        await partner.consent(consent(email))
        stops.append(await partner.stop(stop([("email", email)])))
    return stops


async def test_a_dead_party_is_named_with_its_next_attempt_and_delays_nobody(endpoints):
    dead, prompt = Behaviour(manner=Manner.DEAD), Behaviour()
    async with (
        played(endpoints, hibou=dead, canalvert=prompt) as parties,
        operator(endpoints, "rights_handler") as http,
    ):
        (stop_id,) = await withdrawals(Partner(endpoints), 1)
        await until_closed(http, [stop_id], "canalvert", PROMPT_S)
        branch = (await branches(http, stop_id))["hibou"]
        assert (branch["state"], branch["owner"]) == ("open", "hibou")
        assert branch["cause"] == "no answer yet"
        assert branch["next_at"] < branch["ack_due_at"], "reminded before it is late"
        assert parties["hibou"].counts().orders == 0


async def test_a_slow_party_is_waited_for_and_a_flapping_one_loses_nothing(endpoints):
    slow, flapping = Behaviour(delay_s=3.0), Behaviour(manner=Manner.FLAPPING)
    manners = {"tisane": slow, "hibou": flapping, "canalvert": Behaviour()}
    async with played(endpoints, **manners) as parties, operator(endpoints, "rights_handler") as http:
        partner, stops = Partner(endpoints), []
        for _ in range(3):  # while it is there, and while it is not
            stops += await withdrawals(partner, 2)
            await asyncio.sleep(FLAP_S / 2)
        await until_closed(http, stops, "canalvert", PROMPT_S)
        await until_closed(http, stops, "tisane", PROMPT_S)
        await until_closed(http, stops, "hibou", PROMPT_S + 2 * FLAP_S)
        for stop_id in stops:
            by_party = await branches(http, stop_id)
            answered = {name: next(e["at"] for e in by_party[name]["history"] if e["what"] == "acknowledged")
                        for name in ("tisane", "canalvert")}  # fmt: skip
            assert answered["canalvert"] < answered["tisane"], "nobody waits for the slow one"
        assert parties["hibou"].counts().waiting == 0
        assert parties["hibou"].counts().unreadable == 0
