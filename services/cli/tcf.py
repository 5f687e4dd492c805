"""`opposable tcf FILE|STRING --vendors MAP.yaml`: decisions of a consent banner (IAB TCF 2) as events of the contracts.

A file has one choice a line, `{"tc_string", "browser", "at"?}`; a string stands for one, with `--browser`. Out: one event a line,
as `opposable assess` reads them. Exit codes: 0 every line gave its events, 1 a line was refused (it is named), 2 unusable input.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import yaml
from pydantic import TypeAdapter, ValidationError

from services.cli.language import tr
from services.cli.lines import bar, binary, source
from services.cli.target import NEGATIVE
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.schema import problems_of
from shared.trackers.adapter import BannerChoice, VendorMap, consent_event, unknown_vendors, withdrawal_events
from shared.trackers.tcf import decode

EPILOG = "Example: opposable tcf choices.jsonl --vendors vendors.yaml > evidence.jsonl"
_CHOICE = TypeAdapter(BannerChoice)
_MAP = TypeAdapter(VendorMap)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tcf", epilog=EPILOG)(tcf)


def tcf(
    choices: Annotated[
        str, typer.Argument(metavar="FILE|STRING", help="A file of choices (- for standard input), or a TC string.")
    ],
    vendors: Annotated[
        Path, typer.Option("--vendors", exists=True, help="YAML: vendor numbers to parties, and the banner.")
    ],
    browser: Annotated[str | None, typer.Option("--browser", help="The browser's identifier, for a TC string.")] = None,
    withdrawals: Annotated[
        bool, typer.Option("--withdrawals", help="What refusals withdraw, as stops, instead of the consents.")
    ] = False,
    erasure: Annotated[bool, typer.Option("--erasure", help="With --withdrawals: ask for erasure too.")] = False,
) -> None:
    """Turn decisions of a consent banner into events. A browser is never joined to an e-mail or a telephone number."""
    banner = _banner(vendors)
    out, refused, unknown = binary(sys.stdout), 0, 0
    quiet = not sys.stderr.isatty()
    for number, raw, advance, read in _lines(choices, browser, quiet=quiet):
        try:
            choice = _choice(raw)
            core = decode(choice.tc_string)
            unknown += unknown_vendors(core, banner)
            events = (
                withdrawal_events(choice, core, banner, erasure=erasure)
                if withdrawals else [consent_event(choice, core, banner)]
            )  # fmt: skip
        except InputError as error:
            refused += 1
            for problem in error.problems:
                typer.echo(f"{number}: {problem.code} {problem.pointer}: {problem.message}", err=True)
        else:
            received = format_instant(datetime.now(UTC))
            for event in events:
                out.write(orjson.dumps({**event, "received_at": received}) + b"\n")
        advance(read)
    out.flush()
    if unknown and not quiet:
        typer.echo(
            tr(
                f"{unknown} consents to vendors that stand for no party",
                f"{unknown} consentements à des vendeurs sans partie",
            ),
            err=True,
        )
    if refused:
        raise typer.Exit(NEGATIVE)


def _lines(choices: str, browser: str | None, *, quiet: bool) -> Iterator[tuple[int, bytes, Any, int]]:
    path = Path(choices)
    if choices != "-" and not path.exists():
        if browser is None:
            message = tr(
                "no such file; a TC string needs --browser", "fichier absent ; une chaîne TC demande --browser"
            )
            raise InputError([Problem("FIELD-MISSING", "--browser", message)])
        yield 1, orjson.dumps({"tc_string": choices, "browser": browser}), lambda _read: None, 0
        return
    label = tr("Reading choices", "Lecture des choix")
    with source(path, sys.stdin) as (lines, size), bar(size, label, quiet=quiet) as advance:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line, advance, len(line)


def _choice(raw: bytes) -> BannerChoice:
    """One choice. A field that joins the browser to a person is refused as such."""
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise InputError([Problem("JSON", "", "the line is not JSON")]) from None
    joined = (
        sorted({"email", "phone", "post", "contacts", "subject_ref"} & set(parsed)) if isinstance(parsed, dict) else []
    )
    if joined:
        message = "a choice on trackers is never joined to another contact: leave this field out"
        raise InputError([Problem("TCF-JOINED", f"/{name}", message) for name in joined])
    try:
        return _CHOICE.validate_json(raw)
    except ValidationError as error:
        raise InputError(problems_of(error, parsed)) from None


def _banner(path: Path) -> VendorMap:
    try:
        loaded = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
        body = {**loaded, "vendors": {str(k): v for k, v in loaded["vendors"].items()}}
        return _MAP.validate_json(orjson.dumps(body))
    except ValidationError as error:
        raise InputError(
            [Problem(p.code, f"{path.name}{p.pointer}", p.message) for p in problems_of(error, body)]
        ) from None
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError, AttributeError):
        message = "not a map of vendors: collector, form, recipient_list, vendors"
        raise InputError([Problem("TCF-VENDORS", path.name, message)]) from None
