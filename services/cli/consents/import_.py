"""`opposable consents import FILE.csv`: a table of consents becomes events of a party, each followed to its receipt.

Exit codes: 0 every line was accepted, 1 some were refused (they stand in FILE.rejects.csv with their reason), 2 unusable.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.consents.rows import COLUMNS, Reader, template_of
from services.cli.consents.sending import PartyHttp, party_http
from services.cli.groups import group
from services.cli.language import tr
from services.cli.lines import bar
from services.cli.rights_client import KEY_VARIABLE
from services.cli.stop_import.journal import Journal, Reject
from services.cli.stop_import.layout import Layout, layout_of
from services.cli.stop_import.sending import Batch, batches, lines_of
from services.cli.target import NEGATIVE, AsJson, print_json, url_variable
from shared.errors import Problem
from shared.keyring.ring import write_secret

SECRET_BYTES = 32
EXAMPLES_MOST = 20
"""Faults that a dry run shows one by one."""
EXAMPLES = (
    "Examples: opposable consents import leads.csv --party acme --template consent.json --dry-run · "
    "OPPOSABLE_API_KEY=… opposable consents import leads.csv --party acme --template consent.json --url https://… · "
    "opposable consents import leads.csv.rejects.csv … (once corrected). Columns: docs/partners.md."
)
HELP = "A party's consents: published from a table, what it was told as a table."
Url = Annotated[str | None, typer.Option("--url", envvar=url_variable("collector"), help="Address of the collector.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    group(app, "consents", HELP).command("import", epilog=EXAMPLES)(take_in)


def take_in(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV: , ; or tab; UTF-8 or Windows-1252.")
    ],
    party: Annotated[str, typer.Option("--party", help="Your party id.")],
    *,
    template: Annotated[
        Path | None, typer.Option("--template", help="JSON of what is the same on every line: form, list, decisions…")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read and check; nothing is sent or written.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="From the first line, even where it was interrupted.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Publish a table of consents with the party's own key. The same line twice is one consent; interrupted, it goes on.

    Exit codes: 0 every line accepted, 1 some refused (FILE.rejects.csv says why), 2 unusable.
    """
    layout = layout_of(file, COLUMNS)
    given = template_of(template)
    if dry_run:
        refused = _look(file, layout, Reader(party, given, bytes(SECRET_BYTES)), as_json=as_json)
        raise typer.Exit(NEGATIVE if refused else 0)
    http = party_http(url, key_of_environment())
    reader = Reader(party, given, _secret(file))
    journal = Journal(file, layout, again=again)
    resumed, warned, at = journal.progress.rows, Counter[str](), 0
    http.follow_receipts()
    with bar(layout.size, file.name, quiet=as_json) as advance:

        def told(position: int) -> None:
            nonlocal at
            advance(position - at)
            at = position

        for batch in batches(lines_of(file, layout, told), layout, resumed, reader):
            _send(http, batch, journal, warned)
    journal.done()
    done = journal.progress
    if as_json:
        print_json({"file": file.name, "rows": done.rows, "accepted": done.queued, "rejected": done.rejected, "resumed_from": resumed,
                    "warnings": dict(warned), "rejects_file": str(journal.rejects) if done.rejected else None})  # fmt: skip
    else:
        typer.echo(
            tr(
                f"{done.queued} accepted, {done.rejected} refused.",
                f"{done.queued} acceptées, {done.rejected} refusées.",
            )
        )
        _count(warned)
        if done.rejected:
            typer.echo(tr(f"The reasons: {journal.rejects}", f"Les raisons : {journal.rejects}"))
    if done.rejected:
        raise typer.Exit(NEGATIVE)


def key_of_environment() -> str | None:
    """The party's key: OPPOSABLE_API_KEY, or the file that OPPOSABLE_API_KEY_FILE names."""
    path = os.environ.get(f"{KEY_VARIABLE}_FILE")
    return Path(path).read_text().strip() if path else os.environ.get(KEY_VARIABLE)


def _send(http: PartyHttp, batch: Batch, journal: Journal, warned: Counter[str]) -> None:
    rejects = list(batch.rejects)
    if batch.rows:
        http.publish(batch.rows)
        receipts = http.receipts(row["id"] for row in batch.rows)
        for (number, cells), row in zip(batch.lines, batch.rows, strict=True):
            receipt = receipts[row["id"]]
            problems = [Problem(p["code"], p["pointer"], p["message"]) for p in receipt["problems"]]
            if receipt["status"] in ("accepted", "duplicate"):
                warned.update(p.code for p in problems)
            else:
                rejects.append((number, cells, problems or [Problem(str(receipt["status"]).upper(), "", "refused")]))
    journal.batch(batch.count, batch.count - len(rejects), sorted(rejects, key=_line))


def _line(reject: Reject) -> int:
    return reject[0]


def _secret(file: Path) -> bytes:
    """The key of the ids made for this file, drawn when it is first needed and kept beside it."""
    path = file.with_name(file.name + ".ids-key")
    if not path.exists():
        write_secret(path, secrets.token_hex(SECRET_BYTES).encode())
    return bytes.fromhex(path.read_text().strip())


def _look(file: Path, layout: Layout, reader: Reader, *, as_json: bool) -> int:
    """Read it whole without sending; how many lines would be refused here (the platform may refuse more)."""
    rows, refused, codes, examples = 0, 0, Counter[str](), list[dict[str, Any]]()
    with bar(None, file.name, quiet=as_json) as advance:
        for batch in batches(lines_of(file, layout, advance), layout, 0, reader):
            rows += batch.count
            refused += len(batch.rejects)
            for number, _, problems in batch.rejects:
                codes.update(p.code for p in problems)
                examples += [{"line": number, **p.as_dict()} for p in problems] if len(examples) < EXAMPLES_MOST else []
    if as_json:
        columns = {field: layout.header[place] for field, place in layout.places.items()}
        print_json({"encoding": layout.encoding, "separator": layout.separator, "columns": columns, "rows": rows,
                    "refused": refused, "reasons": dict(codes), "examples": examples})  # fmt: skip
        return refused
    typer.echo(tr(f"{rows} lines, {refused} would be refused.", f"{rows} lignes, {refused} seraient refusées."))
    _count(codes)
    for one in examples:
        typer.echo(f"  {one['line']}: {one['code']} {one['pointer'] or '-'} {one['message']}")
    return refused


def _count(codes: Iterable[str] | Counter[str]) -> None:
    for code, count in sorted(Counter(codes).items()):
        typer.echo(f"  {code}  {count}")
