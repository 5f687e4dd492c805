"""Accounts, in database `console`: who may sign in, as what. Made and changed by the operator's command only.

accounts {_id: "ac-…", login, hash, role, disabled, created_at}. An id is random: logs name the id, never a login.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from services.console.roles import Role
from shared.errors import InputError, Problem
from shared.mongo import Client, Document, database

DATABASE = "console"
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `hash` is never shown."""

    id: str
    login: str
    role: Role
    disabled: bool
    created_at: datetime
    hash: str = ""

    def __repr__(self) -> str:
        return f"Account({self.id})"


def login_of(text: str) -> str:
    """A login as it is kept. Raises InputError."""
    login = text.strip().casefold()
    if _LOGIN.fullmatch(login) is None:
        message = "2 to 64 letters, digits, dots, dashes, underscores or @, beginning with a letter or digit"
        raise InputError([Problem("LOGIN", "/login", message)])
    return login


class Accounts:
    """The accounts of one deployment."""

    def __init__(self, client: Client, name: str = DATABASE) -> None:
        self._rows = database(client, name).accounts

    async def prepare(self) -> None:
        """Create the index."""
        await self._rows.create_index("login", unique=True)

    async def add(self, login: str, encoded: str, role: Role, at: datetime) -> Account:
        """A new account. Raises InputError where the login is taken."""
        account = Account(
            f"ac-{secrets.token_hex(6)}", login_of(login), role, disabled=False, created_at=at, hash=encoded
        )
        row: Document = {
            "_id": account.id, "login": account.login, "hash": encoded, "role": role.value, "disabled": False,
            "created_at": at,
        }  # fmt: skip
        try:
            await self._rows.insert_one(row)
        except DuplicateKeyError:
            raise InputError([Problem("LOGIN-TAKEN", "/login", "an account has this login already")]) from None
        return account

    async def of_login(self, text: str) -> Account | None:
        """The account of a login, in any case; None where there is none."""
        row = await self._rows.find_one({"login": text.strip().casefold()[:64]})
        return None if row is None else _account(row)

    async def of_id(self, account_id: str) -> Account | None:
        """The account of an id."""
        row = await self._rows.find_one({"_id": account_id})
        return None if row is None else _account(row)

    async def logins(self, ids: Collection[str]) -> dict[str, str]:
        """The logins of these ids."""
        rows = self._rows.find({"_id": {"$in": sorted(ids)}}, {"login": 1})
        return {row["_id"]: row["login"] async for row in rows}

    async def all(self) -> list[Account]:
        """Every account, by login."""
        return [_account(row) async for row in self._rows.find().sort("login", 1)]

    async def change(
        self, account: Account, *, encoded: str | None = None, role: Role | None = None, disabled: bool | None = None
    ) -> Account:
        """Write what is given. Whoever calls ends the sessions of the account."""
        wanted = {"hash": encoded, "role": None if role is None else role.value, "disabled": disabled}
        changed = {name: value for name, value in wanted.items() if value is not None}
        if changed:
            await self._rows.update_one({"_id": account.id}, {"$set": changed})
        return replace(account, role=role or account.role, disabled=account.disabled if disabled is None else disabled)


def _account(row: Document) -> Account:
    return Account(row["_id"], row["login"], Role(row["role"]), row["disabled"], row["created_at"], row["hash"])
