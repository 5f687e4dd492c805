"""Wiring of reviews; no logic."""

from __future__ import annotations

from datetime import timedelta

from services.rights_handler.deciding.api import ReviewApi
from services.rights_handler.deciding.resolving import Deciding, Reassessing
from services.rights_handler.deciding.store import MongoDecisions
from services.rights_handler.informing.store import MongoNotices
from services.rights_handler.ports import Index, Ledger
from services.rights_handler.settings import RightsSettings
from shared.auth import OPERATOR_TOKEN_FILE, Authenticator
from shared.service import Context
from shared.vault import Vault


def install(
    context: Context, *, settings: RightsSettings, vault: Vault, index: Index, ledger: Ledger, auth: Authenticator
) -> Deciding:
    """Add the routes; returns what the scheduler looks at, and what verdicts report to. The operator's token opens the archive."""
    store = MongoDecisions(context.mongo)
    context.on_start(store.prepare)
    within = timedelta(hours=settings.rights_review_within_hours)
    token = (settings.secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    deciding = Deciding(
        store, index, ledger, MongoNotices(context.mongo), vault, context.publisher,
        Reassessing(settings.proof_url, token), context.clock, within, context.log,
    )  # fmt: skip
    api = ReviewApi(auth=auth, deciding=deciding, store=store, index=index, client=context.mongo, within=within)
    context.app.include_router(api.router())
    return deciding
