"""The pseudonymous index in MongoDB (database `rights`): grants, stops, transfers, report facts.

Every write waits for a majority and the journal, every read is on the primary with majority concern (`shared.mongo`). A
primary that was deposed cannot acknowledge a write, so "write mine, then read yours" holds through an election too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from services.rights_handler.domain import Grant, Instant, Stop, Transfer
from services.rights_handler.former import NAMED_BY, Name
from services.rights_handler.naming import Naming
from services.rights_handler.ports import Written
from services.rights_handler.rows import REVIEWING, grant_of, grant_row, stop_of, stop_row, transfer_of, transfer_row
from shared.errors import Unavailable
from shared.keyring.fence import raise_if_fenced
from shared.mongo import Client, Document, database, duplicates
from shared.mongo import Collection as Rows

NOT_ROTATED = bytes(32)
"""No pepper is needed where names are only stored and compared."""
NOT_ERASED: Document = {"erased": {"$exists": False}}
"""A row that is no tombstone (`erasing.tombstones`): an erased record is never written over, however late its verdict."""


class MongoIndex:
    """`ports.Index` on MongoDB."""

    def __init__(self, client: Client, name: str = "rights", naming: Naming | None = None) -> None:
        self._db = database(client, name)
        self._naming = naming or Naming(NOT_ROTATED)
        self._grants, self._stops, self._transfers = self._db["grants"], self._db["stops"], self._db["transfers"]

    async def prepare(self) -> None:
        """Create the indexes."""
        for rows, field in (
            (self._grants, "cks"), (self._grants, "aks"), (self._grants, "sref"), (self._grants, "consent_id"),
            (self._stops, "cks"), (self._stops, "sref"), (self._stops, "record"), (self._transfers, "record"),
            (self._grants, "nks"), (self._stops, "nks"),
        ):  # fmt: skip
            await rows.create_index([(field, ASCENDING)], sparse=True)

    async def put_grants(self, grants: Sequence[Grant]) -> dict[str, Written]:
        """Insert; only what collides costs a second and third call."""
        ours = {grant.record: grant for grant in grants}
        rows = [self._naming.out(grant_row(grant)) for grant in grants]
        collided = await insert_new(self._grants, rows)
        outcome = dict.fromkeys(ours, Written.NEW)
        if not collided:
            await self._naming.confirm_aliases(grants)
            return outcome
        changes = [
            UpdateOne({"_id": r["_id"], "vid": {"$lt": r["vid"]}, **NOT_ERASED}, [{"$set": _replacing(r)}])
            for r in collided
        ]
        changes += [
            UpdateOne(
                {"_id": r["_id"], "vid": r["vid"], "cks": r["cks"], "aks": {"$ne": r["aks"]}},
                {"$set": {"aks": r["aks"]}},
            )
            for r in collided
        ]  # the same verdict again, after a match key began to be rotated
        with fence_is_no_fault():
            await self._grants.bulk_write(changes, ordered=False)
        stored = self._grants.find({"_id": {"$in": [row["_id"] for row in collided]}}, {"vid": 1, "erased": 1})
        async for row in stored:
            same = row["vid"] == ours[row["_id"]].vid and "erased" not in row
            outcome[row["_id"]] = Written.KNOWN if same else Written.SUPERSEDED
        await self._naming.confirm_aliases(grants)
        return outcome

    async def once_valid(self, records: Collection[str]) -> dict[str, frozenset[Name]]:
        """By record; only rows that replaced another have any."""
        if not records:
            return {}
        found = self._grants.find({"_id": {"$in": sorted(records)}, "once": {"$exists": True}}, {"once": 1})
        return {
            row["_id"]: frozenset(
                (o["recipient"], o["channel"], o["purpose"], o["sector"], o["object"]) for o in row["once"]
            )
            async for row in found
        }

    async def put_stops(self, stops: Sequence[Stop]) -> None:
        """Insert those that are new."""
        await insert_new(self._stops, [self._naming.out(stop_row(stop)) for stop in stops])

    async def widen_stops(self, stops: Sequence[Stop]) -> None:
        """One bulk of `$addToSet`: twice is once, and two that widen one stop both count."""
        if not stops:
            return
        versions, changes = range(self._naming.lookup, self._naming.newest + 1), []
        for stop in stops:
            names = self._naming.borne({"cks": sorted(stop.contact_keys)}, versions)["cks"]
            ours = {"_id": stop.id, "pvs": {"$not": {"$gt": self._naming.newest}}}
            changes.append(UpdateOne(ours, {"$addToSet": {"cks": {"$each": names}}}))
        written = await self._stops.bulk_write(changes, ordered=False)
        if written.matched_count < len({stop.id for stop in stops}):
            raise Unavailable("the pepper is being rotated: a stop is widened again under the next one")

    async def put_transfers(self, transfers: Sequence[Transfer]) -> None:
        """Insert those that are new."""
        await insert_new(self._transfers, [transfer_row(transfer) for transfer in transfers])

    async def stops_about(
        self, grants: Sequence[Grant], contact_keys: Collection[str] = (), kinds: Collection[str] = ()
    ) -> list[Stop]:
        """One query over as many indexes as these have kinds of keys; of some kinds of stops only, where they are given."""
        query = _any_of(
            cks={*contact_keys, *(key for grant in grants for key in grant.contact_keys)},
            sref={grant.subject_key for grant in grants if grant.subject_key is not None},
            record={name for grant in grants for name in (grant.record, grant.consent_id)},
            nks={key for grant in grants for key in grant.near_keys},
            _id={stop for grant in grants for stop in grant.stopped_by},
        )
        if not query:
            return []
        query |= {"lifted": None, **({"kind": {"$in": sorted(kinds)}} if kinds else {})}
        found = [stop_of(self._naming.back(row)) async for row in self._stops.find(query)]
        await self._naming.confirm(_named(query))
        return found

    async def lift(self, stop_id: str, at: Instant) -> None:
        """Mark it; the row stays, so that a replay cannot put it back."""
        await self._stops.update_one({"_id": stop_id, "lifted": None}, {"$set": {"lifted": at}})

    async def grants_about(self, stops: Sequence[Stop]) -> list[Grant]:
        """One query over five indexes at most; none where no stop names anybody."""
        named = {stop.record for stop in stops if stop.record is not None}
        query = _any_of(
            cks={key for stop in stops for key in stop.contact_keys},
            sref={stop.subject_key for stop in stops if stop.subject_key is not None},
            _id={name for name in named if "/" in name},
            consent_id={name for name in named if "/" not in name},
            nks={key for stop in stops for key in stop.near_keys},
        )
        found = [grant_of(self._naming.back(row)) async for row in self._grants.find(query)] if query else []
        await self._naming.confirm(_named(query))
        return found

    async def grants_asked(self, contact_keys: Collection[str], aliases: Collection[str]) -> list[Grant]:
        """One query over two indexes."""
        query = _any_of(cks=set(contact_keys), aks=set(aliases))
        if not query:
            return []
        grants = [grant_of(self._naming.back(row)) async for row in self._grants.find(query, {"sealed": 0})]
        await self._naming.confirm(aliases)  # nothing else tells that an alias found nobody because it is of before
        return grants

    async def grants_of(self, records: Collection[str]) -> list[Grant]:
        """By record."""
        if not records:
            return []
        return [grant_of(self._naming.back(row)) async for row in self._grants.find({"_id": {"$in": sorted(records)}})]

    async def transfers_of(self, records: Collection[str]) -> list[Transfer]:
        """By record."""
        if not records:
            return []
        return [transfer_of(row) async for row in self._transfers.find({"record": {"$in": sorted(records)}})]

    async def stop(self, stop_id: str) -> Stop | None:
        """By id."""
        row = await self._stops.find_one({"_id": stop_id})
        return None if row is None else stop_of(self._naming.back(row))


async def insert_new(rows: Rows, documents: Sequence[Document]) -> list[Document]:
    """Insert unordered, one call; returns the documents whose id was taken. Other failures raise."""
    if not documents:
        return []
    try:
        with fence_is_no_fault():
            await rows.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        return [documents[index] for index in duplicates(error)]
    return []


@contextmanager
def fence_is_no_fault() -> Iterator[None]:
    """A row refused because the pepper is being rotated is no fault of its record: Unavailable, and the batch is redone."""
    try:
        yield
    except BulkWriteError as error:
        raise_if_fenced(error, "the pepper")
        raise


def _named(query: Document) -> set[str]:
    """The names under a pepper that a query looks for."""
    branches = [branch for branch in query.get("$or", ()) if branch.keys() & {"cks", "sref", "nks", "aks"}]
    return {name for branch in branches for values in branch.values() for name in values["$in"]}


def _any_of(**wanted: set[str]) -> Document:
    """A row that has any of the wanted values in any of the fields; `{}` when nothing is wanted."""
    branches = [{field: {"$in": sorted(values)}} for field, values in wanted.items() if values]
    return {"$or": branches} if branches else {}


def _replacing(row: Document) -> Document:
    """The new values, in one write with what is carried over from the row being replaced.

    `once`: the lines that it, or any before it, held valid; `owes`: whoever ever received the data and has not informed the
    person; `reviewing`: since when lines have been in review, without a break.
    """
    values = {name: {"$literal": value} for name, value in row.items() if name != "_id"}
    valid = {"$filter": {"input": "$lines", "cond": {"$eq": ["$$this.verdict", "valid"]}}}
    names = {"$map": {"input": valid, "in": {name: f"$$this.{name}" for name in NAMED_BY}}}
    received = {"$setUnion": [{"$ifNull": ["$owes", []]}, {"$literal": row.get("owes", [])}]}
    owing = {"$setDifference": [received, {"$ifNull": ["$informed", []]}]}
    since = {"$ifNull": [f"${REVIEWING}", {"$literal": row[REVIEWING]}]} if REVIEWING in row else {"$literal": None}
    once = {"$setUnion": [{"$ifNull": ["$once", []]}, names]}
    return {**values, "once": once, "owes": owing, REVIEWING: since}
