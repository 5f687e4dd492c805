"""Wiring of the chain; no logic."""

from __future__ import annotations

from services.rights_handler.chain.api import ChainApi
from services.rights_handler.chain.store import MongoChain
from shared.auth import Authenticator
from shared.service import Context


def install(context: Context, auth: Authenticator) -> MongoChain:
    """Add the routes; returns what counts batches of verdicts."""
    chain = MongoChain(context.mongo)
    context.on_start(chain.prepare)
    context.app.include_router(ChainApi(auth, chain, context.clock).router())
    return chain
