"""Simulated parties on the running system: by webhook and by feed, honest and lying; the kit against one by Kafka."""

import asyncio
import contextlib
import uuid
from datetime import UTC, datetime

import httpx
import pytest

from services.cli.conformance.kit import Kit
from services.cli.conformance.transports import kafka_transport
from services.cli.party_feed import FeedParty
from services.cli.party_simulator import Behaviour, SimulatedParty
from services.cli.party_system import Manner, PartySystem
from services.cli.party_webhook import Endpoint, make_app, serving
from services.cli.target import settings_of
from services.webhook_relay.keys import PartySecrets
from tests.e2e.partner import Partner, consent, stop
from tests.integration.relay.relay_world import new_secret, operator, register, until, with_webhook
from tests.integration.relay.test_feed_on_a_running_system import as_parties, key
from tests.unit.relay.partner_world import failed, outcomes

pytestmark = [pytest.mark.engines, pytest.mark.timeout(240)]


@contextlib.asynccontextmanager
async def playing(work):
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_one_withdrawal_is_applied_by_webhook_by_feed_and_by_kafka_and_a_liar_gains_nothing(endpoints):
    new_secret(endpoints, "canalvert")
    by_hook = Endpoint(PartySystem(), PartySecrets(endpoints.secrets_dir).of("canalvert"))
    by_feed, liar = PartySystem(), SimulatedParty(settings_of(endpoints), "tisane", Behaviour(manner=Manner.LYING))
    for client in await as_parties(endpoints, "hibou", "tisane"):
        await client.aclose()
    feed = FeedParty(endpoints.url("collector"), key("hibou"), "hibou", by_feed)
    async with serving(make_app(by_hook)) as url, playing(feed.run()), playing(liar.run()):
        await register(endpoints, with_webhook("canalvert", f"{url}/hook"))
        partner, email = Partner(endpoints), f"{uuid.uuid4().hex[:8]}@courriel.example"
        record = await partner.consent(consent(email))
        consent_id = record.partition("/")[2]

        def granted(system):
            return any(line.consent == consent_id for line in system.fold._lines.values())

        await until(lambda: granted(by_hook.system) and granted(by_feed))
        before = [system.fold.allowed(datetime.now(UTC)) for system in (by_hook.system, by_feed)]
        stop_id = await partner.stop(stop([("email", email)]))
        async with operator(endpoints, "rights_handler") as http:

            async def states():
                view = (await http.get(f"/v1/stops/{stop_id}")).json()
                return {b["party"]: b["state"] for b in view.get("branches", ())}

            async with asyncio.timeout(60):
                while {(await states()).get(name) for name in ("canalvert", "hibou", "tisane")} != {"closed"}:
                    await asyncio.sleep(0.2)
        after = [system.fold.allowed(datetime.now(UTC)) for system in (by_hook.system, by_feed)]
        assert [a < b for a, b in zip(after, before, strict=True)] == [True, True]
        assert by_hook.refused == by_hook.unreadable == feed.unreadable == 0
        # The liar's second answer names an order that nobody gave: set aside, it closes nothing.
        invented = await partner.read("dead", lambda b: "-invented" in str(b))
        assert invented


async def test_the_kit_reaches_a_partner_by_kafka(endpoints):
    system = SimulatedParty(settings_of(endpoints), "carte-coing")
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        kafka_transport(settings_of(endpoints), "carte-coing") as transport,
        playing(system.run()),
    ):
        await until(lambda: system.counts() is not None)
        kit = Kit(transport, None, http, settle_s=0.5, ack_s=30)
        found = await outcomes(kit, {"SIGN-WRONG", "ACK-IN-TIME", "ACK-UNKNOWN", "STOP-FIRST", "ACK-ONLY-ORDERS"})
    assert failed(found) == set(), found
    assert found["ACK-IN-TIME"] == ("passed", None)
    assert found["SIGN-WRONG"] == ("not_checked", "no-signatures")
    assert found["STOP-FIRST"] == ("not_checked", "no-question")
