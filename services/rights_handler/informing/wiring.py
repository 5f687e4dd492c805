"""Wiring of RGPD 14; no logic."""

from __future__ import annotations

from datetime import timedelta

from services.rights_handler.index import MongoIndex
from services.rights_handler.informing.api import NoticeApi
from services.rights_handler.informing.overdue import OverdueNotices, OverdueSweep
from services.rights_handler.informing.store import MongoNotices
from services.rights_handler.informing.texts import NoticeTexts
from services.rights_handler.reports import MongoReports
from services.rights_handler.settings import RightsSettings
from services.rights_handler.tokens import Tokens
from shared.auth import Authenticator, operator_digest
from shared.service import Context


def install(
    context: Context, *, settings: RightsSettings, index: MongoIndex, reports: MongoReports, tokens: Tokens
) -> OverdueSweep:
    """Add the routes; returns what the scheduler looks at in its rounds."""
    store = MongoNotices(context.mongo)
    context.on_start(store.prepare)
    overdue = OverdueNotices(store, index, reports)
    auth = Authenticator(context.registry, context.clock, operator_digest(settings.secrets_dir))
    texts = NoticeTexts(context.registry, tokens, settings.public_url)
    api = NoticeApi(auth=auth, index=index, texts=texts, overdue=overdue, clock=context.clock)
    context.app.include_router(api.router())
    every = timedelta(seconds=settings.rights_notices_every)
    return OverdueSweep(overdue, store, context.registry, context.clock, every, context.log)
