"""Sessions on the server: a cookie holds 256 random bits, the database their SHA-256; idle and absolute ends; CSRF tokens.

sessions {_id: sha256(token), account, seen_at, until, purge_at} · tries {_id, n, purge_at}. The CSRF token of a form derives
from the session's own secret (HMAC), so that nothing more is stored and it ends with the session.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

from services.console.accounts import DATABASE
from services.console.settings import ConsoleSettings
from shared.mongo import Client, database

TOKEN_BYTES, TOKEN_LONGEST = 32, 64
SEEN_EVERY = timedelta(seconds=30)
"""How exact the idle end is: a page that polls does not write at each look."""
WINDOW = timedelta(minutes=15)
"""Over which sign-ins are counted."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has not ended."""

    token: str
    account: str
    until: datetime

    def __repr__(self) -> str:
        return "Session"

    @property
    def csrf(self) -> str:
        """What every form of this session carries."""
        return csrf_of(self.token)


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def name_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token[: TOKEN_LONGEST + 1].encode("utf-8", "replace")).hexdigest()


def csrf_of(token: str) -> str:
    """The token that forms carry. Pure."""
    return hmac.digest(token.encode("utf-8", "replace"), b"opposable console csrf v1", "sha256").hex()


def is_csrf_of(token: str, given: str) -> bool:
    """Whether a form's token is this cookie's; in constant time."""
    return bool(token) and hmac.compare_digest(csrf_of(token).encode(), given.encode("utf-8", "replace"))


class Sessions:
    """The sessions of one deployment."""

    def __init__(self, client: Client, idle: timedelta, most: timedelta, name: str = DATABASE) -> None:
        rows = database(client, name)
        self._rows, self._tries = rows.sessions, rows.tries
        self._idle, self._most = idle, most

    @classmethod
    def of_settings(cls, client: Client, settings: ConsoleSettings, name: str = DATABASE) -> Sessions:
        """With the ends that settings say."""
        idle, most = settings.console_session_idle, settings.console_session_most
        return cls(client, timedelta(seconds=idle), timedelta(seconds=most), name)

    async def prepare(self) -> None:
        """Create the indexes; rows that ended go by themselves."""
        await self._rows.create_index("purge_at", expireAfterSeconds=0)
        await self._rows.create_index("account")
        await self._tries.create_index("purge_at", expireAfterSeconds=0)

    async def begin(self, account: str, now: datetime) -> Session:
        """A new session, under a token nobody had before (no fixation)."""
        token, until = new_token(), now + self._most
        await self._rows.insert_one(
            {"_id": name_of(token), "account": account, "seen_at": now, "until": until, "purge_at": until}
        )
        return Session(token, account, until)

    async def of(self, token: str, now: datetime, *, active: bool = True) -> Session | None:
        """The session of a token, seen now; None where there is none or it has ended. A page that polls is not `active`."""
        if not token or len(token) > TOKEN_LONGEST:
            return None
        row = await self._rows.find_one(
            {"_id": name_of(token), "until": {"$gt": now}, "seen_at": {"$gt": now - self._idle}}
        )
        if row is None:
            return None
        if active and now - row["seen_at"] > SEEN_EVERY:
            await self._rows.update_one({"_id": row["_id"]}, {"$max": {"seen_at": now}})
        return Session(token, row["account"], row["until"])

    async def end(self, token: str) -> None:
        """End one session at once."""
        await self._rows.delete_one({"_id": name_of(token)})

    async def end_all(self, account: str) -> int:
        """End every session of an account (its password, role or state changed); how many there were."""
        return int((await self._rows.delete_many({"account": account})).deleted_count)

    async def tried(self, what: str, value: str, now: datetime) -> int:
        """Count a try of something in this window; how many there are with it. Values are kept hashed."""
        window = int(now.timestamp() // WINDOW.total_seconds())
        key = hashlib.sha256(f"{what}\0{value}\0{window}".encode("utf-8", "replace")).hexdigest()
        row: Any = await self._tries.find_one_and_update(
            {"_id": key}, {"$inc": {"n": 1}, "$setOnInsert": {"purge_at": now + WINDOW}}, upsert=True,
            return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        return int(row["n"])
