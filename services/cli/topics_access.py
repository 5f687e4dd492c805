"""The access part of `opposable topics plan | apply`, and `opposable party onboard | rotate | offboard`: credentials of a party.

A Kafka without an authorizer has no access lists: that is said, and the topics are planned and applied all the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from shared.access.cluster import NoAuthorizerError, Quotas, access_admin
from shared.access.plan import Entry
from shared.access.provision import AccessDifference, apply_access, plan_access
from shared.errors import ConfigurationError
from shared.keyring.ring import write_secret
from shared.registry.publish import registered_parties
from shared.settings import Settings

PASSWORD_BYTES = 32
_Work = Callable[[str], Coroutine[Any, Any, None]]
Party = Annotated[str, typer.Argument(help="Id of a registered party.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", help="File for the password, readable by its owner alone. Default: standard output."),
]


async def access_differences(settings: Settings, parties: Collection[str]) -> AccessDifference | None:
    """What differs in the access lists; None where the cluster has none."""
    try:
        return await plan_access(settings, parties)
    except NoAuthorizerError:
        return None


async def set_access(settings: Settings, quotas: Quotas) -> AccessDifference | None:
    """Make the access lists and quotas right for every registered party; None where the cluster has none."""
    try:
        return await apply_access(settings, await registered_parties(settings), quotas)
    except NoAuthorizerError:
        return None


def words(entry: Entry) -> str:
    """An entry as a line: `acme READ topic out.acme.requests`."""
    ending = "*" if entry.name.endswith(".") else ""
    return f"{entry.principal} {entry.operation.name} {entry.resource.name.lower()} {entry.name}{ending}"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    party = group(app, "party", "Parties: collectors and prospecteurs.")
    party.command("onboard", epilog="Example: opposable party onboard acme --output acme.password")(onboard)
    party.command("rotate", epilog="Example: opposable party rotate acme --output acme.password")(rotate)
    party.command("offboard", epilog="Example: opposable party offboard acme")(offboard)


def onboard(
    party: Party,
    output: Output = None,
    written: Annotated[
        int, typer.Option("--produce-bytes", min=1024, help="Bytes a second it may write.")
    ] = Quotas().written,
    read: Annotated[int, typer.Option("--consume-bytes", min=1024, help="Bytes a second it may read.")] = Quotas().read,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a registered party its Kafka user: a password, what it may read and write, quotas. Its topics exist already.

    Register it first (`opposable registry apply`, `opposable topics apply`). Running it again rotates the password.
    """
    settings = settings_of(resolve(data_dir))

    async def work(password: str) -> None:
        parties = await registered_parties(settings)
        _known(party, parties)
        await apply_access(settings, parties)
        async with access_admin(settings) as admin:
            await admin.quotas([party], Quotas(written, read))
            await admin.credentials({party: password})

    _hand_over(party, output, as_json, work)


def rotate(party: Party, output: Output = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Draw a new password. The former one opens no new connection from now on; those that are open go on."""
    settings = settings_of(resolve(data_dir))

    async def work(password: str) -> None:
        _known(party, await registered_parties(settings))
        async with access_admin(settings) as admin:
            await admin.credentials({party: password})

    _hand_over(party, output, as_json, work)


def offboard(party: Party, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take the user away: no credentials, no access. The party stays registered and its topics keep what they hold."""
    settings = settings_of(resolve(data_dir))

    async def work() -> int:
        async with access_admin(settings) as admin:
            entries = {entry for entry in await admin.entries() if entry.principal == party}
            await admin.forget([party])
            await admin.remove(entries)
        return len(entries)

    removed = run(work())
    if as_json:
        print_json({"party": party, "entries_removed": removed})
        return
    typer.echo(tr(f"{party}: credentials gone, {removed} access entries removed",
                  f"{party} : identifiants supprimés, {removed} droits d’accès retirés"))  # fmt: skip


def _known(party: str, parties: Collection[str]) -> None:
    if party not in parties:
        raise ConfigurationError(f"{party!r} is not registered: apply its registry documents first")


def _hand_over(party: str, output: Path | None, as_json: bool, work: _Work) -> None:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    run(work(password))
    if output is not None:
        write_secret(output, f"{password}\n".encode())
    if as_json:
        print_json({"party": party, "user": party, "mechanism": "SCRAM-SHA-512",
                    **({"password": password} if output is None else {"password_file": str(output)})})  # fmt: skip
        return
    where = tr(f"password in {output}", f"mot de passe dans {output}") if output is not None else password
    typer.echo(f"{party}  SCRAM-SHA-512  {where}")
