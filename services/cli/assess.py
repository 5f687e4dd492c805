"""`opposable assess FILE.jsonl --registry DIR`: what the rules say of evidence, offline, one JSON line out per line in.

Memory stays constant whatever the length of the file. Exit codes: 0 every line was answered (a refused line is an answer),
2 the file or the registry cannot be used.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from services.cli.language import tr
from services.cli.lines import bar, binary, source
from services.consent_validator.dry_run import assess_line, unreadable
from services.consent_validator.rules.days import start_of
from shared.contracts.types import lenient_instant
from shared.errors import InputError, Problem
from shared.registry.load import load_dir, view_of
from shared.registry.view import RegistryView

EPILOG = "Example: opposable assess evidence.jsonl --registry registry/ --at 2026-09-01T08:00:00Z"


def register(app: typer.Typer) -> None:
    """Add `assess` to the command line."""
    app.command(name="assess", epilog=EPILOG)(assess)


def assess(
    file: Annotated[Path, typer.Argument(help="Evidence, one JSON object a line; - reads standard input.")],
    registry: Annotated[Path, typer.Option("--registry", help="Directory of registry files (YAML).")],
    at: Annotated[
        str | None, typer.Option("--at", help="Evaluate at this instant or day (default: when each was received).")
    ] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Add the facts that made each rule fire, in French, and what would cure it.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only the JSON lines: no progress bar and no summary on standard error.")
    ] = False,
) -> None:
    """Assess evidence offline: one line of JSON out per line in. Nothing is recorded or sent."""
    instant = _instant(at)
    view = view_of(load_dir(registry))
    out = binary(sys.stdout)
    quiet = as_json or not sys.stderr.isatty()
    tally: Counter[str] = Counter()
    with source(file, sys.stdin) as (lines, size), bar(size, tr("Assessing", "Évaluation"), quiet=quiet) as advance:
        for answer, read in _answers(lines, view, instant, why=why):
            out.write(orjson.dumps(answer) + b"\n")
            tally[answer["status"]] += 1
            tally.update(line["verdict"] for line in answer["lines"])
            advance(read)
    out.flush()
    if not quiet:
        _summary(tally)


def _answers(
    lines: Iterable[bytes], view: RegistryView, at: datetime | None, *, why: bool
) -> Iterator[tuple[dict[str, Any], int]]:
    """Each line's answer, and how many bytes it took. Blank lines are no lines."""
    for line in lines:
        if not line.strip():
            continue
        try:
            parsed = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield unreadable(), len(line)
        else:
            yield assess_line(parsed, view, at=at, why=why), len(line)


def _instant(text: str | None) -> datetime | None:
    """An instant, or the midnight in Paris at which a day starts."""
    if text is None:
        return None
    instant = lenient_instant(text)
    if instant is not None:
        return instant
    try:
        return start_of(date.fromisoformat(text))
    except ValueError:
        message = tr(
            "an instant with its zone, or a day (2026-09-01)", "un instant avec son fuseau, ou un jour (2026-09-01)"
        )
        raise InputError([Problem("FIELD-FORMAT", "--at", message)]) from None


def _summary(tally: Counter[str]) -> None:
    counts = {name: tally[name] for name in ("accepted", "rejected", "valid", "review", "invalid")}
    typer.echo(
        tr(
            "{accepted} accepted, {rejected} refused; lines: {valid} valid, {review} to review, {invalid} invalid",
            "{accepted} acceptés, {rejected} refusés ; lignes : {valid} valides, {review} à revoir, {invalid} invalides",
        ).format(**counts),
        err=True,
    )
