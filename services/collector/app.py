"""Wiring of the collector; no logic."""

from __future__ import annotations

import time

from services.collector.api import make_router
from services.collector.feed import BURST, PER_SECOND, WAITS, make_feed_router
from services.collector.feed_reading import FeedReader
from services.collector.handlers import Intake
from services.collector.settings import CollectorSettings
from shared.auth import Authenticator, operator_digest
from shared.keyring.known import secrets_known
from shared.keyring.ring import Ring
from shared.mongo import database
from shared.pace import Pace
from shared.pacing import BULK_RECORDS
from shared.service import Context, run_service
from shared.topics import IN_CONSENTS_PATTERN, IN_RIGHTS_PATTERN
from shared.vault import Vault


async def build(context: Context) -> None:
    """Wire the collector into a context."""
    settings = context.settings
    assert isinstance(settings, CollectorSettings)  # noqa: S101 - wiring, not input
    keks = Ring(settings.secrets_dir, "kek")
    vault = Vault(context.mongo, keks)
    intake = Intake(
        vault=vault, publisher=context.publisher, registry=context.registry, metrics=context.metrics, log=context.log,
        max_bytes=settings.max_event_bytes,
    )  # fmt: skip
    # Two groups, so that a withdrawal never waits behind a bulk import.
    context.consume(
        group="collector.consents", pattern=IN_CONSENTS_PATTERN, process=intake.process, max_records=BULK_RECORDS
    )
    context.consume(group="collector.rights", pattern=IN_RIGHTS_PATTERN, process=intake.process)
    context.on_start(secrets_known(database(context.mongo, "vault"), keks))
    context.on_start(vault.prepare)
    auth = Authenticator(context.registry, context.clock, operator_digest(settings.secrets_dir))
    context.app.include_router(make_router(auth, context.publisher, settings.max_http_bytes))
    reader = FeedReader(settings)
    context.background("feed", reader.run)
    pace = Pace(PER_SECOND, BURST, WAITS, time.monotonic)
    context.app.include_router(make_feed_router(auth, reader, pace, context.log))


def main() -> None:
    """Run the collector."""
    run_service("collector", CollectorSettings(), build)
