"""Versions of each party's match key: which are in use, which was handed over, which the party confirmed (`rights.matching`).

A row is `{_id: party, versions, offered, delivered: {"<n>": instant}, phase, at}`; a party without one uses version 1. While a
key is rotated, permissions and orders carry every version; the new one is offered once the index knows every person by it,
handed over **once**, and the old one is dropped when the party says that it uses the new. `rights.naming` counts the
changes (`seq`), so that every instance takes them over before it acts (`naming.Naming.confirm`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymongo.errors import DuplicateKeyError

from services.rights_handler.naming import MATCH
from shared.clock import Clock
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.mongo import Client, Document, database


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a party's match key stands."""

    party: str
    versions: tuple[int, ...] = (1,)
    """In use, oldest first."""
    offered: int = 1
    """The newest that the party may be given."""
    delivered: tuple[int, ...] = ()
    phase: str = "steady"
    """`steady`, `filling` (the index is being made ready), `offered` (waits for the party)."""
    at: str = ""
    """The last record made ready, while filling."""


class MatchKeys:
    """The rows, and every change of them."""

    def __init__(self, client: Client, clock: Clock, name: str = "rights") -> None:
        rights = database(client, name)
        self._rows, self._naming, self._clock = rights["matching"], rights["naming"], clock

    async def standing(self, party: str) -> Standing:
        """Of one party."""
        return _standing(await self._rows.find_one({"_id": party}) or {"_id": party})

    async def all(self) -> list[Standing]:
        """Of every party that was given a key or is rotating it."""
        return [_standing(row) async for row in self._rows.find({}).sort("_id", 1)]

    async def deliver(self, party: str) -> int | None:
        """Note that the offered version is handed over now; its number, or None where that was done before."""
        version = (await self.standing(party)).offered
        field = f"delivered.{version}"
        fresh = {"_id": party, field: {"$exists": False}, "offered": version}
        if version == 1:
            fresh["offered"] = {"$in": [1, None]}
        try:
            await self._rows.update_one(fresh, {"$set": {field: self._now()}, "$setOnInsert": START}, upsert=True)
        except DuplicateKeyError:
            return None
        return version

    async def deliver_again(self, party: str) -> int:
        """Let the party download once more: its answer was lost on the way. The version that is offered."""
        version = (await self.standing(party)).offered
        await self._rows.update_one({"_id": party}, {"$unset": {f"delivered.{version}": ""}})
        return version

    async def begin(self, party: str) -> Standing:
        """Put the next version into use beside the present one. A rotation in hand goes on."""
        before = await self.standing(party)
        if before.phase == "offered":
            raise InputError([Problem(
                "MATCH-UNCONFIRMED", "--party",
                f"version {before.offered} waits for the party's confirmation: a further one would be a third in use",
            )])  # fmt: skip
        if before.phase == "steady":
            versions = [before.versions[-1], before.versions[-1] + 1]
            values = {
                "versions": versions,
                "offered": before.offered,
                "phase": "filling",
                "at": "",
                "begun_at": self._now(),
            }
            await self._rows.update_one({"_id": party}, {"$set": values}, upsert=True)
        await self._count()
        return await self.standing(party)

    async def reached(self, party: str, at: str) -> None:
        """Every record up to this one knows the new version."""
        await self._rows.update_one({"_id": party}, {"$set": {"at": at}})

    async def offer(self, party: str) -> Standing:
        """Every record knows it: the party may have it."""
        versions = (await self.standing(party)).versions
        await self._rows.update_one({"_id": party}, {"$set": {"offered": versions[-1], "phase": "offered"}})
        return await self.standing(party)

    async def confirm(self, party: str, version: int) -> Standing:
        """The party uses this version: the older one is dropped. Twice is once. Raises InputError where it cannot be."""
        one = await self.standing(party)
        if one.phase == "steady" and one.versions == (version,):
            return one
        if one.phase != "offered" or version != one.offered:
            raise InputError(
                [Problem("MATCH-VERSION", "/version", "this version is not the one that waits to be confirmed")]
            )
        if version not in one.delivered:
            raise InputError([Problem("MATCH-UNDELIVERED", "/version", "this version was not downloaded yet")])
        values = {"versions": [version], "phase": "steady", "confirmed_at": self._now()}
        await self._rows.update_one({"_id": party, "phase": "offered", "offered": version}, {"$set": values})
        await self._count()
        return await self.standing(party)

    async def _count(self) -> None:
        """Last: whoever sees the count sees the row."""
        await self._naming.update_one({"_id": MATCH}, {"$inc": {"seq": 1}}, upsert=True)

    def _now(self) -> str:
        return format_instant(self._clock.now())


START: Document = {"versions": [1], "offered": 1, "phase": "steady"}


def _standing(row: dict[str, Any]) -> Standing:
    given = tuple(sorted(int(version) for version in row.get("delivered", {})))
    return Standing(
        row["_id"], tuple(row.get("versions", (1,))), row.get("offered", 1), given, row.get("phase", "steady"), row.get("at", "")
    )  # fmt: skip
