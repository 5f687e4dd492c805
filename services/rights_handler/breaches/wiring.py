"""Wiring of the register of breaches; no logic."""

from __future__ import annotations

from services.rights_handler.breaches.acts import Breaches
from services.rights_handler.breaches.api import BreachApi
from services.rights_handler.breaches.store import MongoBreaches
from services.rights_handler.informing.store import MongoNotices
from services.rights_handler.ports import Ledger
from shared.auth import Authenticator
from shared.service import Context


def install(context: Context, *, ledger: Ledger, auth: Authenticator) -> None:
    """Add the routes and the loop."""
    store = MongoBreaches(context.mongo)
    context.on_start(store.prepare)
    breaches = Breaches(
        store, ledger, MongoNotices(context.mongo), context.publisher, context.registry, context.clock, context.log
    )
    context.background("breaches", breaches.run)
    context.app.include_router(BreachApi(auth, breaches, context.clock).router())
