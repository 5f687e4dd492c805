"""`opposable backup create | check | restore`: copies of the databases, taken while everything runs, and putting one back."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from shared.backup import create as creating
from shared.backup.check import Checked, check
from shared.backup.manifest import DATABASES, Manifest, fingerprint, read_manifest
from shared.backup.positions import positions
from shared.backup.restore import Restored, restore
from shared.clock import SystemClock
from shared.errors import ConfigurationError
from shared.mongo import connect
from shared.settings import Settings

SHOWN = 20
_LENGTH = re.compile(r"([1-9][0-9]{0,3})([hd])")
Directory = Annotated[Path, typer.Argument(help="Directory of the copy.")]
Chosen = Annotated[
    list[str] | None, typer.Option("--database", help=f"Only this one, may be repeated: {', '.join(DATABASES)}.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    backup = group(app, "backup", "Copies of the databases, and putting one back beside the Kafka that outlived them.")
    backup.command("create", epilog="Example: opposable backup create copies/2026-11-27T02 --data-dir .opposable")(
        create
    )
    backup.command("check", epilog="Example: opposable backup check copies/2026-11-27T02 --interval 24h")(check_copy)
    backup.command("restore", epilog="Example: opposable backup restore copies/2026-11-27T02")(restore_copy)


def create(directory: Directory, database: Chosen = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take a copy while everything runs, into a new directory. It holds no key that opens it: keep the secrets apart (`keys escrow`)."""
    settings, chosen = settings_of(resolve(data_dir)), _databases(database)

    async def work() -> Manifest:
        client = connect(settings, "backup")
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        try:
            with Progress(*columns, console=Console(stderr=True), disable=as_json) as bars:
                task = bars.add_task("", total=None)
                return await creating.create(
                    settings, client, directory, SystemClock(), databases=chosen,
                    progress=lambda name, documents: bars.update(task, description=f"{name}: {documents}"),
                )  # fmt: skip
        finally:
            await client.close()

    manifest = run(work())
    if as_json:
        print_json({"directory": str(directory), "documents": manifest.documents, "begun_at": manifest.begun_at,
                    "ended_at": manifest.ended_at, "manifest_sha256": fingerprint(directory)})  # fmt: skip
        return
    typer.echo(tr(f"{manifest.documents} documents of {len(manifest.databases)} databases in {directory}",
                  f"{manifest.documents} documents de {len(manifest.databases)} bases dans {directory}"))  # fmt: skip
    typer.echo(
        tr(
            f"manifest {fingerprint(directory)}: note it elsewhere",
            f"manifeste {fingerprint(directory)} : à noter ailleurs",
        )
    )


def check_copy(
    directory: Directory,
    interval: Annotated[
        str | None,
        typer.Option("--interval", help="Time between two copies, as 24h or 7d. Default: the age of this one."),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Would this copy bring the system back now? Its files are whole, and Kafka holds what came after it. Exit code 1 if not."""
    settings, manifest, length = settings_of(resolve(data_dir)), read_manifest(directory), _length(interval)

    async def work() -> Checked:
        async with positions(settings) as kafka:
            return await check(directory, manifest, kafka, now=SystemClock().now(), interval=length)

    found = run(work())
    if as_json:
        print_json({**asdict(found), "manifest_sha256": fingerprint(directory), "begun_at": manifest.begun_at})
    else:
        _say(found, manifest)
    if found:
        raise typer.Exit(NEGATIVE)


def restore_copy(
    directory: Directory, database: Chosen = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Put a copy into empty databases, services stopped, and let what came after be done again.

    Exit code 1 where something cannot be opened any more: it is named. The rights handler answers nobody before it has read stops and
    erasures again to their ends.
    """
    settings = settings_of(resolve(data_dir))
    chosen = None if database is None else _databases(database)
    found = run(restored(settings, directory, chosen))
    if as_json:
        print_json(asdict(found))
    else:
        _tell(found)
    if found.lost or found.shredded:
        raise typer.Exit(NEGATIVE)


async def restored(settings: Settings, directory: Path, databases: tuple[str, ...] | None) -> Restored:
    """`restore` with a client of its own."""
    client = connect(settings, "restore")
    try:
        return await restore(settings, client, directory, SystemClock(), databases=databases)
    finally:
        await client.close()


def _databases(named: list[str] | None) -> tuple[str, ...]:
    unknown = sorted(set(named or ()) - set(DATABASES))
    if unknown:
        raise ConfigurationError(f"no such database: {', '.join(unknown)}; there are {', '.join(DATABASES)}")
    return tuple(named) if named else DATABASES


def _length(text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise ConfigurationError(f"{text!r} is no length of time: 24h, 7d")
    return timedelta(hours=int(match[1])) if match[2] == "h" else timedelta(days=int(match[1]))


def _say(found: Checked, manifest: Manifest) -> None:
    for sentence in found.files:
        typer.echo(sentence)
    for gap in found.gaps:
        typer.echo(tr(f"{gap.partition}: records {gap.first} to {gap.last} are gone, {gap.group} would miss them",
                      f"{gap.partition} : messages {gap.first} à {gap.last} disparus, ils manqueraient à {gap.group}"))  # fmt: skip
    for topic in found.short:
        typer.echo(tr(f"{topic} keeps records for less than the interval of copies and a day to mend",
                      f"{topic} conserve moins longtemps que l’intervalle des copies et un jour pour réparer"))  # fmt: skip
    if not found:
        typer.echo(tr(f"the copy of {manifest.begun_at} would bring the system back: {manifest.documents} documents, nothing missing after it",
                      f"la copie du {manifest.begun_at} rétablirait le système : {manifest.documents} documents, rien ne manque après elle"))  # fmt: skip


def _tell(found: Restored) -> None:
    typer.echo(tr(f"{found.documents} documents put back; {len(found.groups)} groups will do again what came after",
                  f"{found.documents} documents remis ; {len(found.groups)} consommateurs referont ce qui a suivi"))  # fmt: skip
    typer.echo(tr(f"{found.erased_again} keys destroyed again, {found.restricted_again} records restricted again",
                  f"{found.erased_again} clés détruites de nouveau, {found.restricted_again} dossiers limités de nouveau"))  # fmt: skip
    lines: tuple[tuple[tuple[str, ...], Any], ...] = (
        (found.lost, tr("its key was made after the copy and is lost", "sa clé, créée après la copie, est perdue")),
        (
            found.shredded,
            tr(
                "its text was destroyed by order: it blocks nobody any more",
                "son texte a été détruit sur ordre : il ne bloque plus personne",
            ),
        ),
    )
    for names, why in lines:
        for name in names[:SHOWN]:
            typer.echo(f"{name}  {why}")
        if len(names) > SHOWN:
            typer.echo(tr(f"… and {len(names) - SHOWN} more (--json)", f"… et {len(names) - SHOWN} autres (--json)"))
