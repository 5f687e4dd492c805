"""`opposable stop import FILE.csv`: an opposition list that exists already becomes stops, before permissions are opened.

Exit codes: 0 every line was taken in, 1 some were refused (they stand in FILE.rejects.csv with their reason), 2 unusable.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.groups import group
from services.cli.language import tr
from services.cli.stop_import.journal import Journal
from services.cli.stop_import.layout import Layout, layout_of
from services.cli.stop_import.sending import batches, lines_of, send
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve
from shared.local_engines.endpoints import Endpoints

PER_SECOND = 500.0
EXAMPLES = (
    "Examples: opposable stop import oppositions.csv --check · opposable stop import oppositions.csv · "
    "opposable stop import oppositions.csv.rejects.csv (once corrected). Columns, in French or English: contact (or courriel, "
    "téléphone, adresse), date, source, and optionally canaux, destinataires, finalités, partie, pays."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    stop = group(app, "stop", tr("Withdrawals, objections, STOP.", "Retraits, oppositions, STOP."))
    stop.command("import", epilog=EXAMPLES)(take_in)


def take_in(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV: , ; or tab; UTF-8 or Windows-1252.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would be read; nothing is sent or written.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="From the first line, even where an import was interrupted.")
    ] = False,
    per_second: Annotated[float, typer.Option("--per-second", min=1, help="Rows a second at most.")] = PER_SECOND,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take in an opposition list. The same row twice is one stop; an interrupted import goes on where it stood.

    Exit codes: 0 every line taken in, 1 some refused (FILE.rejects.csv says why), 2 unusable.
    """
    layout = layout_of(file)
    if check:
        refused = _check(file, layout, as_json=as_json)
        raise typer.Exit(NEGATIVE if refused else 0)
    endpoints = resolve(data_dir)
    journal = Journal(file, layout, again=again)
    resumed = journal.progress.rows
    _send_all(endpoints, file, layout, journal, per_second)
    journal.done()
    done = journal.progress
    if as_json:
        print_json({
            "file": file.name, "encoding": layout.encoding, "separator": layout.separator, "rows": done.rows,
            "queued": done.queued, "rejected": done.rejected, "resumed_from": resumed,
            "rejects_file": str(journal.rejects) if done.rejected else None,
        })  # fmt: skip
    else:
        typer.echo(
            tr(
                f"{done.queued} taken in, {done.rejected} refused.",
                f"{done.queued} reprises, {done.rejected} refusées.",
            )
        )
        if done.rejected:
            typer.echo(tr(f"The reasons: {journal.rejects}", f"Les raisons : {journal.rejects}"))
    if done.rejected:
        raise typer.Exit(NEGATIVE)


def _send_all(endpoints: Endpoints, file: Path, layout: Layout, journal: Journal, per_second: float) -> None:
    with _bar() as bar:
        task = bar.add_task(file.name, total=layout.size)
        lines = lines_of(file, layout, lambda at: bar.update(task, completed=at))
        started, sent = time.monotonic(), 0
        for batch in batches(lines, layout, journal.progress.rows):
            send(endpoints, batch, journal)
            sent += batch.count
            ahead = sent / per_second - (time.monotonic() - started)
            if ahead > 0:
                time.sleep(ahead)
        bar.update(task, completed=layout.size)


def _check(file: Path, layout: Layout, *, as_json: bool) -> int:
    """Read it whole without sending; returns how many lines would be refused here (the service may refuse more)."""
    rows, refused, codes = 0, 0, dict[str, int]()
    with _bar() as bar:
        task = bar.add_task(file.name, total=layout.size)
        for batch in batches(lines_of(file, layout, lambda at: bar.update(task, completed=at)), layout, 0):
            rows += batch.count
            refused += len(batch.rejects)
            for _, _, problems in batch.rejects:
                for problem in problems:
                    codes[problem.code] = codes.get(problem.code, 0) + 1
    columns = {field: layout.header[place] for field, place in layout.places.items()}
    if as_json:
        print_json({"encoding": layout.encoding, "separator": layout.separator, "columns": columns, "rows": rows,
                    "refused": refused, "reasons": codes})  # fmt: skip
    else:
        typer.echo(
            f"{layout.encoding} · {layout.separator!r} · " + " · ".join(f"{f} ← {t}" for f, t in columns.items())
        )
        typer.echo(tr(f"{rows} lines, {refused} not understood.", f"{rows} lignes, {refused} incomprises."))
        for code, count in sorted(codes.items()):
            typer.echo(f"  {code}  {count}")
    return refused


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
