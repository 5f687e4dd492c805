"""Wiring of the webhook relay; no logic."""

from __future__ import annotations

import secrets

from services.webhook_relay.api import Api
from services.webhook_relay.client import tls_context
from services.webhook_relay.following import GROUP, Following
from services.webhook_relay.intake import Intake
from services.webhook_relay.keys import SEED, PartySecrets, Sealer, private_key
from services.webhook_relay.lane import Parts
from services.webhook_relay.lanes import Lanes
from services.webhook_relay.replaying import Replaying
from services.webhook_relay.sending import Sending, make_client
from services.webhook_relay.settings import RelaySettings
from services.webhook_relay.store import Store
from shared.auth import Authenticator, operator_digest
from shared.kafka.batch import BatchLoop
from shared.service import Context, run_service
from shared.settings import read_secret
from shared.webhooks import format_public_key


async def build(context: Context) -> None:
    """Wire the relay into a context."""
    settings = context.settings
    assert isinstance(settings, RelaySettings)  # noqa: S101 - wiring, not input
    seed = read_secret(settings.secrets_dir, SEED)
    sealer, private, store = Sealer(seed), private_key(seed), Store(context.mongo)
    tls = tls_context(None if settings.webhook_ca_file is None else str(settings.webhook_ca_file))
    sending = Sending(
        registry=context.registry, secrets=PartySecrets(settings.secrets_dir), sealer=sealer, private=private,
        clock=context.clock, client=make_client(settings, tls), log=context.log,
    )  # fmt: skip
    parts = Parts(
        store=store, sending=sending, publisher=context.publisher, clock=context.clock, policy=settings.policy,
        concurrency=settings.webhook_concurrency, lease_s=settings.webhook_lease, owner=secrets.token_hex(8),
        metrics=context.metrics, log=context.log,
    )  # fmt: skip
    lanes = Lanes(parts, settings.webhook_sweep_every)
    intake = Intake(
        store=store, sealer=sealer, clock=context.clock, policy=settings.policy, dead_all=context.dead_all,
        wake=lanes.wake,
    )  # fmt: skip
    loop = BatchLoop(
        group=GROUP, process=intake.process, publisher=context.publisher, metrics=context.metrics, log=context.log
    )
    following = Following(
        settings=settings, loop=loop, registry=context.registry, store=store, most=settings.webhook_backlog_most,
        metrics=context.metrics, log=context.log,
    )  # fmt: skip

    async def prepare() -> None:
        await store.prepare(settings.webhook_keep_delivered)

    context.on_start(prepare)
    context.background("deliveries", lanes.run)
    context.background("following", following.run)
    context.checks.append(following.check)
    auth = Authenticator(context.registry, context.clock, operator_digest(settings.secrets_dir))
    api = Api(
        auth=auth, store=store, following=following, lanes=lanes,
        replaying=Replaying(settings, intake, store), registry=context.registry, clock=context.clock,
        public_key=format_public_key(private.public_key()),
    )  # fmt: skip
    context.app.include_router(api.router())


def main() -> None:
    """Run the relay."""
    run_service(GROUP, RelaySettings(), build)
