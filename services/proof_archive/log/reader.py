"""What the archive reads to prove: heads, entries by reference, tree nodes out of tiles, signed checkpoints.

Every question is one query, or one per log; none grows with the history. Reads are on the primary with majority concern.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.proof_archive.log.rows import Head, checkpoint_id, entries_between, head_of, row_id, tile_id
from shared.crypto.merkle import MAX_SIZE
from shared.crypto.tiles import TILE_WIDTH, Tile, node_of_tile, tile_of_node
from shared.errors import IntegrityError
from shared.mongo import Client, database

Node = tuple[int, int]
"""`(level, index)` of a tree node."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as stored: its log's number, its index there, its exact bytes; `aside`: what a verdict commits to."""

    log: int
    index: int
    data: bytes
    aside: bytes | None = None


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint note and the size it covers. `at`: when the newest of a log was signed, by the database's clock."""

    log: int
    size: int
    note: bytes
    at: datetime | None = field(default=None, compare=False)


class Reader:
    """The reading side of the archive."""

    def __init__(self, client: Client) -> None:
        self._db = database(client, "archive")

    async def heads(self, deployment: str) -> list[Head]:
        """The head of every log of a deployment, as committed."""
        bounds = {"$gte": f"{deployment}/", "$lt": f"{deployment}0"}  # "0" follows "/": the names that start so
        return [head_of(row) async for row in self._db.heads.find({"_id": bounds}).sort("_id")]

    async def head(self, origin: str) -> Head | None:
        """One log's head."""
        row = await self._db.heads.find_one({"_id": origin})
        return head_of(row) if row else None

    async def by_refs(self, refs: Iterable[str], logs: Iterable[int], most: int) -> list[StoredEntry]:
        """Entries of these logs about any of these references, in log order; at most `most`."""
        query = {"refs": {"$in": sorted(set(refs))}, "_id.log": {"$in": sorted(set(logs))}}
        found = self._db.entries.find(query, {"bytes": 1, "aside": 1})
        rows = found.sort([("_id.log", 1), ("_id.index", 1)]).limit(most)
        return [
            StoredEntry(row["_id"]["log"], row["_id"]["index"], bytes(row["bytes"]), row.get("aside"))
            async for row in rows
        ]

    async def latest(self) -> dict[int, SignedCheckpoint]:
        """The newest signed checkpoint of each log that has one."""
        return {row["_id"]: _latest(row) async for row in self._db.latest.find()}

    async def latest_under(self, deployment: str) -> list[SignedCheckpoint]:
        """The newest signed checkpoint of each log of one deployment."""
        bounds = {"$gte": f"{deployment}/", "$lt": f"{deployment}0"}  # "0" follows "/"
        logs = [row["log"] async for row in self._db.heads.find({"_id": bounds}, {"log": 1})]
        return [_latest(row) async for row in self._db.latest.find({"_id": {"$in": logs}})]

    async def latest_of(self, log: int) -> SignedCheckpoint | None:
        """The newest signed checkpoint of one log."""
        row = await self._db.latest.find_one({"_id": log})
        return _latest(row) if row else None

    async def newest(self, log: int, most: int) -> list[SignedCheckpoint]:
        """The newest signed checkpoints of one log, newest first."""
        bounds = {"$gte": checkpoint_id(log, 0), "$lte": checkpoint_id(log, MAX_SIZE)}
        rows = self._db.checkpoints.find({"_id": bounds}).sort("_id", -1).limit(most)
        return [SignedCheckpoint(log, row["_id"]["size"], bytes(row["note"])) async for row in rows]

    async def nodes(self, wanted: Mapping[int, tuple[int, Iterable[Node]]]) -> dict[int, dict[Node, bytes]]:
        """Hashes of tree nodes by log: `wanted` gives, for each log, its size and the nodes. One query for all.

        Raises IntegrityError when a tile that a tree of that size must have is missing or too narrow.
        """
        places: dict[tuple[int, int, int], list[Node]] = {}
        for log, (size, nodes) in wanted.items():
            for node in set(nodes):
                tile = tile_of_node(*node, size)
                places.setdefault((log, tile.level, tile.number), []).append(node)
        found: dict[int, dict[Node, bytes]] = {log: {} for log in wanted}
        rows = self._db.tiles.find({"_id": {"$in": [tile_id(*place) for place in places]}}) if places else None
        if rows is not None:
            async for row in rows:
                place, hashes = tuple(row["_id"].values()), bytes(row["h"])
                for node in places.pop(place):
                    found[place[0]][node] = node_of_tile(hashes, *node)
        if places:
            log, level, number = min(places)
            raise IntegrityError(f"tile {level}/{number} of log {log} is missing")
        return found

    async def tile(self, log: int, tile: Tile) -> bytes | None:
        """The first `tile.width` hashes of a tile, if it is that wide."""
        row = await self._db.tiles.find_one({"_id": tile_id(log, tile.level, tile.number), "w": {"$gte": tile.width}})
        return bytes(row["h"])[: 32 * tile.width] if row else None

    async def entries(self, log: int, number: int, width: int) -> list[bytes]:
        """The exact bytes of the first `width` entries of a bundle."""
        begin = number * TILE_WIDTH
        rows = self._db.entries.find({"_id": entries_between(log, begin, begin + width)}, {"bytes": 1}).sort("_id", 1)
        return [bytes(row["bytes"]) async for row in rows]

    async def bodies(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Facts that stand beside their entry, by `(log, index)`."""
        rows = self._db.bodies.find({"_id": {"$in": [row_id(*place) for place in places]}})
        return {(row["_id"]["log"], row["_id"]["index"]): bytes(row["bytes"]) async for row in rows}

    async def sealed(self, owners: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        """Kind and ciphertext of the personal data still kept, by owner."""
        rows = self._db.sealed.find({"_id": {"$in": sorted(owners)}})
        return {row["_id"]: (row["kind"], bytes(row["blob"])) async for row in rows}

    async def erased(self, owners: Iterable[str]) -> set[str]:
        """Those of these owners whose personal data was erased by order."""
        return {row["_id"] async for row in self._db.erased.find({"_id": {"$in": sorted(owners)}})}

    async def restricted(self, owners: Iterable[str]) -> set[str]:
        """Those of these owners whose personal data is kept for legal claims only."""
        return {row["_id"] async for row in self._db.restricted.find({"_id": {"$in": sorted(owners)}})}

    async def obligations(self) -> list[dict[str, Any]]:
        """What waits for an operator."""
        return [row async for row in self._db.obligations.find().sort("_id")]


def _latest(row: Mapping[str, Any]) -> SignedCheckpoint:
    at: datetime | None = row.get("at")
    if at is not None and at.tzinfo is None:  # a date of the database: UTC
        at = at.replace(tzinfo=UTC)
    return SignedCheckpoint(row["_id"], row["size"], bytes(row["note"]), at)
