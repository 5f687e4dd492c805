"""Erasures in MongoDB (database `rights`, collection `erasures`): one row per record, from the request to the destroyed key.

What is unfinished or restricted has `next_at`, which alone is indexed for the sweep. A row of a destroyed key keeps no
pseudonym: record, cause, dates.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from pymongo import ASCENDING, UpdateOne

from services.rights_handler.domain import Instant
from services.rights_handler.erasing.model import Cause, Erasure, Fate, State
from services.rights_handler.index import insert_new
from shared.mongo import Client, Document, database

_PLAIN = tuple(
    f.name for f in fields(Erasure) if f.name not in ("record", "cause", "fate", "owners", "contact_keys", "parties")
)


class MongoErasures:
    """The rows of erasures. Every method is one or two database calls, whatever the size of the batch."""

    def __init__(self, client: Client, name: str = "rights") -> None:
        self._rows = database(client, name)["erasures"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._rows.create_index(
            [("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$type": "string"}}
        )
        for field in ("contact_keys", "subject_key"):
            await self._rows.create_index([(field, ASCENDING)], sparse=True)

    async def begin(self, erasures: Sequence[Erasure]) -> None:
        """Store those that are new; one that is there stays as it is."""
        await insert_new(self._rows, [row_of(erasure) for erasure in erasures])

    async def of(self, records: Collection[str]) -> dict[str, Erasure]:
        """By record, those that exist."""
        found = self._rows.find({"_id": {"$in": sorted(records)}}) if records else None
        return {} if found is None else {row["_id"]: erasure_of(row) async for row in found}

    async def about(self, contact_keys: Collection[str], subject_key: str | None = None) -> list[Erasure]:
        """The restricted records of a person: once erased nothing finds them any more."""
        branches: list[Document] = [{"contact_keys": {"$in": sorted(contact_keys)}}] if contact_keys else []
        if subject_key is not None:
            branches.append({"subject_key": subject_key})
        return [erasure_of(row) async for row in self._rows.find({"$or": branches})] if branches else []

    async def due(self, now: Instant, limit: int) -> list[Erasure]:
        """Rows whose next moment has come, the oldest first."""
        found = self._rows.find({"next_at": {"$type": "string", "$lte": now}}).sort("next_at", ASCENDING).limit(limit)
        return [erasure_of(row) async for row in found]

    async def save(self, erasures: Sequence[Erasure]) -> set[str]:
        """Write rows over their `rev - 1`; returns the records that were saved (the others changed meanwhile)."""
        if not erasures:
            return set()
        mark = secrets.token_hex(8)
        writes = []
        for erasure in erasures:
            row = row_of(erasure)
            record = row.pop("_id")
            gone = {name: "" for name in ("contact_keys", "subject_key") if name not in row}
            change = {"$set": {**row, "by": mark}, **({"$unset": gone} if gone else {})}
            writes.append(UpdateOne({"_id": record, "rev": erasure.rev - 1}, change))
        result = await self._rows.bulk_write(writes, ordered=False)
        wanted = {erasure.record for erasure in erasures}
        if result.matched_count == len(wanted):
            return wanted
        return {row["_id"] async for row in self._rows.find({"_id": {"$in": sorted(wanted)}, "by": mark}, {"_id": 1})}

    async def look_now(self, records: Collection[str], now: Instant) -> None:
        """Have restricted records looked at again: a hold on them was released."""
        await self._rows.update_many(
            {"_id": {"$in": sorted(records)}, "state": "restricted"}, {"$set": {"next_at": now}, "$inc": {"rev": 1}}
        )

    async def scoped(self, field: str, value: str) -> list[str]:
        """The restricted records that a hold's scope names: by `_id`, `contact_keys` or `parties`."""
        return [row["_id"] async for row in self._rows.find({"state": "restricted", field: value}, {"_id": 1})]

    async def said(self, record: str, state: State, *, next_at: Instant | None, fate: Fate | None, at: Instant) -> None:
        """What an entry of `erasures` says of a record: moves its row forward, never back; makes it where it is lost."""
        past: Mapping[str, list[State]] = {"restricted": ["erased", "done"], "erased": ["done"], "done": []}
        change: Document = {"state": state, "next_at": next_at}
        if fate is not None:
            change["fate"] = _fate_row(fate)
        update: Document = {"$set": change, "$inc": {"rev": 1}}
        if state != "restricted":
            update["$unset"] = {"contact_keys": "", "subject_key": ""}
        there = await self._rows.update_one({"_id": record, "state": {"$not": {"$in": past[state]}}}, update)
        if there.matched_count == 0:
            lost = Erasure(record, Cause.PERSON_REQUEST, at, state, fate=fate, next_at=next_at)
            await insert_new(self._rows, [{**row_of(lost), "restored": True}])


def row_of(erasure: Erasure) -> Document:
    """A row of `erasures`; absent keys are left out, so that the sparse indexes hold only rows that have them."""
    row: Document = {name: getattr(erasure, name) for name in _PLAIN}
    row |= {"_id": erasure.record, "cause": erasure.cause.value, "owners": list(erasure.owners)}
    row |= {"parties": list(erasure.parties), "fate": None if erasure.fate is None else _fate_row(erasure.fate)}
    if erasure.contact_keys:
        row["contact_keys"] = list(erasure.contact_keys)
    if erasure.subject_key is None:
        row.pop("subject_key")
    return row


def erasure_of(row: Mapping[str, Any]) -> Erasure:
    """The erasure of a row."""
    fate = row.get("fate")
    erasure = Erasure(row["_id"], Cause(row["cause"]), row["requested_at"], row["state"])
    plain = {name: row[name] for name in _PLAIN if name in row}
    return replace(
        erasure,
        **plain,
        owners=tuple(row.get("owners", ())),
        parties=tuple(row.get("parties", ())),
        contact_keys=tuple(row.get("contact_keys", ())),
        fate=None if fate is None else Fate(fate["outcome"], fate["until"], tuple(fate["codes"])),
    )


def _fate_row(fate: Fate) -> Document:
    return {"outcome": fate.outcome, "until": fate.until, "codes": list(fate.codes)}
