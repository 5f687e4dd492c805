"""What a MongoDB holds of roles, users and passwords, and making it hold what is wanted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from shared.errors import ConfigurationError, Unavailable
from shared.mongo import Client, Document, connect
from shared.mongo_access.plan import ADMIN, VAULT, Entry, Role
from shared.settings import Settings

MECHANISM = "SCRAM-SHA-256"
BAD_CREDENTIALS = 18
_CREDENTIALS = re.compile(r"//[^/@]*@")


class NoAuthorizationError(ConfigurationError):
    """This MongoDB lets anyone do anything: it was started without `--auth` or `--keyFile`."""


class MongoAccess:
    """Roles and users of one server. Needs the operator's credentials. Raises ConfigurationError with MongoDB's own word."""

    def __init__(self, client: Client, uri: str) -> None:
        self._client, self._uri = client, uri

    async def roles(self) -> dict[Role, set[Entry]]:
        """Every role that somebody defined in the two databases, with what it grants by itself and what it inherits."""
        found: dict[Role, set[Entry]] = {}
        for database in (ADMIN, VAULT):
            answer = await self._command(database, {"rolesInfo": 1, "showPrivileges": True})
            for role in answer["roles"]:
                privileges = role.get("inheritedPrivileges", role["privileges"])
                found[Role(role["role"], database)] = {
                    Entry(role["role"], _of(one, "db"), _of(one, "collection"), action)
                    for one in privileges
                    for action in one["actions"]
                }
        return found

    async def users(self) -> dict[str, frozenset[Role]]:
        """Every user, with its roles."""
        answer = await self._command(ADMIN, {"usersInfo": 1})
        return {
            user["user"]: frozenset(Role(role["role"], role["db"]) for role in user["roles"])
            for user in answer["users"]
        }

    async def set_role(self, role: Role, entries: Iterable[Entry], *, exists: bool) -> None:
        """Make a role grant exactly these entries, and inherit nothing."""
        by_rows: dict[tuple[str, str], list[str]] = {}
        for entry in sorted(entries):
            by_rows.setdefault((entry.database, entry.collection), []).append(entry.action)
        privileges = [
            {"resource": {"db": database, "collection": collection}, "actions": actions}
            for (database, collection), actions in by_rows.items()
        ]
        await self._command(role.database, {
            "updateRole" if exists else "createRole": role.name, "privileges": privileges, "roles": [],
        })  # fmt: skip

    async def set_user(self, user: str, roles: Iterable[Role], password: str | None, *, exists: bool) -> None:
        """Give a user exactly these roles; a password where one is given. Connections that are open stay open."""
        secret: Document = {} if password is None else {"pwd": password, "mechanisms": [MECHANISM]}
        await self._command(ADMIN, {
            "updateUser" if exists else "createUser": user,
            "roles": [{"role": role.name, "db": role.database} for role in sorted(roles)], **secret,
        })  # fmt: skip

    async def forget(self, users: Iterable[str], roles: Iterable[Role]) -> None:
        """Drop users, then roles."""
        for user in users:
            await self._command(ADMIN, {"dropUser": user})
        for role in roles:
            await self._command(role.database, {"dropRole": role.name})

    async def opens(self, user: str, password: str) -> bool:
        """Whether this password lets the user in."""
        one: Client = AsyncMongoClient(
            _CREDENTIALS.sub("//", self._uri), username=user, password=password, authSource=ADMIN, authMechanism=MECHANISM,
            serverSelectionTimeoutMS=5000,
        )  # fmt: skip
        try:
            await one.admin.command("ping")
        except OperationFailure as error:
            if error.code == BAD_CREDENTIALS:
                return False
            raise ConfigurationError(f"MongoDB refuses {user} for another reason: {error.code}") from None
        except PyMongoError as error:
            raise Unavailable(f"MongoDB does not answer ({type(error).__name__})") from None
        finally:
            await one.close()
        return True

    async def prepare_vault(self) -> None:
        """The index that no service may make: the identity of an event is used once (the guard against duplicates)."""
        await self._client[VAULT]["keys"].create_index("ce", unique=True)

    async def require_authorization(self) -> None:
        """Raise NoAuthorizationError where anyone may do anything."""
        anyone: Client = AsyncMongoClient(_CREDENTIALS.sub("//", self._uri), serverSelectionTimeoutMS=5000)
        try:
            await anyone.admin.command("listDatabases", nameOnly=True)
        except OperationFailure:
            return
        except PyMongoError as error:
            raise Unavailable(f"MongoDB does not answer ({type(error).__name__})") from None
        finally:
            await anyone.close()
        raise NoAuthorizationError(
            "this MongoDB asks for no credentials: anyone who reaches it may read and write everything"
        )

    async def _command(self, database: str, command: Mapping[str, Any]) -> Document:
        try:
            return await self._client[database].command(dict(command))
        except OperationFailure as error:
            what = next(iter(command))
            raise ConfigurationError(
                f"MongoDB refuses {what}: {(error.details or {}).get('codeName', error.code)}"
            ) from None
        except PyMongoError as error:
            raise Unavailable(f"MongoDB does not answer ({type(error).__name__})") from None


@asynccontextmanager
async def mongo_access(settings: Settings) -> AsyncIterator[MongoAccess]:
    """Connect as the operator. Raises NoAuthorizationError where the server asks for no credentials."""
    client = connect(settings, "access")
    try:
        access = MongoAccess(client, settings.mongodb_uri)
        await access.require_authorization()
        yield access
    finally:
        await client.close()


def _of(privilege: Mapping[str, Any], field: str) -> str:
    """`*` where a privilege is not about one collection (the whole cluster, any resource)."""
    return str(privilege["resource"].get(field, "*")) or "*"
