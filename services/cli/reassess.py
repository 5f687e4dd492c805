"""`opposable reassess`: has archived consents assessed again, under the rules and the registry of now.

Needed after a new rule set, and after a party was suspended or reinstated (`registry apply` does it then by itself). Reads the
archive as a stream and asks on `reassessments`; the validator answers with new verdicts, which stand beside the earlier ones,
and whoever held a permission that falls is told `permission.ended`. Exit codes: 0 asked, 2 the system cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from services.cli.language import tr
from services.cli.rules_source import Archived
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from services.proof_archive.reassessing.asking import asking, concerns
from shared.kafka.publisher import Publisher
from shared.settings import Settings

EPILOG = "Examples: opposable reassess --data-dir .opposable · opposable reassess --party acme --dry-run"
CHUNK = 500


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reassess", epilog=EPILOG)(reassess)


def reassess(
    party: Annotated[
        list[str] | None, typer.Option("--party", help="Only consents this party collected or is named in; repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be assessed again.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Assess archived consents again. What falls is told to whoever held it."""
    settings = settings_of(resolve(data_dir))
    asked = run(ask(settings, frozenset(party or ()), dry_run=dry_run, quiet=as_json))
    if as_json:
        print_json({"would_ask" if dry_run else "asked": asked})
    else:
        typer.echo(tr(f"{asked} consents to assess again", f"{asked} consentements à évaluer de nouveau"))


async def ask(settings: Settings, parties: frozenset[str], *, dry_run: bool = False, quiet: bool = True) -> int:
    """Ask for a new assessment of every archived consent that concerns one of these parties (none given: all of them)."""
    archive, publisher = Archived(settings), Publisher(settings, "operator")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    await publisher.start()
    try:
        registry = await archive.registry()
        count, chunk = 0, list[dict[str, Any]]()
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
            task = progress.add_task(tr("Reading", "Lecture"), total=await archive.size())
            async for facts in archive.consents():
                progress.advance(task)
                if facts is None or not concerns(facts, parties, registry):
                    continue
                count += 1
                chunk.append(facts)
                if len(chunk) == CHUNK:
                    await _publish(archive, publisher, chunk, dry_run=dry_run)
                    chunk = []
            await _publish(archive, publisher, chunk, dry_run=dry_run)
        return count
    finally:
        await publisher.stop()
        await archive.close()


async def _publish(archive: Archived, publisher: Publisher, chunk: list[dict[str, Any]], *, dry_run: bool) -> None:
    """An erased record has no sealed part any more: its verdict can reach nobody, and is not asked for."""
    if dry_run or not chunk:
        return
    records = [facts["record"] for facts in chunk]
    sealed, decided = await archive.sealed(records), await archive.decisions(records)
    await publisher.send_all([
        asking(facts, sealed[facts["record"]], decided.get(facts["record"], ()))
        for facts in chunk if facts["record"] in sealed
    ])  # fmt: skip
