"""`opposable fsck`: checks every log again from its stored bytes, its signed checkpoints, and what Kafka still retains.

It only reads, may run beside a working system, needs constant memory, and goes on where an earlier run was interrupted. Exit codes: 0 everything holds, 1 something does
not (the first thing is named), 2 an engine or the trust file cannot be used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from services.proof_archive.fsck.report import Report
from services.proof_archive.fsck.run import Fsck
from services.proof_archive.fsck.state import StateFile
from shared.canonical import sha256_hex
from shared.crypto.policy import Policy, parse_policy
from shared.errors import ConfigurationError, IntegrityError, Unavailable
from shared.mongo import connect
from shared.settings import Settings

SHOWN = 20
"""Findings shown to people; --json has them all."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fsck", epilog="Example: opposable fsck --data-dir .opposable")(fsck)


def fsck(
    policy: Annotated[
        Path | None, typer.Option("--policy", help="The trust file; by default `policy` beside the secrets.")
    ] = None,
    kafka: Annotated[bool, typer.Option("--kafka/--no-kafka", help="Compare with what Kafka still retains.")] = True,
    state: Annotated[
        Path | None, typer.Option("--state", help="Where to remember how far it came; by default beside the secrets.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="From the beginning, whatever was checked before.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Check the logs: entries, tiles, heads, checkpoints, and the records that Kafka still retains.

    Interrupted (Ctrl-C, kill -9, an engine away), the same command goes on from the last 4 096 entries that were finished.
    """
    endpoints = resolve(data_dir)
    settings = settings_of(endpoints)
    trust_path = policy or endpoints.secrets_dir.parent / "policy"
    trust = _trust(trust_path)
    asked = {"deployment": settings.deployment, "kafka": kafka, "policy": sha256_hex(trust_path.read_bytes())}
    state = state or endpoints.secrets_dir.parent / "state" / "fsck.json"
    if restart:
        state.unlink(missing_ok=True)
    progress_file = StateFile(state, asked)
    if progress_file.resumed:
        typer.echo(
            tr("going on where the last run was interrupted", "reprise là où l’exécution précédente s’est arrêtée"),
            err=True,
        )
    report = run(_check(settings, trust, progress_file, kafka=kafka, quiet=as_json))
    if as_json:
        print_json(report.as_dict())
    else:
        _say(report)
    if report.findings:
        raise typer.Exit(NEGATIVE)


async def _check(settings: Settings, policy: Policy, state: StateFile, *, kafka: bool, quiet: bool) -> Report:
    client = connect(settings, "fsck")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bars:
        task = bars.add_task("", total=None)
        sizes: dict[str, int] = {}
        places: dict[str, int] = {}

        def progress(origin: str, done: int, total: int) -> None:
            sizes[origin], places[origin] = total, done
            bars.update(
                task, description=origin.partition("/")[2], completed=sum(places.values()), total=sum(sizes.values())
            )

        try:
            return await Fsck(client, settings, policy, progress, kafka=kafka, state=state).run()
        except PyMongoError as error:
            raise Unavailable(
                f"MongoDB cannot be read now ({type(error).__name__}); the same command goes on from here"
            ) from error
        finally:
            await client.close()


def _trust(path: Path) -> Policy:
    try:
        return parse_policy(path.read_text())
    except (OSError, UnicodeDecodeError, IntegrityError) as error:
        raise ConfigurationError(f"the trust file {path} cannot be used ({error}); give one with --policy") from error


def _say(report: Report) -> None:
    entries = sum(log.entries for log in report.logs)
    checkpoints = sum(log.checkpoints for log in report.logs)
    records = sum(log.kafka_records for log in report.logs)
    for finding in report.findings[:SHOWN]:
        typer.echo(finding.sentence())
    hidden = report.count - min(SHOWN, len(report.findings))
    if hidden > 0:
        typer.echo(tr(f"… and {hidden} more (--json)", f"… et {hidden} autres (--json)"))
    typer.echo(tr(
        f"{len(report.logs)} logs, {entries} entries, {checkpoints} signed checkpoints, {records} records of Kafka compared: "
        + (f"{report.count} things do not hold" if report.findings else "everything holds"),
        f"{len(report.logs)} journaux, {entries} entrées, {checkpoints} points de contrôle signés, {records} messages de "
        "Kafka comparés : " + (f"{report.count} anomalies" if report.findings else "tout concorde"),
    ))  # fmt: skip
