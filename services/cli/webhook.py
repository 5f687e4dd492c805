"""`opposable webhook status | secret | retire | enable | replay`: endpoints of parties that take their events by HTTP.

Exit codes: 0 done (for `status`: every endpoint works), 1 an endpoint does not work, 2 unusable.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import ask, problems
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, settings_of
from services.webhook_relay.keys import secret_name, secret_versions
from shared.errors import ConfigurationError, InputError, Problem
from shared.keyring.ring import write_secret
from shared.local_engines.endpoints import Endpoints
from shared.webhooks import format_secret

SERVICE = "webhook_relay"
BYTES = 32
Party = Annotated[str, typer.Argument(help="Id of a registered party.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    webhook = group(app, "webhook", tr("Endpoints of parties that chose HTTP.", "Points d’accès des parties en HTTP."))
    webhook.command("status", epilog="Example: opposable webhook status --json")(status)
    webhook.command("secret", epilog="Example: opposable webhook secret canalvert")(secret)
    webhook.command("retire", epilog="Example: opposable webhook retire canalvert --version 1")(retire)
    webhook.command("enable", epilog="Example: opposable webhook enable canalvert")(enable)
    webhook.command(
        "replay",
        epilog="Example: opposable webhook replay --party canalvert --from 2026-11-01T00:00Z --to 2026-11-02T00:00Z",
    )(replay)


def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show each endpoint: whether it works, why not, when it is tried next, how much waits."""
    found = _asked(resolve(data_dir), "GET", "/v1/endpoints")["endpoints"]
    if as_json:
        print_json(found)
    else:
        table = Table(
            tr("party", "partie"), tr("state", "état"), tr("waiting", "en attente"), tr("next attempt", "prochain essai"),
            tr("cause", "cause"), box=None,
        )  # fmt: skip
        words = {
            "ok": tr("works", "répond"),
            "disabled": tr("disabled", "désactivé"),
            "left alone": tr("left alone", "au repos"),
        }
        for one in found:
            table.add_row(
                one["party"], words[one["state"]], str(one["waiting"]), one["next_at"] or "—", one["cause"] or ""
            )
        Console().print(table if found else tr("No party takes webhooks.", "Aucune partie ne reçoit de webhooks."))
    if any(one["state"] != "ok" for one in found):
        raise typer.Exit(NEGATIVE)


def secret(party: Party, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Draw a signing secret for a party: its first, or the next version. Every version kept signs: retire the former one.

    It is written in the secrets directory of this system, and shown once: hand it over by a confidential way.
    """
    directory = settings_of(resolve(data_dir)).secrets_dir
    version = 1 + max(secret_versions(directory, party), default=0)
    text = format_secret(secrets.token_bytes(BYTES))
    write_secret(directory / secret_name(party, version), f"{text}\n".encode())
    if as_json:
        print_json({"party": party, "version": version, "secret": text})
    else:
        typer.echo(text)


def retire(
    party: Party,
    version: Annotated[int, typer.Option("--version", min=1, help="Which version signs no more.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Stop signing with a version of a party's secret. The last one stays: nothing is ever sent unsigned."""
    directory = settings_of(resolve(data_dir)).secrets_dir
    versions = secret_versions(directory, party)
    if version not in versions:
        raise InputError([Problem("VERSION-UNKNOWN", "--version", "no such version is kept for this party")])
    if versions == [version]:
        raise InputError([Problem("VERSION-LAST", "--version", "the last version: draw another one first")])
    (directory / secret_name(party, version)).unlink()
    left = [one for one in versions if one != version]
    print_json({"party": party, "versions": left}) if as_json else typer.echo(f"{party}  v{', v'.join(map(str, left))}")


def enable(party: Party, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Try an endpoint again now: one that was left alone, or disabled by its answer 410."""
    answer = _asked(resolve(data_dir), "POST", f"/v1/endpoints/{party}/enable")
    print_json(answer) if as_json else typer.echo(tr(f"{party}: tried again", f"{party} : de nouveau essayé"))


def replay(
    party: Annotated[str, typer.Option("--party", help="Id of the party.")],
    start: Annotated[str, typer.Option("--from", help="First instant (RFC 3339), by when the broker stored it.")],
    end: Annotated[str, typer.Option("--to", help="Instant after the last.")],
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="withdrawals, requests, permissions, receipts; default all.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send again what a party's topics hold of a range, under the same webhook-ids: what it has counted, it counts once."""
    endpoints = resolve(data_dir)
    body: dict[str, Any] = {"party": party, "from": start, "to": end, **({"kinds": kind} if kind else {})}
    queued = 0
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
        task = progress.add_task(tr("queueing again", "remise en file"), total=None)
        while True:
            answer = _asked(endpoints, "POST", "/v1/replay", body)
            queued += answer["queued"]
            progress.update(task, description=f"{queued}")
            if answer["after"] is None:
                break
            body["after"] = answer["after"]
    if as_json:
        print_json({"party": party, "queued": queued})
    else:
        typer.echo(tr(f"{queued} events queued again for {party}", f"{queued} événements remis en file pour {party}"))


def _asked(endpoints: Endpoints, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON of a good answer. Raises InputError with the problems of another."""
    answer = ask(endpoints, method, path, body, service=SERVICE)
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise ConfigurationError(tr("the relay does not know this route", "le relais ne connaît pas cette adresse"))
    if answer.is_error:
        raise InputError(problems(answer))
    return answer.json()
