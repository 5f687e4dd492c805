"""Wiring of erasure into the rights handler; no logic."""

from __future__ import annotations

from datetime import timedelta

from services.rights_handler.erasing.acts import HoldActs
from services.rights_handler.erasing.api import ErasingApi
from services.rights_handler.erasing.arrivals import GROUP, Arrivals
from services.rights_handler.erasing.erase import Erasing
from services.rights_handler.erasing.finding import Finding
from services.rights_handler.erasing.hold_store import MongoHolds
from services.rights_handler.erasing.retention import Retention
from services.rights_handler.erasing.steps import Steps
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.erasing.tombstones import Tombstones
from services.rights_handler.persons import Persons
from services.rights_handler.ports import Index, Ledger
from services.rights_handler.requesting import Requesting
from services.rights_handler.settings import RightsSettings
from services.rights_handler.teller import Teller
from shared.auth import Authenticator
from shared.service import Context
from shared.topics import ERASURES
from shared.vault import Vault


def install(
    context: Context, *, settings: RightsSettings, vault: Vault, persons: Persons, index: Index, ledger: Ledger,
    teller: Teller, requesting: Requesting, auth: Authenticator,
) -> Erasing:  # fmt: skip
    """Add the consumer, the two loops and the routes; returns the door for other parts of this service."""
    store, holds, tombstones = MongoErasures(context.mongo), MongoHolds(context.mongo), Tombstones(context.mongo)
    for prepare in (store.prepare, holds.prepare, tombstones.prepare):
        context.on_start(prepare)
    erasing = Erasing(store=store, holds=holds, index=index, vault=vault, clock=context.clock)
    arrivals = Arrivals(store=store, tombstones=tombstones, index=index, ledger=ledger, clock=context.clock)
    context.consume(topics=[ERASURES.name], group=GROUP, process=arrivals.process, isolate=False)
    steps = Steps(
        store, holds, tombstones, index, ledger, teller, requesting, context.publisher, context.clock,
        timedelta(seconds=settings.rights_erasing_every), context.log,
    )  # fmt: skip
    context.background("erasures", steps.run)
    retention = Retention(
        tombstones, index, erasing, vault, context.clock, settings.rights_retention_years,
        timedelta(seconds=settings.rights_retention_every), context.log,
    )  # fmt: skip
    context.background("retention", retention.run)
    finding = Finding(index, store, tombstones, persons, vault)
    every = timedelta(seconds=settings.rights_retention_every)
    acts = HoldActs(holds, store, ledger, context.publisher, context.clock, every)
    context.background("holds", acts.watch)
    api = ErasingApi(auth=auth, erasing=erasing, finding=finding, store=store, acts=acts, clock=context.clock)
    context.app.include_router(api.router())
    return erasing
