"""The timestamps of a deployment, kept (database `archive`), and those that the bundle of a record takes in.

timestamps {_id: sha256 of the statement, deployment, at, statement, token, answer} ·
stamped {_id: {log, size}, stamp}: one row per log and size stated, so that the first timestamp that covers an entry is found
by one look into an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bson.binary import Binary
from pymongo import DESCENDING

from services.proof_archive.bundles.build import BundleTimestamp
from services.proof_archive.log.inserts import insert
from services.proof_archive.log.reader import Node, Reader, SignedCheckpoint
from services.proof_archive.log.rows import checkpoint_id
from services.proof_archive.timestamps.statement import Statement, to_prove
from shared import canonical
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import MAX_SIZE, consistency_nodes, consistency_proof
from shared.instants import format_instant
from shared.mongo import Client, Document, database

LATE = "timestamp.late"
_LOOKED_AT = 3


def obligation_of(deployment: str) -> str:
    """Name of the obligation that is open while the authority does not answer as it must."""
    return f"timestamps:{deployment}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A timestamp as stored."""

    sha256: str
    at: datetime
    statement: bytes
    token: bytes


class KeptStamps:
    """Timestamps of one deployment."""

    def __init__(self, client: Client, deployment: str) -> None:
        db = database(client, "archive")
        self._rows, self._stamped, self._obligations = db.timestamps, db.stamped, db.obligations
        self._deployment = deployment

    async def prepare(self) -> None:
        """Create the index."""
        await self._rows.create_index([("deployment", 1), ("at", -1), ("grown", -1)])

    async def keep(self, kept: Kept, answer: bytes, logs: Mapping[str, int]) -> None:
        """Keep a timestamp and the authority's whole answer; idempotent. `logs`: the number of each log by origin."""
        row: Document = {
            "_id": kept.sha256, "deployment": self._deployment, "at": kept.at, "statement": Binary(kept.statement),
            "token": Binary(kept.token), "answer": Binary(answer),
            "grown": sum(item.size for item in Statement.parse(kept.statement).checkpoints),
        }  # fmt: skip
        await self._rows.update_one({"_id": kept.sha256}, {"$setOnInsert": row}, upsert=True)
        await self.index(kept, logs)

    async def index(self, kept: Kept, logs: Mapping[str, int]) -> None:
        """Make the rows by which it is found: again after a crash between the two."""
        rows: list[Document] = [
            {"_id": checkpoint_id(logs[item.origin], item.size), "stamp": kept.sha256}
            for item in Statement.parse(kept.statement).checkpoints
            if item.origin in logs
        ]
        await insert(self._stamped, rows, None)

    async def newest(self, most: int = 1) -> list[Kept]:
        """The newest, newest first; of one second (authorities count whole ones) the one that states more comes first."""
        newest = [("at", DESCENDING), ("grown", DESCENDING)]
        rows = self._rows.find({"deployment": self._deployment}, {"answer": 0}).sort(newest).limit(most)
        return [_kept(row) async for row in rows]

    async def covering(self, log: int, index: int) -> Kept | None:
        """The first timestamp that covers an entry."""
        bounds = {"$gte": checkpoint_id(log, index + 1), "$lte": checkpoint_id(log, MAX_SIZE)}
        row = await self._stamped.find_one({"_id": bounds}, sort=[("_id", 1)])
        found = await self._rows.find_one({"_id": row["stamp"]}, {"answer": 0}) if row else None
        return _kept(found) if found else None

    async def obligations(self) -> list[dict[str, Any]]:
        """What is open, for the operator's list."""
        rows = self._obligations.find({"_id": obligation_of(self._deployment)})
        return [
            {
                "id": row["_id"], "kind": LATE, "owner": row["owner"], "cause": row["cause"], "opened_at": row["since"],
                "due_at": row["due_at"], "next_at": row["next_at"], "refs": {},
            }
            async for row in rows
        ]  # fmt: skip


class Stamps:
    """Chooses the timestamps of a bundle: the first that covers the consent, and the newest; with their proofs of growth."""

    def __init__(self, kept: KeptStamps, reader: Reader) -> None:
        self._kept, self._reader = kept, reader

    async def of(self, consent: tuple[int, int], points: Mapping[str, SignedCheckpoint]) -> tuple[BundleTimestamp, ...]:
        """For a consent at `(log, index)`, and the checkpoints (by origin) of the logs that the bundle holds entries of."""
        newest = await self._kept.newest(_LOOKED_AT)
        fitting = next((one for one in newest if _fits(one, points)), None)
        first = await self._kept.covering(*consent)
        chosen = {one.sha256: one for one in (first, fitting) if one is not None}
        return tuple([await self._joined(one, points) for one in chosen.values()])

    async def _joined(self, kept: Kept, points: Mapping[str, SignedCheckpoint]) -> BundleTimestamp:
        stated = to_prove(Statement.parse(kept.statement), trees_of(points))
        wanted = {
            points[origin].log: (points[origin].size, consistency_nodes(size, points[origin].size))
            for origin, size in stated.items()
        }
        nodes = await self._reader.nodes(wanted)
        growths: dict[str, Sequence[bytes]] = {}
        for origin, size in stated.items():
            growths[origin] = consistency_proof(size, points[origin].size, partial(_node, nodes[points[origin].log]))
        return BundleTimestamp(kept.statement, kept.token, growths)


def _node(known: Mapping[Node, bytes], level: int, index: int) -> bytes:
    return known[level, index]


def trees_of(points: Mapping[str, SignedCheckpoint]) -> dict[str, tuple[int, bytes]]:
    """Size and root of checkpoints, by origin."""
    return {origin: (point.size, checkpoint_of(point).root) for origin, point in points.items()}


def checkpoint_of(point: SignedCheckpoint) -> Checkpoint:
    """What a signed checkpoint says."""
    return Checkpoint.parse(note.split(point.note)[0])


def statement_of(deployment: str, points: Iterable[SignedCheckpoint]) -> tuple[Statement, dict[str, int]]:
    """What is stated of a deployment's logs now, and the number of each log by origin."""
    found = {(checkpoint := checkpoint_of(point)).origin: (checkpoint, point.log) for point in points}
    mine = {origin: item for origin, item in found.items() if origin.startswith(f"{deployment}/")}
    statement = Statement.of(deployment, {origin: (c.size, c.root) for origin, (c, _) in mine.items()})
    return statement, {origin: log for origin, (_, log) in mine.items()}


def named(statement: Statement) -> str:
    """The SHA-256 of a statement."""
    return canonical.sha256_hex(statement.marshal())


def told(at: datetime) -> str:
    """An instant of an obligation."""
    return format_instant(at)


def _fits(kept: Kept, points: Mapping[str, SignedCheckpoint]) -> bool:
    """Whether no log of the bundle is stated at a size beyond the bundle's: then it covers all that it can."""
    stated = {item.origin: item.size for item in Statement.parse(kept.statement).checkpoints}
    return all(stated.get(origin, 0) <= point.size for origin, point in points.items())


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(row["_id"], row["at"], bytes(row["statement"]), bytes(row["token"]))
