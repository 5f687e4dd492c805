"""Wiring of the rights handler; no logic."""

from __future__ import annotations

import time
from datetime import timedelta

from services.rights_handler.acknowledging import Acknowledging
from services.rights_handler.api import Api
from services.rights_handler.breaches.wiring import install as install_breaches
from services.rights_handler.chain.wiring import install as install_chain
from services.rights_handler.check_api import CheckApi
from services.rights_handler.checking import Checking
from services.rights_handler.deciding.wiring import install as install_deciding
from services.rights_handler.deliveries import Times
from services.rights_handler.erasing.wiring import install as install_erasing
from services.rights_handler.escalating import Officers
from services.rights_handler.fanout import FanOut
from services.rights_handler.freshness import Freshness, KafkaPositions
from services.rights_handler.handlers import Handlers
from services.rights_handler.index import MongoIndex
from services.rights_handler.informing.wiring import install as install_informing
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.lookup_api import LookupApi
from services.rights_handler.match_api import MatchApi
from services.rights_handler.match_versions import MatchKeys
from services.rights_handler.messaging import PersonMessages
from services.rights_handler.naming import Naming
from services.rights_handler.noticing import Noticing
from services.rights_handler.one_click import make_router
from services.rights_handler.persons import Persons
from services.rights_handler.portal.wiring import add_portal
from services.rights_handler.protocol import Crossing
from services.rights_handler.regained import install_gate
from services.rights_handler.reports import MongoReports
from services.rights_handler.requesting import Requesting
from services.rights_handler.requests.wiring import wire as wire_requests
from services.rights_handler.resolving import Resolving
from services.rights_handler.scheduler import Scheduler
from services.rights_handler.settings import RightsSettings
from services.rights_handler.standing_api import StandingApi
from services.rights_handler.stop_api import StopApi
from services.rights_handler.teller import Teller
from services.rights_handler.terms import Terms
from services.rights_handler.tokens import Tokens
from shared.auth import Authenticator, operator_digest
from shared.keyring.known import secrets_known
from shared.keyring.ring import Ring
from shared.mongo import database
from shared.pace import Pace
from shared.pacing import BULK_RECORDS
from shared.service import Context, run_service
from shared.settings import read_secret
from shared.topics import IN_PLATFORM_RIGHTS, IN_RIGHTS, REPORTS, REQUESTS, STOPS, VERDICTS
from shared.vault import Vault

COLLECTOR_RIGHTS = "collector.rights"
"""The collector's group for stops: what it has not read yet, this service cannot know."""


