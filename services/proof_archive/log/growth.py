"""How a log grows: its right edge, the tiles that widen, its root. Pure.

The tree is RFC 6962 §2.1, the tiles C2SP tlog-tiles 0.1: 256 hashes of 32 bytes, tile level L + 1 over full tiles of L.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.crypto.merkle import HASH_SIZE, CompactRange
from shared.crypto.tiles import TILE_HEIGHT, TILE_WIDTH
from shared.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class TileRow:
    """A tile as stored: `hashes` holds `width` hashes of 32 bytes, from the left."""

    level: int
    number: int
    hashes: bytes

    @property
    def width(self) -> int:
        """How many hashes the tile holds, 1 to 256."""
        return len(self.hashes) // HASH_SIZE


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a log: its frontier, and the hashes of the tile being filled at each tile level."""

    frontier: CompactRange = field(default_factory=CompactRange)
    open_tiles: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        """Entries in the log."""
        return self.frontier.size


def grow(edge: Edge, leaves: Sequence[bytes]) -> tuple[Edge, list[TileRow]]:
    """The edge after these leaf hashes, and every tile whose width grew, each once, in its widest form."""
    levels = [[open_tile] for open_tile in edge.open_tiles]

    def visit(level: int, _index: int, node: bytes) -> None:
        tile_level, inside = divmod(level, TILE_HEIGHT)
        if not inside:
            if tile_level == len(levels):
                levels.append([])
            levels[tile_level].append(node)

    frontier = edge.frontier.extend(leaves, visit)
    rows: list[TileRow] = []
    for level, parts in enumerate(levels):
        number = (edge.size >> (TILE_HEIGHT * level)) // TILE_WIDTH
        grown = b"".join(parts)
        levels[level] = [_cut(level, number, grown, len(parts) > 1 or level >= len(edge.open_tiles), rows)]
    return Edge(frontier, tuple(parts[0] for parts in levels)), rows


def _cut(level: int, number: int, hashes: bytes, has_grown: bool, rows: list[TileRow]) -> bytes:
    """Cut a level's hashes into tiles from tile `number` on; what stays open is returned, and listed if it grew."""
    full = TILE_WIDTH * HASH_SIZE
    while len(hashes) >= full:
        rows.append(TileRow(level, number, hashes[:full]))
        number, hashes = number + 1, hashes[full:]
    if hashes and has_grown:
        rows.append(TileRow(level, number, hashes))
    return hashes


def open_edge(frontier: CompactRange, open_tiles: Sequence[bytes]) -> Edge:
    """An edge as loaded from the store. Raises IntegrityError unless the open tiles lead to the frontier."""
    edge = Edge(frontier, tuple(open_tiles))
    nodes: list[bytes] = []
    for level in reversed(range(len(edge.open_tiles))):
        hashes = edge.open_tiles[level]
        width = (frontier.size >> (TILE_HEIGHT * level)) % TILE_WIDTH
        if len(hashes) != width * HASH_SIZE:
            raise IntegrityError("a tile at the log's right edge is narrower than the log")
        leaves = (hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE))
        nodes += CompactRange().extend(leaves).hashes
    if tuple(nodes) != frontier.hashes:
        raise IntegrityError("the tiles at the log's right edge do not lead to its head")
    return edge
