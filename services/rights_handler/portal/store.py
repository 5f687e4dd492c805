"""Passes, sessions and counters in MongoDB (database `rights`, collections `portal_*`). Rows go by themselves when they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson.binary import Binary
from pymongo import ASCENDING, ReturnDocument

from services.rights_handler.portal.passes import TRIES
from shared.instants import format_instant
from shared.mongo import Client, Document, database

GRACE = timedelta(hours=1)
"""After its end a row stays this long, so that nothing depends on the minute at which the database sweeps."""
ASKED_MOST = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A pass or a session, as stored."""

    name: str
    sealed: bytes
    asked: tuple[str, ...] = ()
    """Stops and requests made in this session, so that they show before they have come through."""


class PortalStore:
    """What the portal remembers, for minutes."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        rights = database(client, name)
        self._passes, self._sessions = rights["portal_passes"], rights["portal_sessions"]
        self._limits = rights["portal_limits"]

    async def prepare(self) -> None:
        """Create the indexes."""
        for rows in (self._passes, self._sessions, self._limits):
            await rows.create_index("purge_at", expireAfterSeconds=0)
        await self._passes.create_index(
            [("job_at", ASCENDING)], partialFilterExpression={"job_at": {"$type": "string"}}
        )

    async def add_pass(self, name: str, sealed: bytes, *, now: datetime, until: datetime, code: bytes | None) -> None:
        """A pass to be sent: `code` is the mark of an SMS code. One insert, the same for everyone."""
        row: Document = {
            "_id": name, "sealed": Binary(sealed), "until": format_instant(until), "used": False, "tries": 0,
            "code": None if code is None else Binary(code), "purge_at": until + GRACE, "job_at": format_instant(now),
        }  # fmt: skip
        await self._passes.insert_one(row)

    async def take_jobs(self, now: datetime, lease: timedelta, limit: int) -> list[tuple[Row, str]]:
        """Passes to be sent, each claimed for a lease, with their end. One call each: they are few."""
        found = []
        for _ in range(limit):
            row = await self._passes.find_one_and_update(
                {"job_at": {"$type": "string", "$lte": format_instant(now)}},
                {"$set": {"job_at": format_instant(now + lease)}}, sort=[("job_at", ASCENDING)],
            )  # fmt: skip
            if row is None:
                break
            found.append((Row(row["_id"], bytes(row["sealed"])), str(row["until"])))
        return found

    async def job_done(self, name: str, sealed: bytes) -> None:
        """The pass was sent, or there is nobody to send it to: the secret goes."""
        await self._passes.update_one({"_id": name}, {"$set": {"sealed": Binary(sealed)}, "$unset": {"job_at": ""}})

    async def peek(self, name: str, now: datetime) -> bool:
        """Whether a link could be used now. Changes nothing: mail systems follow links by themselves."""
        query = {**_alive(name, now), "code": None}
        return await self._passes.find_one(query, {"_id": 1}) is not None

    async def use_link(self, name: str, now: datetime) -> Row | None:
        """Use a link up: the first wins, any other gets None."""
        query = {**_alive(name, now), "code": None}
        row = await self._passes.find_one_and_update(query, {"$set": {"used": True}})
        return None if row is None else Row(row["_id"], bytes(row["sealed"]))

    async def try_code(self, name: str, now: datetime) -> tuple[Row, bytes] | None:
        """Count a try, and only then give the mark to compare with: tries cannot be had for nothing by being fast."""
        query = {**_alive(name, now), "code": {"$ne": None}, "tries": {"$lt": TRIES}}
        row = await self._passes.find_one_and_update(
            query, {"$inc": {"tries": 1}}, return_document=ReturnDocument.AFTER
        )
        return None if row is None else (Row(row["_id"], bytes(row["sealed"])), bytes(row["code"]))

    async def use_code(self, name: str, now: datetime) -> bool:
        """Use a code up."""
        return (await self._passes.update_one(_alive(name, now), {"$set": {"used": True}})).matched_count == 1

    async def add_session(self, name: str, sealed: bytes, until: datetime) -> None:
        """Open a session."""
        row: Document = {"_id": name, "sealed": Binary(sealed), "until": format_instant(until), "asked": [],
                         "purge_at": until + GRACE}  # fmt: skip
        await self._sessions.insert_one(row)

    async def session(self, name: str, now: datetime) -> Row | None:
        """A session that has not ended."""
        row = await self._sessions.find_one({"_id": name, "until": {"$gt": format_instant(now)}})
        return None if row is None else Row(row["_id"], bytes(row["sealed"]), tuple(row["asked"]))

    async def note(self, name: str, asked: list[str]) -> None:
        """Remember what was asked for in a session."""
        change: dict[str, Any] = {"$push": {"asked": {"$each": asked, "$slice": -ASKED_MOST}}}
        await self._sessions.update_one({"_id": name}, change)

    async def end_session(self, name: str) -> None:
        """Close a session at once."""
        await self._sessions.delete_one({"_id": name})

    async def count(self, key: str, until: datetime) -> int:
        """One more of something limited; how many there are now."""
        row: Document | None = await self._limits.find_one_and_update(
            {"_id": key}, {"$inc": {"n": 1}, "$setOnInsert": {"purge_at": until + GRACE}}, upsert=True,
            return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        return int((row or {"n": 1})["n"])


def _alive(name: str, now: datetime) -> dict[str, Any]:
    return {"_id": name, "used": False, "until": {"$gt": format_instant(now)}}
