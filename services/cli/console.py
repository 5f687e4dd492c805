"""`opposable console user add | list | role | disable | enable | password`: the accounts of the operator's console.

They are made here only, by whoever holds the machine: the console itself cannot make an account. A password is asked for at a
prompt, read from standard input (`--password-stdin`) or from a file; never from the command line, where others could read it.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from services.cli.groups import group
from services.cli.language import tr
from services.cli.target import AsJson, DataDir, print_json, resolve, run, settings_of
from services.console.accounts import Account, Accounts, login_of
from services.console.audit import COMMAND, Audit
from services.console.passwords import Passwords, refuse_weak
from services.console.roles import Role
from services.console.sessions import Sessions
from services.console.settings import ConsoleSettings
from shared.clock import SystemClock
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.mongo import Client, connect

T = TypeVar("T")
Login = Annotated[str, typer.Argument(help="Login: letters, digits, dots, dashes, underscores, @.")]
RoleOption = Annotated[Role, typer.Option("--role", help="viewer looks, operator acts, dpo answers for persons' data.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
FromFile = Annotated[
    Path | None, typer.Option("--password-file", exists=True, dir_okay=False, help="Read the password from this file.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    user = group(group(app, "console", "The operator's console."), "user", "Accounts of the operator's console.")
    user.command("add", epilog="Example: opposable console user add jeanne --role dpo")(add)
    user.command("list", epilog="Example: opposable console user list --json")(list_)
    user.command("role", epilog="Example: opposable console user role jeanne --role operator")(role)
    user.command("disable", epilog="Example: opposable console user disable jeanne")(disable)
    user.command("enable", epilog="Example: opposable console user enable jeanne")(enable)
    user.command("password", epilog="Example: opposable console user password jeanne --password-file new.txt")(password)


def add(
    login: Login, role: RoleOption = Role.VIEWER, from_input: FromInput = False, from_file: FromFile = None,
    data_dir: DataDir = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Make an account. The first one is made like any other."""
    name = login_of(login)
    encoded = _hashed(name, from_input=from_input, from_file=from_file)

    async def work(client: Client) -> Account:
        accounts, audit = Accounts(client), Audit(client, SystemClock())
        await accounts.prepare()
        made = await accounts.add(name, encoded, role, SystemClock().now())
        await audit.note(COMMAND, "account.added", "account", made.id, reason=f"role {role.value}")
        return made

    _told(_run(data_dir, work), as_json=as_json)


def list_(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the accounts."""
    found = _run(data_dir, lambda client: Accounts(client).all())
    if as_json:
        print_json([_view(one) for one in found])
        return
    table = Table(
        tr("login", "identifiant"), tr("role", "rôle"), tr("state", "état"), tr("made", "créé"), "id", box=None
    )
    for one in found:
        state = tr("disabled", "désactivé") if one.disabled else tr("active", "actif")
        table.add_row(one.login, one.role.value, state, format_instant(one.created_at)[:10], one.id)
    Console().print(
        table
        if found
        else tr("No account: `opposable console user add`.", "Aucun compte : `opposable console user add`.")
    )


def role(login: Login, role: RoleOption, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Give an account another role; its sessions end."""
    _change(data_dir, login, "account.role", f"role {role.value}", as_json=as_json, role=role)


def disable(login: Login, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Close an account; its sessions end at once. It stays, so that what it did keeps a name."""
    _change(data_dir, login, "account.disabled", "", as_json=as_json, disabled=True)


def enable(login: Login, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Open a disabled account again."""
    _change(data_dir, login, "account.enabled", "", as_json=as_json, disabled=False)


def password(
    login: Login, from_input: FromInput = False, from_file: FromFile = None, data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Set a new password; its sessions end."""
    encoded = _hashed(login_of(login), from_input=from_input, from_file=from_file)
    _change(data_dir, login, "account.password", "", as_json=as_json, encoded=encoded)


def _change(data_dir: Path | None, login: str, action: str, reason: str, *, as_json: bool, **change: Any) -> None:
    name = login_of(login)

    async def work(client: Client) -> Account:
        accounts, clock = Accounts(client), SystemClock()
        account = await accounts.of_login(name)
        if account is None:
            raise InputError([Problem("LOGIN-UNKNOWN", "LOGIN", "no account has this login")])
        await Audit(client, clock).note(COMMAND, action, "account", account.id, reason=reason)
        changed = await accounts.change(account, **change)
        await Sessions.of_settings(client, ConsoleSettings()).end_all(account.id)
        return changed

    _told(_run(data_dir, work), as_json=as_json)


def _run(data_dir: Path | None, work: Callable[[Client], Awaitable[T]]) -> T:
    settings = settings_of(resolve(data_dir))

    async def connected() -> T:
        async with connect(settings, "console-accounts") as client:
            return await work(client)

    return run(connected())


def _hashed(login: str, *, from_input: bool, from_file: Path | None) -> str:
    text = _password(from_input=from_input, from_file=from_file)
    refuse_weak(text, login)
    return Passwords().hashed(text)


def _password(*, from_input: bool, from_file: Path | None) -> str:
    if from_file is not None:
        return from_file.read_text(encoding="utf-8").rstrip("\r\n")
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        message = "no terminal to ask at: give --password-stdin or --password-file"
        raise InputError([Problem("PASSWORD-MISSING", "--password-stdin", message)])
    first = getpass.getpass(tr("password: ", "mot de passe : "))
    if getpass.getpass(tr("again: ", "encore : ")) != first:
        raise InputError([Problem("PASSWORD-DIFFERS", "", "the two passwords differ")])
    return first


def _told(account: Account, *, as_json: bool) -> None:
    if as_json:
        print_json(_view(account))
    else:
        typer.echo(
            f"{account.login}  {account.role.value}{tr('  disabled', '  désactivé') if account.disabled else ''}"
        )


def _view(account: Account) -> dict[str, Any]:
    return {
        "id": account.id, "login": account.login, "role": account.role.value, "disabled": account.disabled,
        "created_at": format_instant(account.created_at),
    }  # fmt: skip
