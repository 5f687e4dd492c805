"""Wiring of the consent validator; no logic."""

from __future__ import annotations

from services.consent_validator.announcing import Announcer
from services.consent_validator.api import make_router
from services.consent_validator.handlers import Assessor
from services.consent_validator.registry_api import RegistryApi
from services.consent_validator.rules.book import RuleBook
from services.consent_validator.settings import ValidatorSettings
from services.consent_validator.standing_api import StandingApi
from shared.auth import Authenticator, operator_digest
from shared.service import Context, run_service
from shared.topics import CONSENTS, REASSESSMENTS, REGISTRY

GROUP = "consent_validator"


async def build(context: Context) -> None:
    """Wire the consent validator into a context."""
    settings = context.settings
    assert isinstance(settings, ValidatorSettings)  # noqa: S101 - wiring, not input
    book = RuleBook(settings.rule_settings)
    assessor = Assessor(
        registry=context.registry, publisher=context.publisher, metrics=context.metrics, book=book,
        dead_all=context.dead_all,
    )  # fmt: skip
    context.consume(group=GROUP, topics=[CONSENTS.name], process=assessor.process)
    context.consume(group=f"{GROUP}.reassessments", topics=[REASSESSMENTS.name], process=assessor.reassess)
    auth = Authenticator(context.registry, context.clock, operator_digest(settings.secrets_dir))
    context.app.include_router(make_router(auth, context.registry, context.clock, book))
    context.app.include_router(RegistryApi(auth, context.registry, context.publisher, context.clock).router())
    context.app.include_router(StandingApi(auth, context.registry, context.publisher, context.clock).router())
    announcer = Announcer(registry=context.registry, publisher=context.publisher, clock=context.clock)
    context.consume(group=f"{GROUP}.announcements", topics=[REGISTRY.name], process=announcer.process)
    context.background("agreements", announcer.watch)


def main() -> None:
    """Run the consent validator."""
    run_service("consent_validator", ValidatorSettings(), build)
