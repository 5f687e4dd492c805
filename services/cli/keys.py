"""`opposable keys status`: which secrets there are, what needs them, what is being rotated.

Nothing here ever shows a secret: a check value (16 hexadecimal digits) says which one it is. Exit codes: 0 done, 1 the answer
is no (something is missing, a drill fails), 2 the input or the system cannot be used.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from services.rights_handler.match_versions import MatchKeys
from services.rights_handler.renaming import naming_state
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.keyring.escrow import Secret
from shared.keyring.inventory import NAMES, names_in, secrets_of
from shared.keyring.kek import rotation_in_hand, rows_by_version
from shared.keyring.ring import versions_present
from shared.mongo import Client, connect
from shared.settings import Settings

HELP = "Secrets: versions, rotation, escrow, drills."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = group(app, "keys", HELP)
    keys.command("status", epilog="Example: opposable keys status --data-dir .opposable")(status)


def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every secret's versions and check values, what needs them, and what is being rotated."""
    settings = settings_of(resolve(data_dir))
    found = run(_status(settings))
    if as_json:
        print_json(found)
    else:
        _say_status(found)
    if found["missing"]:
        raise typer.Exit(NEGATIVE)


async def _status(settings: Settings) -> dict[str, Any]:
    directory = settings.secrets_dir
    secrets = [secret for name in names_in(directory) for secret in _present(directory, name)]
    client: Client = connect(settings, "keys")
    try:
        needed = await rows_by_version(client)
        rotation = await rotation_in_hand(client)
        naming = await naming_state(client)
        matching = await MatchKeys(client, SystemClock()).all()
    except PyMongoError as error:
        raise Unavailable(f"MongoDB cannot be read now ({type(error).__name__})") from error
    finally:
        await client.close()
    here = versions_present(directory, "kek")
    missing = [f"kek version {version} ({rows} record keys)" for version, rows in needed.items() if version not in here]
    newest = 1 if naming is None else naming["newest"]
    missing += [f"pepper version {v}" for v in range(1, newest + 1) if v not in versions_present(directory, "pepper")]
    missing += [name for name in NAMES if not versions_present(directory, name)]
    shown = ("phase", "to", "check", "done", "total", "begun_at", "counted_at", "done_at", "destroyed")
    return {
        "secrets": [{"name": s.name, "version": s.version, "check": s.check} for s in secrets],
        "record_keys": [{"kek": version, "rows": rows} for version, rows in needed.items()],
        "kek_rotation": None if rotation is None else {k: rotation[k] for k in shown if k in rotation},
        "pepper_rotation": None if naming is None else {k: v for k, v in naming.items() if k != "_id"},
        "match_keys": [asdict(standing) for standing in matching],
        "missing": missing,
    }


def _present(directory: Path, name: str) -> list[Secret]:
    return secrets_of(directory, (name,)) if versions_present(directory, name) else []


def _say_status(found: dict[str, Any]) -> None:
    table = Table(tr("Secret", "Secret"), tr("Version", "Version"), tr("Check value", "Valeur de contrôle"))
    for secret in found["secrets"]:
        table.add_row(secret["name"], str(secret["version"]), secret["check"])
    Console().print(table)
    for row in found["record_keys"]:
        typer.echo(
            tr("{rows} record keys under KEK {kek}", "{rows} clés d’enregistrement sous la KEK {kek}").format(**row)
        )
    rotation = found["kek_rotation"]
    if rotation is not None and rotation["phase"] != "done":
        typer.echo(tr(
            "a rotation to KEK {to} is under way: {done} of {total}; `opposable keys rotate kek` continues it",
            "une rotation vers la KEK {to} est en cours : {done} sur {total} ; `opposable keys rotate kek` la poursuit",
        ).format(**rotation))  # fmt: skip
    naming = found["pepper_rotation"]
    if naming is not None and naming["phase"] != "done":
        typer.echo(tr(
            "a rotation to pepper {to} is under way ({phase}); `opposable keys rotate pepper` continues it",
            "une rotation vers le poivre {to} est en cours ({phase}) ; `opposable keys rotate pepper` la poursuit",
        ).format(**naming))  # fmt: skip
    for one in found["match_keys"]:
        if one["phase"] != "steady":
            typer.echo(tr(
                "{party}: match key m{newest} is in rotation ({phase})",
                "{party} : clé de rapprochement m{newest} en rotation ({phase})",
            ).format(**one, newest=one["versions"][-1]))  # fmt: skip
    for name in found["missing"]:
        typer.echo(tr(f"missing here: {name}", f"absent ici : {name}"))
