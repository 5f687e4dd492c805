"""`opposable check FILE.jsonl`: may each of these messages be sent? The sending-phase rules, offline, one answer per line.

Memory stays constant whatever the length of the file. Exit codes: 0 every line was answered (no is an answer), 2 the file
cannot be read or a line has another form; the other lines are answered all the same, and a line without answer permits nothing.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from services.cli.language import tr
from services.cli.lines import bar, binary, source
from services.cli.target import UNUSABLE
from services.rights_handler.sending.book import Answer
from services.rights_handler.sending.lines import answer, read
from services.rights_handler.sending.model import SendingSettings
from shared.errors import InputError

EPILOG = "Example: opposable check sends.jsonl --why"
MOST_TOLD = 20
"""Faulty lines that are told one by one; beyond, only their number."""


def register(app: typer.Typer) -> None:
    """Add `check` to the command line."""
    app.command(name="check", epilog=EPILOG)(check)


def check(
    file: Annotated[Path, typer.Argument(help="Checks, one JSON object a line; - reads standard input.")],
    why: Annotated[bool, typer.Option("--why", help="Add the reasons in French, and what would cure them.")] = False,
    alsace_moselle: Annotated[
        bool, typer.Option("--alsace-moselle", help="Good Friday and 26 December are holidays too.")
    ] = False,
    automated_call_hours: Annotated[
        bool,
        typer.Option(
            "--automated-call-hours/--no-automated-call-hours", help="Automated calls keep the hours of calls."
        ),
    ] = True,
    appointment_minutes: Annotated[
        int, typer.Option("--appointment-minutes", min=0, max=1440, help="How far from an appointment a call may fall.")
    ] = 30,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the JSON lines: no progress bar and no summary on standard error.")
    ] = False,
) -> None:
    """Check sends offline: one line of JSON out per line in. Nothing is asked of any server, nothing is sent."""
    settings = SendingSettings(automated_call_hours, alsace_moselle, timedelta(minutes=appointment_minutes))
    out = binary(sys.stdout)
    quiet = as_json or not sys.stderr.isatty()
    tally: Counter[str] = Counter()
    with source(file, sys.stdin) as (lines, size), bar(size, tr("Checking", "Vérification"), quiet=quiet) as advance:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    found = read(line)
                except InputError as error:
                    tally["unusable"] += 1
                    _tell(number, error, tally["unusable"])
                else:
                    given = answer(found, settings)
                    out.write(orjson.dumps(_shown(found.name, given, why=why)) + b"\n")
                    tally["allowed" if given.allowed else "refused"] += 1
            advance(len(line))
    out.flush()
    if not quiet:
        _summary(tally)
    if tally["unusable"]:
        message = tr("lines cannot be used: they have no answer", "lignes inutilisables : elles n'ont pas de réponse")
        typer.echo(f"{tally['unusable']} {message}", err=True)
        raise typer.Exit(UNUSABLE)


def _shown(name: str | None, given: Answer, *, why: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": name, "allowed": given.allowed, "reasons": given.codes}
    if why:
        shown["attach_notice"] = given.attach_notice
        shown["why"] = [
            {"code": reason.code, "text_fr": reason.text_fr, "cure_fr": reason.rule.cure_fr} for reason in given.reasons
        ]
    return shown


def _tell(number: int, error: InputError, count: int) -> None:
    if count > MOST_TOLD:
        return
    for problem in error.problems:
        where = tr("line", "ligne")
        typer.echo(f"{where} {number}: {problem.code} {problem.pointer or '-'}: {problem.message}", err=True)


def _summary(tally: Counter[str]) -> None:
    counts = {name: tally[name] for name in ("allowed", "refused")}
    typer.echo(
        tr("{allowed} allowed, {refused} refused", "{allowed} permis, {refused} refusés").format(**counts), err=True
    )
