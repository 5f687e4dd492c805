"""`opposable consents export permissions|withdrawals|receipts --output FILE.csv`: what a party was told, as a table.

Run again it adds what is new: the cursor stands beside the table (`FILE.csv.cursor`), written after the lines it covers; an
interruption repeats lines, by their event id, and loses none. Exit codes: 0 done, 1 done but what lay between was deleted (the
retention of the feed passed since the last run), 2 unusable.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from services.cli.consents.import_ import HELP, Url, key_of_environment
from services.cli.consents.sending import FeedGapError, party_http
from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, print_json
from shared.errors import ConfigurationError


class Feed(StrEnum):
    """What may be written down."""

    PERMISSIONS = "permissions"
    WITHDRAWALS = "withdrawals"
    RECEIPTS = "receipts"


FIELDS: Mapping[Feed, tuple[str, ...]] = {
    Feed.PERMISSIONS: (
        "record", "consent_id", "collector", "source_ref", "match_keys", "channel", "purpose", "sector", "object",
        "collected_at", "valid_until", "basis", "notice_due_at", "reasons", "stop_url", "proof_url",
    ),
    Feed.WITHDRAWALS: (
        "order_id", "stop_id", "match_keys", "consent_ids", "source_refs", "recipients", "channels", "purposes", "at", "kind",
        "ack_due_at", "reminder",
    ),
    Feed.RECEIPTS: ("event_id", "consent_id", "status", "problems", "received_at"),
}  # fmt: skip
HEAD = ("event", "told_at", "type")


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = (
        "Example: OPPOSABLE_API_KEY=… opposable consents export permissions --output permissions.csv --url https://…"
    )
    group(app, "consents", HELP).command("export", epilog=example)(export)


def export(
    feed: Annotated[Feed, typer.Argument(help="Which feed of yours.")],
    output: Annotated[Path, typer.Option("--output", help="CSV, ; between columns. What is new is added.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Write what the party was told to a table. Permissions and withdrawals are to be folded by date: docs/partners.md."""
    http = party_http(url, key_of_environment())
    cursor = output.with_name(output.name + ".cursor")
    after = cursor.read_text().strip() if cursor.exists() and output.exists() else None
    with Console(stderr=True).status("") as progress:

        def write(start: str | None) -> int:
            lines = 0
            for events, following in http.pages(feed.value, start):
                _add(output, feed, events)
                temporary = cursor.with_name(cursor.name + ".tmp")
                temporary.write_text(following + "\n")
                temporary.replace(cursor)
                lines += len(events)
                progress.update(tr(f"{lines} lines", f"{lines} lignes"))
            return lines

        gap = ""
        try:
            lines = write(after)
        except FeedGapError as error:
            gap = str(error)
            lines = write(error.earliest)
    if as_json:
        print_json({"file": str(output), "lines": lines, "resumed": after is not None, "gap": gap or None})
    else:
        typer.echo(tr(f"{lines} lines added to {output}", f"{lines} lignes ajoutées à {output}"))
    if gap:
        typer.echo(gap, err=True)
        raise typer.Exit(NEGATIVE)


def _add(output: Path, feed: Feed, events: list[dict[str, Any]]) -> None:
    try:
        new = not output.exists()
        with output.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            if new:
                os.chmod(output, 0o600)  # noqa: PTH101 - it names persons, by the party's own keys
                file.write("\ufeff")  # the mark that makes spreadsheets read UTF-8
                writer.writerow((*HEAD, *FIELDS[feed]))
            for event in events:
                kind = event["type"].removeprefix("opposable.").removesuffix(".v1")
                cells = (event["id"], event["time"], kind, *(event["data"].get(name) for name in FIELDS[feed]))
                writer.writerow([_cell(value) for value in cells])
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from None


def _cell(value: Any) -> str:
    """Lists by spaces, match keys by their key; nothing that a spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, list):
        keys = [one["key"] if isinstance(one, dict) and "key" in one else one for one in value]
        text = " ".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in keys)
    else:
        text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
