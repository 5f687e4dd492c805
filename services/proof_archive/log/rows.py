"""The rows of the archive's collections as values: keys, bounds, heads. Pure.

A key is an embedded document whose field order counts: `{log, index}`, `{log, L, N}`, `{log, size}`. `log` is the small
number that stands for an origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bson.binary import Binary

from shared.crypto.merkle import EMPTY_ROOT, CompactRange
from shared.crypto.tiles import TILE_HEIGHT, TILE_WIDTH

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands: `size` entries under `root`, the next Kafka offset to take, the epoch of who may move it."""

    origin: str
    log: int
    epoch: int
    size: int
    root: bytes
    next_offset: int
    range: tuple[bytes, ...]

    @classmethod
    def first(cls, origin: str, log: int) -> Self:
        """The head of an empty log."""
        return cls(origin, log, 0, 0, EMPTY_ROOT, 0, ())

    def frontier(self) -> CompactRange:
        """The frontier stored with the head."""
        return CompactRange(self.size, self.range)

    def as_row(self) -> Row:
        """The document of `heads`."""
        return {"_id": self.origin, "log": self.log, "epoch": self.epoch, **self.moved()}

    def moved(self) -> Row:
        """The fields that a commit sets."""
        return {
            "size": self.size,
            "root": Binary(self.root),
            "next_offset": self.next_offset,
            "range": [Binary(item) for item in self.range],
        }


def head_of(row: Mapping[str, Any]) -> Head:
    """The head of a document of `heads`."""
    return Head(
        row["_id"],
        row["log"],
        row["epoch"],
        row["size"],
        bytes(row["root"]),
        row["next_offset"],
        tuple(bytes(item) for item in row["range"]),
    )


def row_id(log: int, index: int) -> Row:
    """Key of an entry or of its body."""
    return {"log": log, "index": index}


def tile_id(log: int, level: int, number: int) -> Row:
    """Key of a tile."""
    return {"log": log, "L": level, "N": number}


def checkpoint_id(log: int, size: int) -> Row:
    """Key of a signed checkpoint."""
    return {"log": log, "size": size}


def entries_between(log: int, begin: int, end: int) -> Row:
    """Bounds on the key of the entries `[begin, end)` of a log."""
    return {"$gte": row_id(log, begin), "$lt": row_id(log, end)}


def edge_tiles(head: Head) -> list[tuple[int, int, int, int]]:
    """`(log, level, number, width)` of the tile being filled at each level of a log; width 0 where the last one is full."""
    tiles, level, hashes = [], 0, head.size
    while hashes:
        tiles.append((head.log, level, hashes // TILE_WIDTH, hashes % TILE_WIDTH))
        level, hashes = level + 1, hashes >> TILE_HEIGHT
    return tiles
