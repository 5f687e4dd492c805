"""`opposable message`: what could not be written to a person, and what the operator does about it (service `notifier`).

Exit codes: 0 done, 1 a message needs somebody (`list`) or its state does not allow it, 2 the system cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from services.cli.language import tr
from services.cli.rights_client import ask, problems
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.errors import InputError

Id = Annotated[str, typer.Argument(help="The message's id, as `list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Messages to persons that failed or came back: list, show, retry, close."
    )
    group.command("list", epilog="Example: opposable message list --json")(list_)
    group.command("show", epilog="Example: opposable message show 3f9c21ab…")(show)
    group.command("retry", epilog="Example: opposable message retry 3f9c21ab…")(retry)
    group.command("close", epilog="Example: opposable message close 3f9c21ab…")(close)
    app.add_typer(group, name="message")


def list_(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every message that needs somebody: failed, bounced, or refused several times; never what it says, nor to whom."""
    found = _answer("GET", "/v1/obligations", data_dir)["obligations"]
    if as_json:
        print_json(found)
    elif not found:
        typer.echo(tr("No message needs anybody.", "Aucun message n’attend quelqu’un."))
    else:
        table = Table(
            "message", tr("what", "quoi"), tr("code", "code"), tr("attempts", "essais"), tr("due", "échéance"), box=None
        )
        for one in found:
            refs = one["refs"]
            table.add_row(refs["message"], f"{one['kind']} ({refs['channel']}, {refs['template']})", one["code"] or "",
                          str(one["attempts"]), one["due_at"])  # fmt: skip
        Console().print(table)
    if found:
        raise typer.Exit(NEGATIVE)


def show(message: Id, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show where one message stands, and all that happened to it."""
    _told(_answer("GET", f"/v1/messages/{message}", data_dir), as_json=as_json)


def retry(message: Id, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Put a failed message back, to be sent at once."""
    _told(_answer("POST", f"/v1/messages/{message}/retry", data_dir), as_json=as_json)


def close(message: Id, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Say that a message that failed or came back was dealt with otherwise."""
    _told(_answer("POST", f"/v1/messages/{message}/close", data_dir), as_json=as_json)


def _answer(method: str, path: str, data_dir: Any) -> dict[str, Any]:
    answer = ask(resolve(data_dir), method, path, service="notifier")
    if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.CONFLICT):
        typer.echo(str(answer.json().get("title")), err=True)
        raise typer.Exit(NEGATIVE)
    if answer.status_code != httpx.codes.OK:
        raise InputError(problems(answer))
    return dict(answer.json())


def _told(view: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    typer.echo(f"{view['id']}  {view['state']}  {view['channel']}  {view['template']}")
    for entry in view["history"]:
        typer.echo(f"  {entry['at']}  {entry['what']:<9} {entry['code']}")
