"""`opposable party check`: the conformance kit. A partner runs it against its own system, before it goes live.

The kit plays the platform. Exit codes: 0 every item that could be looked at passed, 1 one failed, 2 nothing answers.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from services.cli.conformance.items import ITEMS
from services.cli.conformance.kit import Kit
from services.cli.conformance.model import Outcome, Transport
from services.cli.conformance.platform import PlayedPlatform
from services.cli.conformance.titles import REASONS, TITLES
from services.cli.conformance.transports import FeedTransport, WebhookTransport, kafka_transport
from services.cli.groups import group
from services.cli.language import tr
from services.cli.party_simulate import Transport as Way
from services.cli.party_webhook import serving
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from shared.errors import ConfigurationError
from shared.webhooks import parse_secret

TIMEOUT_S = 20.0
MARK = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "not_checked": "[yellow]–[/]"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    party = group(app, "party", "Parties: collectors and prospecteurs.")
    party.command(
        "check",
        epilog="Examples: opposable party check canalvert --url https://crm.example/hook --secret-file s.txt --ask "
        "http://127.0.0.1:8080/check · opposable party check hibou --transport feed --listen 127.0.0.1:9000 --ask …",
    )(check)


def check(
    party: Annotated[str, typer.Argument(help="Your party id.")],
    *,
    transport: Annotated[Way, typer.Option("--transport", help="How your system is told.")] = Way.WEBHOOK,
    url: Annotated[str | None, typer.Option("--url", help="Your endpoint (webhook).")] = None,
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help="The secret it verifies with (webhook).")
    ] = None,
    ask: Annotated[
        str | None, typer.Option("--ask", help="Address that answers whether a person may be contacted.")
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", help="Where the kit answers feeds and takes acknowledgements.")
    ] = "127.0.0.1:0",
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="The key your system presents; default: a new one.")
    ] = None,
    settle: Annotated[float, typer.Option("--settle", min=0.01, help="Seconds your system needs for an event.")] = 0.5,
    ack_within: Annotated[float, typer.Option("--ack-within", min=0.1, help="Seconds to acknowledge an order.")] = 10.0,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Tell your system scripted events and look at what it makes of them: signatures, permissions, stops, acknowledgements.

    Give it a copy of your system, not the one in service: the persons are invented, and so are their orders.
    By Kafka the kit publishes on your topics of the test system that --data-dir (or the environment) names.
    """

    async def work() -> list[Outcome]:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http,
            _reached(party, transport, url, secret_file, listen, key_file, data_dir, http) as way,
        ):
            kit = Kit(way, ask, http, settle_s=settle, ack_s=ack_within)
            found = []
            with Console(stderr=True).status("", spinner="dots") as progress:
                async for outcome in kit.run(ITEMS):
                    found.append(outcome)
                    progress.update(f"{len(found)}/{len(ITEMS)}  {tr(*TITLES[outcome.item])}")
            return found

    outcomes = run(work())
    _tell(party, outcomes, as_json=as_json)
    if any(one.state == "failed" for one in outcomes):
        raise typer.Exit(NEGATIVE)


@contextlib.asynccontextmanager
async def _reached(
    party: str, transport: Way, url: str | None, secret_file: Path | None, listen: str, key_file: Path | None,
    data_dir: Path | None, http: httpx.AsyncClient,
) -> AsyncIterator[Transport]:  # fmt: skip
    if transport is Way.KAFKA:
        async with kafka_transport(settings_of(resolve(data_dir)), party) as by_kafka:
            yield by_kafka
        return
    key = secrets.token_urlsafe(24) if key_file is None else _text(key_file)
    platform = PlayedPlatform(party, key)
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError("--listen is host:port")
    async with serving(platform.app(), host, int(port)) as base:
        shown = "" if key_file is not None else f"  Authorization: Bearer {key}"
        typer.echo(tr(f"the kit answers at {base}{shown}", f"le banc d’essai répond à {base}{shown}"), err=True)
        if transport is Way.FEED:
            yield FeedTransport(platform)
        elif url is None or secret_file is None:
            raise ConfigurationError("a webhook needs --url and --secret-file")
        else:
            yield WebhookTransport(url, [parse_secret(_text(secret_file))], platform, http)


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{path} cannot be read") from None


def _tell(party: str, outcomes: list[Outcome], *, as_json: bool) -> None:
    passed = sum(one.state == "passed" for one in outcomes)
    failed = sum(one.state == "failed" for one in outcomes)
    if as_json:
        items = [
            {"item": o.item, "state": o.state, "title": tr(*TITLES[o.item]), "why": tr(*REASONS[o.why]) if o.why else None}
            for o in outcomes
        ]  # fmt: skip
        print_json({"party": party, "passed": passed, "failed": failed, "items": items})
        return
    table = Table("", "code", tr("what is asked", "ce qui est demandé"), tr("why", "pourquoi"), box=None)
    for one in outcomes:
        table.add_row(MARK[one.state], one.item, tr(*TITLES[one.item]), tr(*REASONS[one.why]) if one.why else "")
    left = len(outcomes) - passed - failed
    Console().print(
        table,
        tr(
            f"{passed} passed, {failed} failed, {left} not checked",
            f"{passed} réussis, {failed} en échec, {left} non vérifiés",
        ),
    )
