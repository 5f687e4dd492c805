"""`opposable rules replay --at DAY [FILE.jsonl | --data-dir D]`: what becomes unsendable under the law of that day.

Judges stored evidence twice, as of its receipt and as of the day, and counts what falls, by reason and by collector. It only
reads. A record that a crash published twice counts twice. Exit codes: 0 done (what falls is an
answer), 2 unusable input.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.lines import bar, source
from services.cli.rules import day_of
from services.cli.rules_source import Archived, facts_of_file, registry_of
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from services.consent_validator.replay import COLUMNS, Change, Replay
from shared.errors import InputError, Problem

EPILOG = "Examples: opposable rules replay --at 2026-08-11 evidence.jsonl --registry registry/ --csv falls.csv"
Write = Callable[[Iterable[Change]], None]


def register(app: typer.Typer) -> None:
    """Add the command."""
    rules = group(app, "rules", "The rules, as the law of a day. Not legal advice.")
    rules.command("replay", epilog=EPILOG)(replay)


def replay(
    at: Annotated[str, typer.Option("--at", help="The law of this day in Paris.")],
    file: Annotated[Path | None, typer.Argument(help="Evidence as for `assess`; default: the archive.")] = None,
    registry: Annotated[Path | None, typer.Option("--registry", help="Registry files, for a file of evidence.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write each line that falls or rises here.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what stored evidence is worth under the law of another day. Nothing is recorded or sent."""
    day = day_of(at)
    if file is not None and registry is None:
        message = tr("a file of evidence needs --registry DIR", "un fichier de preuves demande --registry DOSSIER")
        raise InputError([Problem("FIELD-MISSING", "--registry", message)])
    quiet = as_json or not sys.stderr.isatty()
    with _csv(csv_file) as write:
        if file is not None and registry is not None:
            done = Replay(day, registry_of(registry))
            _over_file(done, file, write, quiet=quiet)
        else:
            done = run(_over_archive(day, write, data_dir, quiet=quiet))
    if as_json:
        print_json(done.summary())
    else:
        _show(done)


def _over_file(done: Replay, file: Path, write: Write, *, quiet: bool) -> None:
    label = tr("Replaying", "Relecture")
    with source(file, sys.stdin) as (lines, size), bar(size, label, quiet=quiet) as advance:
        for facts, read in facts_of_file(lines, done.registry):
            if facts is not None:
                write(done.take(facts))
            advance(read)


async def _over_archive(day: Any, write: Write, data_dir: Path | None, *, quiet: bool) -> Replay:
    archive = Archived(settings_of(resolve(data_dir)))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        done = Replay(day, await archive.registry(), live=True)
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
            task = progress.add_task(tr("Replaying", "Relecture"), total=await archive.size())
            async for facts in archive.consents():
                if facts is not None:
                    write(done.take(facts))
                progress.advance(task)
        return done
    finally:
        await archive.close()


@contextmanager
def _csv(path: Path | None) -> Iterator[Write]:
    """A writer of changes; where no file is wanted it only works through them."""
    if path is None:
        yield _work_through
        return
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            yield lambda changes: writer.writerows(change.row() for change in changes)
    except OSError as error:
        message = tr("cannot be written", "ne peut être écrit")
        raise InputError([Problem("FILE-UNWRITABLE", str(path), f"{message}: {error.strerror}")]) from None


def _work_through(changes: Iterable[Change]) -> None:
    for _ in changes:
        pass


def _show(done: Replay) -> None:
    summary = done.summary()
    typer.echo(
        tr(
            "{events} consents, {lines} lines: {sendable_before} sendable at receipt, {sendable_on_day} on {at}; "
            "{falls} fall, {rises} rise (rule set {ruleset}; not legal advice)",
            "{events} consentements, {lines} lignes : {sendable_before} utilisables à réception, {sendable_on_day} au {at} ; "
            "{falls} tombent, {rises} se relèvent (jeu {ruleset} ; ceci n'est pas un conseil juridique)",
        ).format(**summary)
    )
    headings = {
        "by_reason": tr("Lines that fall, by reason", "Lignes qui tombent, par motif"),
        "by_collector": tr("by collector", "par primo-collectant"),
        "by_recipient": tr("by recipient", "par prospecteur"),
        "by_channel": tr("by channel", "par canal"),
    }
    for name, title in headings.items():
        _table(title, summary[name])


def _table(title: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    table = Table(title=title, title_justify="left", show_header=False)
    for name, count in counts.items():
        table.add_row(name or tr("(nobody named)", "(personne de nommé)"), str(count))
    Console().print(table)
