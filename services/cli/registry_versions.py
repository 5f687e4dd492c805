"""`opposable registry versions [WORD]`: every registered version with its archived time, which nobody can back-date.

Exit codes: 0 done, 1 nothing of this name, 2 the system cannot be reached.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.rules_source import Archived
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from shared.instants import format_instant
from shared.registry.view import Reference
from shared.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    registry = group(app, "registry", "Parties, agreements, lists, forms and notices.")
    registry.command("versions", epilog="Example: opposable registry versions list:acme-partners")(versions)


def versions(
    word: Annotated[str, typer.Argument(help="Only keys that hold this word.")] = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what the archive holds of the registry: key, place in the log, archived time."""
    settings = settings_of(resolve(data_dir))
    found = sorted((r for r in run(_references(settings)) if word in r.key), key=lambda reference: reference.key)
    if as_json:
        print_json({"documents": [dict(reference.facts) for reference in found]})
    else:
        table = Table(tr("Document", "Document"), tr("Place", "Place"), tr("Archived", "Archivé"))
        for reference in found:
            at = "" if reference.archived_at is None else format_instant(reference.archived_at)
            table.add_row(reference.key, str(reference.offset), at)
        Console().print(table)
    if not found:
        raise typer.Exit(NEGATIVE)


async def _references(settings: Settings) -> list[Reference]:
    archive = Archived(settings)
    try:
        return list((await archive.registry()).references())
    finally:
        await archive.close()
