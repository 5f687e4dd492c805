"""Wiring of the portal; no logic."""

from __future__ import annotations

from datetime import timedelta

from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.messaging import PersonMessages
from services.rights_handler.persons import Persons
from services.rights_handler.portal.access import Access, Limits
from services.rights_handler.portal.acting import Acting
from services.rights_handler.portal.inside import Inside
from services.rights_handler.portal.inviting import Inviting
from services.rights_handler.portal.passes import Lifetimes, Seals
from services.rights_handler.portal.proofs import Proofs
from services.rights_handler.portal.reading import Reading
from services.rights_handler.portal.routes import Portal
from services.rights_handler.portal.store import PortalStore
from services.rights_handler.settings import RightsSettings
from shared.auth import OPERATOR_TOKEN_FILE
from shared.keyring.ring import Ring
from shared.service import Context
from shared.settings import read_secret
from shared.tickets import Tickets
from shared.vault import Vault

LETTER_DAYS = 21
"""As the letter and the page say."""


def add_portal(
    context: Context,
    settings: RightsSettings,
    *,
    persons: Persons,
    vault: Vault,
    index: MongoIndex,
    ledger: MongoLedger,
) -> None:
    """Add `/me` and the loop that sends links and codes."""
    store, seals = PortalStore(context.mongo), Seals(read_secret(settings.secrets_dir, "match-master"))
    access = Access(
        store, seals, persons, context.clock,
        Lifetimes(timedelta(minutes=settings.portal_link_minutes), timedelta(minutes=settings.portal_session_minutes),
                  timedelta(days=LETTER_DAYS)),
        Limits(settings.portal_asks_per_contact, settings.portal_asks_per_address, settings.portal_stops_per_address),
    )  # fmt: skip
    inviting = Inviting(
        store, seals, persons, index, PersonMessages(vault, context.publisher, context.clock), context.clock,
        settings.public_url.rstrip("/"), settings.portal_link_minutes, settings.portal_sweep_every, context.log,
    )  # fmt: skip
    token = (settings.secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    acting = Acting(context.publisher, context.clock)
    tickets = Tickets(Ring(settings.secrets_dir, "kek"), context.clock)
    inside = Inside(
        access, acting, Reading(index, ledger, vault, context.registry, context.clock),
        Proofs(settings.proof_url.rstrip("/"), token, tickets),
    )  # fmt: skip
    portal = Portal(access, acting, inside, settings.portal_link_minutes)
    context.on_start(store.prepare)
    context.background("portal links", inviting.run)
    context.app.include_router(portal.router())
