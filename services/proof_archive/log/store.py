"""What the archive writes, in MongoDB (database `archive`).

`heads` is the sole commit point: what lies beyond a head's `size` is garbage that a replay writes again, byte for byte.

heads {_id: origin, log, epoch, size, root, next_offset, range} · entries {_id: {log, index}, bytes, refs, aside?} ·
tiles {_id: {log, L, N}, w, h} · bodies {_id: {log, index}, bytes} · sealed {_id: owner, kind, blob} ·
erased {_id: owner} · restricted {_id: owner} · checkpoints {_id: {log, size}, note} ·
latest {_id: log, size, note, at} · obligations {_id, …} · counters {_id: "log", last}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bson.binary import Binary
from pymongo import ASCENDING, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.proof_archive.checkpoints import kept_notes
from services.proof_archive.domain import Entry
from services.proof_archive.log.growth import Edge, TileRow, open_edge
from services.proof_archive.log.inserts import insert, together
from services.proof_archive.log.rows import Head, checkpoint_id, edge_tiles, head_of, row_id, tile_id
from shared.crypto.note import RawSignature
from shared.errors import IntegrityError, Unavailable
from shared.mongo import Client, Document, database, duplicates


@dataclass(frozen=True, slots=True)
class Write:
    """What one batch adds to one log: `entries` from index `before.size` on, the tiles that widen, the head and edge after."""

    before: Head
    after: Head
    entries: Sequence[Entry]
    tiles: Sequence[TileRow]
    edge: Edge


class Store:
    """The writing side. Holds no state of a log: two instances on one database may share a process."""

    def __init__(self, client: Client) -> None:
        self._db = database(client, "archive")

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._db.heads.create_index("log", unique=True)
        await self._db.entries.create_index([("refs", ASCENDING), ("_id.log", ASCENDING), ("_id.index", ASCENDING)])

    async def claim(self, origin: str) -> Head:
        """Take a log over: its epoch grows by one, so that whoever held it before can commit no more."""
        while True:
            row = await self._db.heads.find_one_and_update(
                {"_id": origin}, {"$inc": {"epoch": 1}}, return_document=ReturnDocument.AFTER
            )
            if row is not None:
                return head_of(row)
            counter: Any = await self._db.counters.find_one_and_update(
                {"_id": "log"}, {"$inc": {"last": 1}}, upsert=True, return_document=ReturnDocument.AFTER
            )
            try:
                await self._db.heads.insert_one(Head.first(origin, counter["last"]).as_row())
            except DuplicateKeyError:
                continue  # another instance was first: its number stands, ours is never used

    async def heads(self, origins: Iterable[str]) -> dict[str, Head]:
        """The heads as they are committed now, by origin."""
        rows = self._db.heads.find({"_id": {"$in": list(origins)}})
        return {row["_id"]: head_of(row) async for row in rows}

    async def edges(self, heads: Iterable[Head]) -> dict[str, Edge]:
        """The right edge of each log, by origin, in one query. Raises IntegrityError when tiles and head disagree."""
        heads = list(heads)
        wanted = [tile for head in heads for tile in edge_tiles(head)]
        rows = self._db.tiles.find({"_id": {"$in": [tile_id(*tile[:3]) for tile in wanted]}})
        hashes = {tuple(row["_id"].values()): bytes(row["h"]) async for row in rows}
        edges = {}
        for head in heads:
            open_tiles = [hashes.get((log, level, n), b"")[: 32 * width] for log, level, n, width in edge_tiles(head)]
            edges[head.origin] = open_edge(head.frontier(), open_tiles)
        return edges

    async def write_entries(self, writes: Sequence[Write]) -> None:
        """Entries, bodies and sealed data of a batch. Raises IntegrityError when an index already holds other bytes."""
        entries: list[Document] = []
        bodies: list[Document] = []
        sealed: dict[str, Document] = {}
        for write in writes:
            for index, entry in enumerate(write.entries, start=write.before.size):
                key = row_id(write.before.log, index)
                row: Document = {"_id": key, "bytes": Binary(entry.data), "refs": list(entry.refs)}
                if entry.aside is not None:  # committed to by the bytes: it cannot differ where they are the same
                    row["aside"] = Binary(entry.aside)
                entries.append(row)
                if entry.body is not None:
                    bodies.append({"_id": key, "bytes": Binary(entry.body)})
                if entry.sealed is not None:
                    owner, blob = entry.sealed.owner, Binary(entry.sealed.blob)
                    sealed.setdefault(owner, {"_id": owner, "kind": entry.sealed.kind, "blob": blob})  # first one wins
        erased = {owner for write in writes for entry in write.entries for owner in entry.erased}
        restricted = {owner for write in writes for entry in write.entries for owner in entry.restricted}
        differing = await together(
            insert(self._db.entries, entries, "bytes"),
            insert(self._db.bodies, bodies, "bytes"),
            self._keep_sealed(list(sealed.values()), erased),
            insert(self._db.restricted, [{"_id": owner} for owner in sorted(restricted)], None),
        )
        if differing:
            log, index = min(differing)
            raise IntegrityError(f"index {index} of log {log} already holds other bytes")

    async def write_tiles(self, writes: Sequence[Write]) -> None:
        """Tiles, only where they widen. Raises IntegrityError when a wider one is there with other hashes."""
        rows = {(write.before.log, tile.level, tile.number): tile for write in writes for tile in write.tiles}
        operations = [
            UpdateOne(
                {"_id": tile_id(*key), "w": {"$lt": tile.width}},
                {"$set": {"w": tile.width, "h": Binary(tile.hashes)}},
                upsert=True,
            )
            for key, tile in rows.items()
        ]
        if not operations:
            return
        try:
            await self._db.tiles.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            keys = list(rows)
            wider = [
                keys[index] for index in duplicates(error)
            ]  # as wide or wider: left by a batch that did not commit
            found = self._db.tiles.find({"_id": {"$in": [tile_id(*key) for key in wider]}})
            async for row in found:
                key = tuple(row["_id"].values())
                if not bytes(row["h"]).startswith(rows[key].hashes):
                    raise IntegrityError(f"tile {key[1]}/{key[2]} of log {key[0]} holds other hashes") from error

    async def commit(self, writes: Sequence[Write]) -> set[str]:
        """Move the heads, each only if its epoch and size are still those it was built on: the commit point.

        Returns the origins that another instance holds now: their work is dropped. Raises `Unavailable` when a head of
        ours is not where it was left (an earlier answer was lost): read it again, then redo the batch.
        """
        operations = [
            UpdateOne(
                {"_id": write.before.origin, "epoch": write.before.epoch, "size": write.before.size},
                {"$set": write.after.moved()},
            )
            for write in writes
        ]
        result = await self._db.heads.bulk_write(operations, ordered=False)
        if result.matched_count == len(writes):
            return set()
        now = await self.heads(write.before.origin for write in writes)
        lost = set()
        for write in writes:
            head = now.get(write.before.origin)
            if head is None or head.epoch != write.before.epoch:
                lost.add(write.before.origin)
            elif head != write.after:
                raise Unavailable(f"the head of {write.before.origin} is not where it was left")
        return lost

    async def keep_checkpoints(self, rows: Sequence[tuple[int, int, bytes]]) -> set[int]:
        """Keep signed notes `(log, size, note)`, and the newest of each log apart, where one query finds them all.

        Returns the logs that already hold another note of that size; the same one, cosigned since, is no other.
        """
        documents: list[Document] = [
            {"_id": checkpoint_id(log, size), "note": Binary(note)} for log, size, note in rows
        ]
        differing = await kept_notes.contradicted(
            self._db.checkpoints, rows, await insert(self._db.checkpoints, documents, "note")
        )
        newest = [
            UpdateOne(
                {"_id": log, "size": {"$lt": size}},
                {"$set": {"size": size, "note": Binary(note)}, "$currentDate": {"at": True}},
                upsert=True,
            )
            for log, size, note in rows
            if log not in differing
        ]
        try:
            if newest:
                await self._db.latest.bulk_write(newest, ordered=False)
        except BulkWriteError as error:
            duplicates(error)  # as new or newer: nothing to move
        return differing

    async def add_cosignature(self, log: int, size: int, signature: RawSignature) -> None:
        """Add a witness's line to a stored note, once per key; whoever adds another line at the same time is not undone."""
        await kept_notes.add_line(self._db.checkpoints, {"_id": checkpoint_id(log, size)}, signature)
        await kept_notes.add_line(self._db.latest, {"_id": log, "size": size}, signature)

    async def oblige(self, name: str, cause: str, since: str, **facts: Any) -> None:
        """Open an obligation of the operator: something that is stopped, its cause, since when (an instant)."""
        row = {"owner": "operator", "cause": cause, **facts}
        await self._db.obligations.update_one(
            {"_id": name}, {"$set": row, "$setOnInsert": {"since": since}}, upsert=True
        )

    async def discharge(self, names: Iterable[str]) -> None:
        """Close obligations."""
        await self._db.obligations.delete_many({"_id": {"$in": list(names)}})

    async def _keep_sealed(self, rows: list[Document], erased: set[str]) -> set[tuple[int, int]]:
        """Keep personal data unless it was erased, whichever comes first: each side writes, then reads the other's."""
        if erased:
            await insert(self._db.erased, [{"_id": owner} for owner in sorted(erased)], None)
        await insert(self._db.sealed, rows, None)
        gone = set(erased)
        if rows:
            found = self._db.erased.find({"_id": {"$in": [row["_id"] for row in rows]}})
            gone |= {row["_id"] async for row in found}
        if gone:
            await self._db.sealed.delete_many({"_id": {"$in": sorted(gone)}})
        return set()
