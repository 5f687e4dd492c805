"""`opposable hold add | list | review | release`: legal holds, which keep data from being destroyed (RGPD 17(3)(e)).

What a hold names is restricted rather than erased until the hold is released. Each act is an entry of the log. Exit codes: 0
done, 1 (for `list`) a hold is past its review date, 2 unusable.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import ask, problems
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.errors import InputError, Problem

Id = Annotated[str, typer.Argument(help="Your id of the hold, such as case-2026-14: a-z, 0-9, dots and hyphens.")]
Review = Annotated[str, typer.Option("--review", help="When somebody must look again: YYYY-MM-DD.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    hold = group(app, "hold", tr("Legal holds.", "Gels pour procédure."))
    example = "opposable hold add case-14 --record acme/… --author legal --reason litigation --review 2027-06-30"
    hold.command("add", epilog=f"Example: {example}")(add)
    hold.command("list", epilog="Example: opposable hold list --released --json")(listed)
    hold.command("review", epilog="Example: opposable hold review case-14 --review 2027-12-31")(review)
    hold.command("release", epilog="Example: opposable hold release case-14")(release)


def add(
    hold_id: Id,
    *,
    record: Annotated[str | None, typer.Option("--record", help="A consent: <collector>/<consent id>.")] = None,
    contact: Annotated[str | None, typer.Option("--contact", help="A person: type:value.")] = None,
    party: Annotated[str | None, typer.Option("--party", help="All that a party collected or may hold.")] = None,
    author: Annotated[str, typer.Option("--author", help="A role, never a name: dpo, legal-2.")],
    reason: Annotated[
        str, typer.Option("--reason", help="litigation, complaint, authority_request, audit, investigation.")
    ],
    review_at: Review,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put a hold on a record, a person or a party."""
    scopes = [(name, value) for name, value in (("record", record), ("contact", contact), ("party", party)) if value]
    if len(scopes) != 1:
        raise InputError([Problem("HOLD-SCOPE", "", "give --record, --contact or --party, one of the three")])
    (scope, value), *_ = scopes
    body = {
        "id": hold_id, "scope": scope, "value": value, "author": author, "reason": reason,
        "review_at": _instant(review_at),
    }  # fmt: skip
    view = _call("POST", "/v1/holds", data_dir, body)
    if as_json:
        print_json(view)
        return
    typer.echo(tr(f"{hold_id}: on", f"{hold_id} : en vigueur"))
    for late in view["too_late"]:
        typer.echo(tr(f"too late for {late}: erased", f"trop tard pour {late} : effacé"), err=True)


def listed(
    released: Annotated[bool, typer.Option("--released", help="Also those that are over.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List holds, the first to review first."""
    suffix = "?released=true" if released else ""
    holds = _call("GET", f"/v1/holds{suffix}", data_dir)["holds"]
    if as_json:
        print_json(holds)
    else:
        table = Table(
            tr("hold", "gel"), tr("scope", "portée"), tr("author", "auteur"), tr("reason", "motif"),
            tr("review", "réexamen"), tr("state", "état"), box=None,
        )  # fmt: skip
        for one in holds:
            state = tr("released", "levé") if one["released_at"] else tr("on", "en vigueur")
            if one["overdue"]:
                state = f"[red]{tr('review overdue', 'réexamen en retard')}[/]"
            table.add_row(
                one["id"],
                f"{one['scope']} {one['value'] or ''}",
                one["author"],
                one["reason"],
                one["review_at"][:10],
                state,
            )
        Console().print(table if holds else tr("No hold.", "Aucun gel."))
    if any(one["overdue"] for one in holds):
        raise typer.Exit(NEGATIVE)


def review(hold_id: Id, *, review_at: Review, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Say that a hold was looked at and goes on."""
    view = _call("POST", f"/v1/holds/{quote(hold_id)}/review", data_dir, {"review_at": _instant(review_at)})
    if as_json:
        print_json(view)
    else:
        typer.echo(tr(f"{hold_id}: until {review_at}", f"{hold_id} : jusqu’au {review_at}"))


def release(hold_id: Id, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """End a hold: what it kept is erased now, unless something else keeps it."""
    view = _call("POST", f"/v1/holds/{quote(hold_id)}/release", data_dir, {})
    if as_json:
        print_json(view)
    else:
        count = len(view["looked_at_again"])
        typer.echo(tr(
            f"{hold_id}: released; records looked at again: {count}",
            f"{hold_id} : levé ; consentements réexaminés : {count}",
        ))  # fmt: skip


def _call(method: str, path: str, data_dir: DataDir, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = ask(resolve(data_dir), method, path, body)
    if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
        raise InputError(problems(answer))
    document: dict[str, Any] = answer.json()
    return document


def _instant(day: str) -> str:
    """The last moment of a day, in UTC; an instant stays what it is (the service checks it)."""
    return day if "T" in day else f"{day}T23:59:59.000Z"
