"""The index of an erased record: its row stays as a tombstone without any key or sealed data; reports by its keys go.

The tombstone is the row itself, so that writing it and deleting what it held are one step, and a late verdict meets it
whatever the order (`MongoIndex.put_grants` never writes over it). It keeps what the log says too (record, lines), and the
stops that were about it, so that a party found out later is still told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pymongo import ASCENDING, UpdateOne

from services.rights_handler.domain import Grant, Instant
from services.rights_handler.index import NOT_ERASED
from services.rights_handler.rows import REVIEWING
from shared.mongo import Client, Document, database

NOT_LOOKED_AT: Document = {"look_at": None}
NEVER = "~"
"""Sorts after every instant."""
HIGHEST = "~"
"""A verdict id after all others."""


class Tombstones:
    """Strips rows of `grants` and deletes attempts; finds the records whose retention may have ended."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        rights = database(client, name)
        self._grants, self._attempts, self._stops = rights["grants"], rights["attempts"], rights["stops"]

    async def prepare(self) -> None:
        """Create the index of the retention sweep: records never looked at by their collection, the others by their date."""
        await self._grants.create_index([("look_at", ASCENDING), ("collected_at", ASCENDING)])
        await self._stops.create_index([("shredded", ASCENDING), ("at", ASCENDING)])

    async def strip(self, how: Mapping[str, str], stops: Mapping[str, Collection[str]], at: Instant) -> None:
        """Make tombstones (`how`: `erased` or `restricted`, by record; `stops`: those about it). One bulk of updates."""
        if how:
            await self._grants.bulk_write(
                [_stripping(record, word, stops.get(record, ()), at) for record, word in how.items()], ordered=False
            )

    async def reports_about(self, grants: Sequence[Grant]) -> dict[str, list[str]]:
        """Attempts to reach these persons, by record: their ids. One whose contact a living record shares is not theirs."""
        ours = {grant.record for grant in grants}
        keys = {key for grant in grants for key in grant.contact_keys}
        shared: set[str] = set()
        if keys:
            others = self._grants.find(
                {"cks": {"$in": sorted(keys)}, "_id": {"$not": {"$in": sorted(ours)}}}, {"cks": 1}
            )
            shared = {key async for row in others for key in row["cks"]}
        named: dict[str, set[str]] = {}
        for grant in grants:
            for key in {grant.record, *(grant.contact_keys - shared)}:
                named.setdefault(key, set()).add(grant.record)
        found: dict[str, set[str]] = {record: set() for record in ours}
        if named:
            async for row in self._attempts.find({"keys": {"$in": sorted(named)}}, {"keys": 1}):
                for record in set().union(*(named.get(key, ()) for key in row["keys"])):
                    found[record].add(row["_id"])
        return {record: sorted(ids) for record, ids in found.items()}

    async def reports_of(self, contact_keys: Collection[str]) -> list[str]:
        """Attempts to reach these contacts: their ids."""
        found = self._attempts.find({"keys": {"$in": sorted(contact_keys)}}, {"_id": 1}) if contact_keys else None
        return [] if found is None else [row["_id"] async for row in found]

    async def forget_reports(self, ids: Collection[str]) -> None:
        """Delete attempts."""
        if ids:
            await self._attempts.delete_many({"_id": {"$in": sorted(ids)}})

    async def to_look_at(self, collected_until: Instant, now: Instant, limit: int) -> list[str]:
        """Records whose retention may have ended: collected long enough ago and never looked at, or to be looked at now."""
        new = {**NOT_LOOKED_AT, "collected_at": {"$lte": collected_until}}
        again = {"look_at": {"$gt": "", "$lte": now}}
        rows: list[Document] = []
        for query in (again, new):
            if len(rows) < limit:
                rows += await self._grants.find(query, {"_id": 1}).limit(limit - len(rows)).to_list()
        return [row["_id"] for row in rows]

    async def old_stops(self, said_until: Instant, limit: int) -> list[str]:
        """Stops said by then whose own text was not given up yet: their ids. Relayed requests have a time of their own."""
        query = {"shredded": None, "at": {"$lte": said_until}, "_id": {"$not": {"$regex": "^request/"}}}
        return [row["_id"] async for row in self._stops.find(query, {"_id": 1}).limit(limit)]

    async def gave_up(self, stops: Collection[str]) -> None:
        """Remember that the text of these stops is being shredded; their keyed hashes stay."""
        if stops:
            await self._stops.update_many({"_id": {"$in": sorted(stops)}}, {"$set": {"shredded": True}})

    async def look_again(self, moments: Mapping[str, Instant]) -> None:
        """Remember when these records are looked at again."""
        if moments:
            await self._grants.bulk_write(
                [UpdateOne({"_id": r, **NOT_ERASED}, {"$set": {"look_at": at}}) for r, at in moments.items()],
                ordered=False,
            )


def _stripping(record: str, how: str, stops: Collection[str], at: Instant) -> UpdateOne:
    collector, _, consent_id = record.partition("/")
    nothing = {
        "vid": HIGHEST, "collector": collector, "consent_id": consent_id, "collected_at": at, "received_at": at,
        "confirmed": False, "via": [], "ruleset": "", "lines": [],
    }  # fmt: skip
    return UpdateOne(
        {"_id": record},
        {
            "$set": {"erased": how, "cks": [], "aks": [], "sealed": None, "look_at": NEVER},
            "$unset": {"sref": "", "nks": "", "owes": "", REVIEWING: ""},
            "$addToSet": {"sby": {"$each": sorted(stops)}},
            "$setOnInsert": nothing,
        },
        upsert=True,
    )
