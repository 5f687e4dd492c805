"""A partner's system beside the conformance kit, in one process: right, or wrong in exactly one way."""

import asyncio
import contextlib

import httpx

from services.cli.conformance.items import ITEMS
from services.cli.conformance.kit import Kit
from services.cli.conformance.platform import PlayedPlatform
from services.cli.conformance.transports import FeedTransport, WebhookTransport
from services.cli.party_feed import FeedParty, event_of
from services.cli.party_webhook import Endpoint, make_app, serving

SECRET, KEY, PARTY = b"k" * 32, "kit-key", "canalvert"


@contextlib.asynccontextmanager
async def webhook_kit(endpoint, *, app=None, settle=0.008, ack=1.0, ask=True):
    """A kit that pushes to the endpoint; what its answers do not carry goes to the kit's events."""
    platform = PlayedPlatform(PARTY, KEY)
    async with serving(platform.app()) as kit_url, httpx.AsyncClient(trust_env=False) as client:

        async def report(found):
            batch = [event_of(PARTY, one) for one in found]
            headers = {"Authorization": f"Bearer {KEY}"}
            answer = await client.post(f"{kit_url}/v1/events", json=batch, headers=headers)
            assert answer.status_code == 202

        async with serving((app or make_app)(endpoint, report)) as url:
            transport = WebhookTransport(f"{url}/hook", [SECRET], platform, client)
            yield Kit(transport, f"{url}/check" if ask else None, client, settle_s=settle, ack_s=ack)


@contextlib.asynccontextmanager
async def feed_kit(system, *, settle=0.1, ack=2.0):
    """A kit whose feed the partner reads."""
    platform = PlayedPlatform(PARTY, KEY)
    endpoint = Endpoint(system, [SECRET])
    async with (
        serving(platform.app()) as kit_url, serving(make_app(endpoint)) as url, httpx.AsyncClient(trust_env=False) as client
    ):  # fmt: skip
        partner = FeedParty(kit_url, KEY, PARTY, system)
        work = asyncio.create_task(partner.run())
        try:
            yield Kit(FeedTransport(platform), f"{url}/check", client, settle_s=settle, ack_s=ack)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


async def outcomes(kit, only=None):
    """Code → (state, why)."""
    items = [item for item in ITEMS if only is None or item.code in only]
    return {one.item: (one.state, one.why) async for one in kit.run(items)}


def failed(found):
    return {code for code, (state, _) in found.items() if state == "failed"}
