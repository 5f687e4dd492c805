"""`opposable review list | show | resolve`: lines of verdicts that wait for a person, and the decision, archived with its reason.

A decision refuses a line, or lets it through where the law leaves room; it never makes valid what a rule of effect `invalid`
refuses. Exit codes: 0 done, 1 (for `list`) something waits longer than it may, 2 unusable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rights_client import answered, minute, view_of
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.clock import SystemClock
from shared.contracts.reviews import DecisionReason, Outcome
from shared.errors import InputError, Problem
from shared.instants import format_instant

Record = Annotated[str, typer.Argument(help="The consent: <collector>/<consent id>.")]
EXAMPLE = "opposable review resolve acme/… --refuse --reason evidence_insufficient --note 'Capture illisible'"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    review = group(app, "review", tr("Verdict lines that wait for a person.", "Lignes qui attendent une personne."))
    review.command("list", epilog="Example: opposable review list --collector acme --json")(listed)
    review.command("show", epilog="Example: opposable review show acme/…")(show)
    review.command("resolve", epilog=f"Example: {EXAMPLE}")(decide)


def listed(
    collector: Annotated[str | None, typer.Option("--collector", help="Only consents of this collector.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many records.")] = 50,
    after: Annotated[str | None, typer.Option("--after", help="The `next` of the page before.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """What waits, since when, why; the longest first."""
    wanted = {"collector": collector, "limit": limit, "after": after}
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    page = _call("GET", f"/v1/reviews?{query}", data_dir)
    now = format_instant(SystemClock().now())
    late = [one for one in page["reviews"] if one["due_at"] <= now]
    if as_json:
        print_json(page)
    else:
        table = Table(
            tr("since", "depuis"), tr("record", "consentement"), tr("lines", "lignes"), tr("why", "motifs"),
            tr("due", "échéance"), box=None,
        )  # fmt: skip
        for one in page["reviews"]:
            due = minute(one["due_at"])
            table.add_row(
                minute(one["since"]), one["record"], str(len(one["lines"])), ", ".join(one["cause"]),
                f"[red]{due}[/]" if one in late else due,
            )  # fmt: skip
        Console().print(table if page["reviews"] else tr("Nothing waits.", "Rien n’attend."))
        least = "≥ " if page["count_is_least"] else ""
        typer.echo(tr(f"{least}{page['count']} records in review", f"{least}{page['count']} consentements à examiner"))
    if late:
        raise typer.Exit(NEGATIVE)


def show(record: Record, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """The lines of one record, and what was decided of them."""
    missing = tr("no such record is indexed", "ce consentement n’est pas indexé")
    view = view_of(resolve(data_dir), f"/v1/reviews/records/{quote(record)}", missing)
    if as_json:
        print_json(view)
        return
    table = Table(
        tr("recipient", "destinataire"), tr("channel", "canal"), "verdict", tr("why", "motifs"), box=None
    )  # fmt: skip
    for line in view["verdict"]:
        table.add_row(line["recipient"] or "—", line["channel"], line["verdict"], ", ".join(line["reasons"]))
    Console().print(table)
    for one in view["decisions"]:
        typer.echo(
            f"{minute(one['decided_at'])}  {one['outcome']}  {one['reason']}  {one['author']}  {one['note'] or ''}"
        )


def decide(
    record: Record,
    *,
    accept: Annotated[bool, typer.Option("--accept/--refuse", help="Let the lines through, or refuse them.")],
    reason: Annotated[DecisionReason, typer.Option("--reason", help="Why.")],
    recipient: Annotated[str | None, typer.Option("--recipient", help="Only this prospecteur's lines.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only lines of this channel.")] = None,
    author: Annotated[str, typer.Option("--author", help="A role, never a name: dpo, legal-2.")] = "dpo",
    note: Annotated[
        str | None, typer.Option("--note", help="The reasons in words; sealed, erased with the record.")
    ] = None,
    note_file: Annotated[Path | None, typer.Option("--note-file", exists=True, help="The same, from a file.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Decide the lines of a record that are in review: archived at once, and a new verdict follows."""
    endpoints = resolve(data_dir)
    missing = tr("no such record is indexed", "ce consentement n’est pas indexé")
    view = view_of(endpoints, f"/v1/reviews/records/{quote(record)}", missing)
    lines = [
        {name: line[name] for name in ("recipient", "channel", "purpose", "sector", "object")}
        for line in view["lines"]
        if recipient in (None, line["recipient"]) and channel in (None, line["channel"])
    ]
    if not lines:
        raise InputError(
            [
                Problem(
                    "REVIEW-NOT-OPEN", "", tr("no such line is in review", "aucune ligne de ce genre n’est à examiner")
                )
            ]
        )
    body = {
        "record": record, "outcome": (Outcome.ACCEPT if accept else Outcome.REFUSE).value, "reason": reason.value,
        "author": author, "note": note_file.read_text("utf-8") if note_file is not None else note, "lines": lines,
    }  # fmt: skip
    made = _call("POST", "/v1/reviews/decisions", data_dir, body)
    if as_json:
        print_json(made)
    else:
        typer.echo(tr(f"{record}: decided ({len(lines)} lines), archived; the new verdict follows",
                      f"{record} : décision archivée ({len(lines)} lignes) ; le nouveau verdict suit"))  # fmt: skip


def _call(method: str, path: str, data_dir: DataDir, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return dict(answered(resolve(data_dir), method, path, body).json())
