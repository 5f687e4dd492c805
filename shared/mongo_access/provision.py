"""Brings a MongoDB's roles, users and passwords to what the table asks for."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigurationError
from shared.keyring.ring import write_secret
from shared.mongo_access import plan
from shared.mongo_access.plan import Entry, Role
from shared.mongo_access.server import MongoAccess, mongo_access
from shared.settings import Settings

PASSWORD_BYTES = 32
Password = Callable[[str], str | None]
"""The password of a user, None where there is none yet."""


@dataclass(frozen=True, slots=True)
class MongoDifference:
    """What a server lacks, and what it holds that nothing asks for."""

    missing: frozenset[Entry] = frozenset()
    stray: frozenset[Entry] = frozenset()
    missing_roles: frozenset[Role] = frozenset()
    stray_roles: frozenset[Role] = frozenset()
    missing_users: frozenset[str] = frozenset()
    stray_users: frozenset[str] = frozenset()
    other_roles: frozenset[str] = frozenset()
    """Users that have other roles than asked for."""
    passwords: frozenset[str] = frozenset()
    """Users that their file's password does not let in, or that have no file."""

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)


def password_file(directory: Path, user: str) -> Path:
    """Where a user's password is: `<secrets dir>/mongodb/<user>.password`."""
    return directory / f"{user}.password"


def read_password(directory: Path, user: str) -> str | None:
    """The password in the file, None where there is no file."""
    try:
        return password_file(directory, user).read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"the password file of {user} cannot be read ({error.strerror})") from None


def draw_password(directory: Path, user: str) -> str:
    """The password in the file; drawn and written where there is none."""
    known = read_password(directory, user)
    if known:
        return known
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    drawn = secrets.token_urlsafe(PASSWORD_BYTES)
    write_secret(password_file(directory, user), f"{drawn}\n".encode())
    return drawn


async def plan_mongo(settings: Settings, directory: Path) -> MongoDifference:
    """What differs. Raises NoAuthorizationError where the server asks for no credentials."""
    async with mongo_access(settings) as access:
        return await _difference(access, lambda user: read_password(directory, user))


async def apply_mongo(settings: Settings, directory: Path) -> MongoDifference:
    """Make it so, draw the passwords that have no file, and make the vault's index. Returns what differed."""
    async with mongo_access(settings) as access:
        difference = await _difference(access, lambda user: read_password(directory, user))
        wanted = plan.entries()
        changed = {entry.role for entry in difference.missing | difference.stray}
        for role in sorted(plan.roles()):
            if role.name in changed or role in difference.missing_roles:
                entries = {entry for entry in wanted if entry.role == role.name}
                await access.set_role(role, entries, exists=role not in difference.missing_roles)
        for user, roles in sorted(plan.users().items()):
            new = user in difference.missing_users
            if new or user in difference.passwords or user in difference.other_roles:
                secret = draw_password(directory, user) if new or user in difference.passwords else None
                await access.set_user(user, roles, secret, exists=not new)
        await access.forget(sorted(difference.stray_users), sorted(difference.stray_roles))
        await access.prepare_vault()
    return difference


async def _difference(access: MongoAccess, password: Password) -> MongoDifference:
    found, users = await access.roles(), await access.users()
    ours = {role: entries for role, entries in found.items() if plan.is_ours(role)}
    kept = {role: entries for role, entries in ours.items() if role in plan.roles()}
    held = {entry for entries in kept.values() for entry in entries}
    there = {user: roles for user, roles in users.items() if user in plan.users()}
    wrong = set()
    for user in there:
        secret = password(user)
        if secret is None or not await access.opens(user, secret):
            wrong.add(user)
    return MongoDifference(
        missing=frozenset(plan.entries() - held),
        stray=frozenset(held - plan.entries()),
        missing_roles=frozenset(plan.roles() - ours.keys()),
        stray_roles=frozenset(ours.keys() - plan.roles()),
        missing_users=frozenset(plan.users().keys() - users.keys()),
        stray_users=frozenset(plan.ours(users) - plan.users().keys()),
        other_roles=frozenset(user for user, roles in there.items() if roles != plan.users()[user]),
        passwords=frozenset(wrong),
    )
