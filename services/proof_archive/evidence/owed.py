"""What is cited, and still owed: one row per file and owner, made when the entry that cites it is archived (promise P7).

evidence_cited {_id: "<sha256> <owner> <record or ->", sha256, owner, record, what, first_at, due_at, next_at, open, overdue}

Nothing here reads the history: rows are made by batch, closed by the owner's upload, and read by index. An erasure and an
upload, or a citation, each write, then read the other's rows: whichever comes second sees both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING

from services.proof_archive.domain import Entry
from services.proof_archive.evidence.citations import OPERATOR, Citation
from services.proof_archive.evidence.files import Files
from services.proof_archive.log.inserts import insert
from shared.instants import format_instant, from_millis
from shared.mongo import Client, Document, database

REMIND_EVERY = timedelta(days=1)
"""Once due, how often a file still owed is reported again."""

_REMEMBERED = 100_000


class Owed:
    """The citations of one database. `due` is how long after its first citation a file is due."""

    def __init__(self, client: Client, files: Files, due: timedelta) -> None:
        db = database(client, "archive")
        self._rows, self._erased, self._files, self._due = db.evidence_cited, db.erased, files, due
        self._known: set[str] = set()

    async def prepare(self) -> None:
        """Create the indexes."""
        is_open = {"open": True}
        await self._rows.create_index([("sha256", ASCENDING), ("owner", ASCENDING)])
        await self._rows.create_index("record", sparse=True)
        await self._rows.create_index([("owner", ASCENDING), ("_id", ASCENDING)], partialFilterExpression=is_open)
        await self._rows.create_index("next_at", partialFilterExpression=is_open)

    async def cite(self, entries: Iterable[Entry]) -> None:
        """Take the citations and erasures of a batch in; idempotent: the entries themselves are only being written."""
        first: dict[str, tuple[Citation, int]] = {}
        gone: set[str] = set()
        for entry in entries:
            gone |= set(entry.erased)
            for citation in entry.cited:
                if citation.id not in self._known:
                    first.setdefault(citation.id, (citation, entry.ts))
        if first:
            await insert(self._rows, [self._row(citation, ts) for citation, ts in first.values()], None)
            cited = [citation for citation, _ in first.values()]
            records = {c.record for c in cited if c.record}
            found = self._erased.find({"_id": {"$in": sorted(records)}}) if records else None
            gone |= {row["_id"] async for row in found} if found is not None else set()
            self._remember(c.id for c in cited if c.record is None)
        if gone:
            await self.erase(gone)

    async def erase(self, records: Iterable[str]) -> None:
        """Forget what was cited about these records' persons, and the files kept for them."""
        records = sorted(records)
        await self._rows.delete_many({"record": {"$in": records}})
        await self._files.erase(records)

    async def of(self, sha256: str, owner: str | None = None, most: int = 64) -> list[Document]:
        """The rows that cite a file, of one owner or of all; those of no single person first."""
        query = {"sha256": sha256} | ({"owner": owner} if owner is not None else {})
        return [row async for row in self._rows.find(query).sort([("open", -1), ("_id", 1)]).limit(most)]

    async def settled(self, hashes: Iterable[str], owner: str) -> set[str]:
        """Those of these files, of no single person, that this owner has shown to hold, or that the operator answers for.

        Knowing a hash is not holding a file: who cites another's file receives it only after sending it.
        """
        query = {
            "sha256": {"$in": sorted(hashes)}, "owner": {"$in": [owner, OPERATOR]}, "open": False, "record": None,
        }  # fmt: skip
        return {row["sha256"] async for row in self._rows.find(query, {"sha256": 1})}

    async def uploaded(self, sha256: str, record: str | None, owner: str | None) -> bool:
        """Close what an upload by `owner` (None: the operator) settles: its own debt and the operator's.

        False where it cites the file no more: it was erased meanwhile.
        """
        cited: Document = {"sha256": sha256, "record": record}
        if owner is not None:
            cited["owner"] = {"$in": [owner, OPERATOR]}
        await self._rows.update_many({**cited, "open": True}, {"$set": {"open": False}, "$unset": {"next_at": ""}})
        return await self._rows.find_one(cited, {"_id": 1}) is not None

    async def open_of(self, owner: str | None, after: str, most: int) -> list[dict[str, Any]]:
        """What is owed, by name, after `after`: of one owner, or of all."""
        query = {"open": True, "_id": {"$gt": after}} | ({"owner": owner} if owner is not None else {})
        return [_told(row) async for row in self._rows.find(query).sort("_id", 1).limit(most)]

    async def by_owner(self) -> list[dict[str, Any]]:
        """One line per owner that owes something, for the operator's list of obligations."""
        lines = await self._rows.aggregate([
            {"$match": {"open": True}},
            {"$group": {"_id": "$owner", "files": {"$sum": 1}, "opened_at": {"$min": "$first_at"},
                        "due_at": {"$min": "$due_at"}, "next_at": {"$min": "$next_at"}}},
            {"$sort": {"_id": 1}},
        ])  # fmt: skip
        return [
            {
                "id": f"evidence:{line['_id']}", "kind": "evidence.owed", "owner": line["_id"],
                "cause": f"{line['files']} cited file(s) not uploaded", **_instants(line),
                "refs": {"files": line["files"]},
            }
            async for line in lines
        ]  # fmt: skip

    async def remind(self, now: datetime) -> int:
        """Mark what is due and not uploaded; returns how many were newly reported. Each is next looked at a day later."""
        moved = await self._rows.update_many(
            {"open": True, "next_at": {"$lte": now}}, {"$set": {"overdue": True, "next_at": now + REMIND_EVERY}}
        )
        return moved.modified_count

    def _row(self, citation: Citation, ts: int) -> Document:
        first = from_millis(ts)
        row: Document = {
            "_id": citation.id, "sha256": citation.sha256, "owner": citation.owner, "what": citation.what,
            "first_at": first, "due_at": first + self._due, "next_at": first + self._due, "open": True,
        }  # fmt: skip
        return row | ({"record": citation.record} if citation.record else {})

    def _remember(self, names: Iterable[str]) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update(names)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["_id"], "kind": "evidence.owed", "owner": row["owner"], "cause": "cited, and not uploaded",
        "sha256": row["sha256"], "what": row["what"], "record": row.get("record"), **_instants(row),
        "overdue": bool(row.get("overdue")),
    }  # fmt: skip


def _instants(row: Mapping[str, Any]) -> dict[str, Any]:
    opened = row["opened_at"] if "opened_at" in row else row["first_at"]
    return {
        "opened_at": format_instant(opened),
        "due_at": format_instant(row["due_at"]),
        "next_at": format_instant(row["next_at"]),
    }