async def build(context: Context) -> None:
    """Wire the rights handler into a context."""
    settings = context.settings
    assert isinstance(settings, RightsSettings)  # noqa: S101 - wiring, not input
    secret = settings.secrets_dir
    vault = Vault(context.mongo, Ring(secret, "kek"))
    master = read_secret(secret, "match-master")
    naming = Naming(peppers := Ring(secret, "pepper"), context.mongo)
    persons = Persons(vault, pepper=naming, match_master=master)
    tokens = Tokens(master)
    index, ledger = MongoIndex(context.mongo, naming=naming), MongoLedger(context.mongo)
    reports = MongoReports(context.mongo, naming=naming)
    times = Times(settings.remind_after, timedelta(seconds=settings.rights_repeat_every))
    teller = Teller(
        outbox=context.publisher, persons=persons, registry=context.registry, tokens=tokens, metrics=context.metrics,
        public_url=settings.public_url,
        proof_url=settings.proof_url,
    )  # fmt: skip
    terms = Terms(context.registry, settings)
    fan_out = FanOut(index, ledger, teller, context.clock, terms.ack_within, times)
    crossing = Crossing(index, fan_out, teller)
    requests = wire_requests(
        context, settings, vault=vault, persons=persons, index=index, ledger=ledger, reports=reports, crossing=crossing
    )  # fmt: skip
    auth = Authenticator(context.registry, context.clock, operator_digest(secret))
    chain = install_chain(context, auth)
    install_breaches(context, ledger=ledger, auth=auth)
    deciding = install_deciding(context, settings=settings, vault=vault, index=index, ledger=ledger, auth=auth)
    handlers = Handlers(
        crossing=crossing, acknowledging=Acknowledging(ledger, context.publisher, requests.handling.settle),
        persons=persons, index=index, ledger=ledger, reports=reports, requests=requests.handling,
        dead_all=context.dead_all, after_verdicts=[deciding.after_verdicts, chain.after_verdicts],
    )  # fmt: skip
    context.on_start(secrets_known(database(context.mongo, "rights"), peppers, Ring(secret, "match-master")))
    install_gate(context, settings)
    for prepare in (naming.load, index.prepare, ledger.prepare, reports.prepare):
        context.on_start(prepare)
    context.background("naming", naming.watch)
    name = "rights_handler"
    context.consume(
        topics=[VERDICTS.name], group=f"{name}.verdicts", process=handlers.verdicts, max_records=BULK_RECORDS
    )
    for topic, process in ((STOPS, handlers.stops), (REPORTS, handlers.reports), (REQUESTS, handlers.requests)):
        context.consume(topics=[topic.name], group=f"{name}.{topic.name}", process=process)
    notices = install_informing(context, settings=settings, index=index, reports=reports, tokens=tokens)
    scheduler = Scheduler(
        index, ledger, teller, context.publisher, context.clock, times,
        timedelta(seconds=settings.rights_sweep_every), context.log,
        Officers(PersonMessages(vault, context.publisher, context.clock), context.registry),
        [requests.sweep, notices, deciding],
    )  # fmt: skip
    context.background("reminders", scheduler.run)
    positions = KafkaPositions(settings, name, {
        f"{name}.stops": lambda: [STOPS.name],
        f"{name}.reports": lambda: [REPORTS.name],
        COLLECTOR_RIGHTS: lambda: [
            IN_PLATFORM_RIGHTS.name, *(IN_RIGHTS.of(party.id) for party in context.registry.view.parties())
        ],
    })  # fmt: skip
    freshness = Freshness(positions, context.clock, timedelta(seconds=settings.rights_lag_most))
    context.background("freshness", freshness.run)
    requesting = Requesting(context.publisher, context.clock)
    api = Api(
        auth=auth, index=index, ledger=ledger, requesting=requesting, asking=requests.asking,
        requests=requests.store,
    )  # fmt: skip
    match_api = MatchApi(auth=auth, persons=persons, deliveries=MatchKeys(context.mongo, context.clock))
    checks = CheckApi(
        auth=auth, checking=Checking(index, reports, freshness, context.registry, settings.sending), persons=persons,
        noticing=Noticing(context.registry, tokens, settings.public_url), clock=context.clock,
        pace=Pace(settings.checks_per_second, settings.checks_at_once, 0, time.monotonic, "contacts"), metrics=context.metrics,
    )  # fmt: skip
    stop_api = StopApi(
        auth=auth, registry=context.registry, index=index, ledger=ledger, requesting=requesting,
        resolving=Resolving(ledger, context.publisher, context.clock), key_of=persons.row_key, clock=context.clock,
    )  # fmt: skip
    lookup = LookupApi(auth=auth, index=index, ledger=ledger, persons=persons)
    standing = StandingApi(auth=auth, ledger=ledger, clock=context.clock)
    for routes in (
        stop_api,
        api,
        checks,
        match_api,
        lookup,
        standing,
    ):  # `stop_api` first: its paths are the more precise
        context.app.include_router(routes.router())
    install_erasing(
        context, settings=settings, vault=vault, persons=persons, index=index, ledger=ledger, teller=teller,
        requesting=requesting, auth=auth,
    )  # fmt: skip
    add_portal(context, settings, persons=persons, vault=vault, index=index, ledger=ledger)
    for router in requests.routers(auth, ledger, tokens):
        context.app.include_router(router)
    context.app.include_router(make_router(tokens, context.registry, requesting))


def main() -> None:
    """Run the rights handler."""
    run_service("rights_handler", RightsSettings(), build)
