"""Wiring of requests; no logic."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from services.rights_handler.erasing.erase import Erasing
from services.rights_handler.erasing.hold_store import MongoHolds
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.messaging import PersonMessages
from services.rights_handler.persons import Persons
from services.rights_handler.protocol import Crossing
from services.rights_handler.reports import MongoReports
from services.rights_handler.requests.addressing import Addressing
from services.rights_handler.requests.answering import Answering
from services.rights_handler.requests.api import RequestApi
from services.rights_handler.requests.asking import Asking
from services.rights_handler.requests.changing import Changing
from services.rights_handler.requests.gathering import Gathering
from services.rights_handler.requests.handling import Handling
from services.rights_handler.requests.letters import Letters
from services.rights_handler.requests.link import erasure_router
from services.rights_handler.requests.proving import ArchiveProofs, Proving
from services.rights_handler.requests.settling import Settling
from services.rights_handler.requests.store import MongoRequests
from services.rights_handler.requests.sweeping import RequestSweep
from services.rights_handler.tokens import Tokens
from shared.auth import OPERATOR_TOKEN_FILE, Authenticator
from shared.service import Context
from shared.settings import Settings
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Requests:
    """What the service needs of requests."""

    store: MongoRequests
    handling: Handling
    asking: Asking
    sweep: RequestSweep

    def routers(self, auth: Authenticator, ledger: MongoLedger, tokens: Tokens) -> tuple[APIRouter, ...]:
        """Its routes."""
        api = RequestApi(auth=auth, store=self.store, ledger=ledger, handling=self.handling, asking=self.asking)
        return (api.router(), erasure_router(tokens, self.asking))


def wire(
    context: Context, settings: Settings, *, vault: Vault, persons: Persons, index: MongoIndex, ledger: MongoLedger,
    reports: MongoReports, crossing: Crossing,
) -> Requests:  # fmt: skip
    """Put it together. The operator's token opens the archive: its proofs go to the persons they are about."""
    store = MongoRequests(context.mongo)
    context.on_start(store.prepare)
    token = (settings.secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    archive = ArchiveProofs(settings.proof_url, token)
    proving = Proving(archive, context.registry, ledger, settings.proof_url.rstrip("/"))
    gathering = Gathering(
        index=index, ledger=ledger, reports=reports, keys=vault, persons=persons, registry=context.registry
    )
    letters = Letters(vault, PersonMessages(vault, context.publisher, context.clock), context.publisher)
    erasing = Erasing(
        store=MongoErasures(context.mongo),
        holds=MongoHolds(context.mongo),
        index=index,
        vault=vault,
        clock=context.clock,
    )  # the same door as everywhere: all that it knows stands in the database
    change = Changing(store, context.clock)
    settling = Settling(change, index, ledger, crossing, gathering, letters, proving, erasing)
    handling = Handling(
        change=change, settling=settling, crossing=crossing, gathering=gathering,
        answering=Answering(context.registry, proving, settings.proof_url.rstrip("/")),
        addressing=Addressing(gathering, letters, persons), letters=letters, proving=proving, erasing=erasing,
    )  # fmt: skip
    return Requests(
        store, handling, Asking(context.publisher, context.registry, context.clock),
        RequestSweep(store, settling, context.publisher, context.clock, context.log),
    )  # fmt: skip
