"""`opposable mongo plan | apply`: the one table of what each service may do in MongoDB, against a server (shared/mongo_access).

The same look as `opposable topics`. A server that asks for no credentials has no roles to speak of: that is an error, exit code 2.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import NEGATIVE, AsJson, DataDir, print_json, resolve, run, settings_of
from shared.local_engines.engine import MONGODB
from shared.mongo_access.plan import Entry
from shared.mongo_access.provision import MongoDifference, apply_mongo, password_file, plan_mongo

Kind = Literal["missing", "stray", "roles", "password"]

Passwords = Annotated[
    Path | None,
    typer.Option("--passwords", help="Directory of <user>.password files. Default: mongodb in the secrets directory."),
]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; `apply` makes each right."""

    subject: str
    kind: Kind
    what: str
    wanted: str
    found: str


def register(app: typer.Typer) -> None:
    """Add the commands."""
    mongo = group(app, "mongo", "What each service may do in MongoDB, from one table.")
    mongo.command("plan", epilog="Example: opposable mongo plan --data-dir .opposable --json")(plan)
    mongo.command("apply", epilog="Example: opposable mongo apply --passwords /run/secrets/mongodb")(apply)


def plan(data_dir: DataDir = None, passwords: Passwords = None, as_json: AsJson = False) -> None:
    """Show what differs between the table and the server, passwords included. Exit code 1 where something does."""
    at = resolve(data_dir)
    found = differences(run(plan_mongo(settings_of(at), passwords or at.secrets_dir / MONGODB)))
    if as_json:
        print_json([asdict(one) for one in found])
    elif found:
        _table(found)
    else:
        typer.echo(tr("the server is as the table says", "le serveur est conforme à la table"))
    if found:
        raise typer.Exit(NEGATIVE)


def apply(data_dir: DataDir = None, passwords: Passwords = None, as_json: AsJson = False) -> None:
    """Make roles and users as the table says, and remove those of ours that nothing asks for.

    The password of a user is the one in its file; where there is no file, one is drawn and written there, readable by its owner
    alone. To change a password: delete its file, apply, hand the new file to the service and start it again.
    """
    at = resolve(data_dir)
    directory = passwords or at.secrets_dir / MONGODB
    found = run(apply_mongo(settings_of(at), directory))
    rights = {"added": len(found.missing), "removed": len(found.stray)}
    set_anew = sorted(found.missing_users | found.passwords)
    if as_json:
        files = {user: str(password_file(directory, user)) for user in set_anew}
        gone = sorted({*found.stray_users, *(role.name for role in found.stray_roles)})
        print_json({"rights": rights, "users": files, "roles_set": sorted(found.other_roles), "removed": gone})
        return
    typer.echo(tr(f"rights: {rights['added']} added, {rights['removed']} removed",
                  f"droits : {rights['added']} ajoutés, {rights['removed']} retirés"))  # fmt: skip
    for user in set_anew:
        typer.echo(tr(f"{user}  password in {password_file(directory, user)}",
                      f"{user}  mot de passe dans {password_file(directory, user)}"))  # fmt: skip


def differences(found: MongoDifference) -> list[Difference]:
    """Each difference as a line, sorted. Pure."""
    lines = [Difference(one.role, "missing", words(one), "allowed", "-") for one in found.missing]
    lines += [Difference(one.role, "stray", words(one), "-", "allowed") for one in found.stray]
    lines += [Difference(role.name, "missing", "role", role.database, "-") for role in found.missing_roles]
    lines += [Difference(role.name, "stray", "role", "-", role.database) for role in found.stray_roles]
    lines += [Difference(user, "missing", "user", "user", "-") for user in found.missing_users]
    lines += [Difference(user, "stray", "user", "-", "user") for user in found.stray_users]
    lines += [Difference(user, "roles", "roles", "as in the table", "others") for user in found.other_roles]
    lines += [Difference(user, "password", "password", "the one in its file", "another") for user in found.passwords]
    return sorted(lines, key=lambda one: (one.subject, one.kind, one.what))


def words(entry: Entry) -> str:
    """An entry as words: `insert vault.keys`."""
    return f"{entry.action} {entry.database}.{entry.collection}"


def _table(found: list[Difference]) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import, needed here alone
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for head in tr("role or user|difference|what|table|server", "rôle ou utilisateur|écart|objet|table|serveur").split(
        "|"
    ):
        table.add_column(head)
    for one in found:
        table.add_row(one.subject, one.kind, one.what, one.wanted, one.found)
    Console(soft_wrap=True).print(table)
