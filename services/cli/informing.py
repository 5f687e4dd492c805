"""`opposable notices overdue | text`: the information of RGPD 14, who has not given it in time, and its text in French.

A party uses its own key (OPPOSABLE_API_KEY) and needs no `--party`. Exit codes: 0 nothing is overdue (for `text`: here it is),
1 some persons have not been informed (no notice goes with this record), 2 the input or the system cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import ask, problems
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.errors import InputError
from shared.local_engines.endpoints import Endpoints

MOST = 100_000
"""Persons listed at most."""

Party = Annotated[str | None, typer.Option("--party", help="Whose; a party's own key needs none.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    notices = group(app, "notices", tr("Information of persons (RGPD 14).", "Information des personnes (RGPD 14)."))
    notices.command("overdue", epilog="Example: opposable notices overdue --party canalvert --json")(overdue)
    notices.command("text", epilog="Example: opposable notices text acme/0190f6c2-… --party canalvert")(text)


def overdue(
    party: Party = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="At most so many.")] = 1000,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the persons that a party has not informed within the month, the oldest first."""
    endpoints = resolve(data_dir)
    found: list[dict[str, Any]] = []
    with Progress(console=Console(stderr=True), transient=True, disable=as_json or limit <= 1000) as progress:  # noqa: PLR2004
        task = progress.add_task(tr("reading", "lecture"), total=None)
        for page in _pages(endpoints, party, limit):
            found += page
            progress.update(task, completed=len(found))
    if as_json:
        print_json(found)
    else:
        table = Table(tr("record", "consentement"), tr("received", "reçu le"), tr("was due", "échéance"), box=None)
        for one in found:
            table.add_row(one["record"], one["received_at"][:10], one["due_at"][:10])
        Console().print(table if found else tr("Nobody waits to be informed.", "Personne n'attend d'être informé."))
    if found:
        raise typer.Exit(NEGATIVE)


def text(
    record: Annotated[str, typer.Argument(help="A consent: <collector>/<consent id>.")],
    party: Party = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print the notice to attach to the first message, one for each use that is permitted now."""
    query = urlencode({"record": record, **({"recipient": party} if party else {})})
    answer = ask(resolve(data_dir), "GET", f"/v1/notices/text?{query}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        typer.echo(problems(answer)[0].message, err=True)
        raise typer.Exit(NEGATIVE)
    if answer.status_code != httpx.codes.OK:
        raise InputError(problems(answer))
    if as_json:
        print_json(answer.json())
        return
    for one in answer.json()["notices"]:
        typer.echo(f"--- {one['channel']} · {one['purpose']} · {one['sector']}")
        typer.echo(one["text_fr"])
        if one["lacks"]:
            typer.echo(tr("lacks: ", "manque : ") + ", ".join(one["lacks"]), err=True)


def _pages(endpoints: Endpoints, party: str | None, limit: int) -> Iterator[list[dict[str, Any]]]:
    after: str | None = None
    left = limit
    while left > 0:
        words = {
            "limit": str(min(left, 500)),
            **({"party": party} if party else {}),
            **({"after": after} if after else {}),
        }
        answer = ask(endpoints, "GET", f"/v1/notices/overdue?{urlencode(words)}")
        if answer.status_code != httpx.codes.OK:
            raise InputError(problems(answer))
        body = answer.json()
        yield body["overdue"]
        left -= len(body["overdue"])
        after = body["next"]
        if after is None:
            return
