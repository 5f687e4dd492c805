"""Wiring of the console; no logic."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from services.console import pages, signing_in
from services.console.accounts import Accounts
from services.console.audit import Audit
from services.console.clients import Services
from services.console.lag import KafkaLag
from services.console.letters import Letters
from services.console.parts import Console
from services.console.passwords import Passwords
from services.console.render import static
from services.console.routing import router_of
from services.console.sessions import Sessions
from services.console.settings import ConsoleSettings
from services.console.signing_in import SigningIn
from services.console.watch import Watch
from services.console.words import COMMON, merged
from shared.service import Context, run_service


async def build(context: Context) -> None:
    """Wire the console into a context."""
    settings = context.settings
    assert isinstance(settings, ConsoleSettings)  # noqa: S101 - wiring, not input
    services = Services(settings.instances(), settings.secrets_dir)
    audit = Audit(context.mongo, context.clock)
    console = Console(
        settings=settings, clock=context.clock, log=context.log, services=services, registry=context.registry,
        accounts=Accounts(context.mongo), passwords=Passwords(), sessions=Sessions.of_settings(context.mongo, settings), audit=audit,
        watch=Watch(services, KafkaLag(settings), context.clock, settings.console_watch_every, context.log),
        letters=Letters(settings, context.publisher, context.clock, context.log),
    )  # fmt: skip
    for prepare in (console.accounts.prepare, console.sessions.prepare, audit.prepare):
        context.on_start(prepare)
    context.background("archiving", lambda: audit.run(context.publisher, context.log))
    context.background("watch", console.watch.run)
    context.background("letters", console.letters.run)
    install(context.app, console)


def install(app: FastAPI, console: Console) -> None:
    """Every page, on an application."""
    console.pages = pages.found()
    console.catalogue = merged(COMMON, signing_in.WORDS, *(page.words for page in console.pages))

    async def file(request: Request) -> Response:
        return static(str(request.path_params["name"]))

    app.add_api_route("/static/{name}", file, methods=["GET"], response_model=None, include_in_schema=False)
    app.include_router(SigningIn(console).router())
    app.include_router(router_of(console, console.pages))


def main() -> None:
    """Run the console."""
    run_service("console", ConsoleSettings(), build)
