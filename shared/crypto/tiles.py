"""Tiles and entry bundles: how a log's hashes and entries are cut into cacheable files (C2SP tlog-tiles).

A tile holds up to 256 consecutive hashes of tree level `8 × L`; tile level L + 1 holds the roots of full tiles of level
L. An entry bundle holds the entries of the level-0 tile of the same number, each after its length on two bytes,
big-endian. A tile that is not full is named with its width (`.p/<W>`). Sizes in entries, hashes of 32 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.crypto.merkle import HASH_SIZE, node_hash
from shared.errors import IntegrityError

TILE_HEIGHT = 8
"""Tree levels in a tile."""

TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes in a full tile."""

MAX_ENTRY = 0xFFFF
"""Largest entry, in bytes: its length is a 16-bit number."""

ENTRIES = -1
"""Stands for the level of entry bundles, which the format calls `entries`."""

_MAX_LEVEL = 63
_GROUP = 1000
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Coordinates of a tile: level (or `ENTRIES`), number from 0, width from 1 to 256."""

    level: int
    number: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """`tile/0/x001/x234/067`, or with `.p/<W>` when partial."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        suffix = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{number_path(self.number)}{suffix}"


def number_path(number: int) -> str:
    """`1234067` → `x001/x234/067`."""
    groups = [f"{number % _GROUP:03d}"]
    while number >= _GROUP:
        number //= _GROUP
        groups.append(f"x{number % _GROUP:03d}")
    return "/".join(reversed(groups))


def parse_path(path: str) -> Tile:
    """Coordinates of a path. Raises IntegrityError on any spelling but the one `Tile.path` writes."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise IntegrityError("not a tile path")
    level, groups, width = match.groups()
    tile = Tile(
        ENTRIES if level == "entries" else int(level),
        int(groups.replace("/", "").replace("x", "")),
        int(width) if width else TILE_WIDTH,
    )
    if tile.level > _MAX_LEVEL or tile.width > TILE_WIDTH or tile.path() != path:
        raise IntegrityError("not a tile path")
    return tile


def width_at(level: int, number: int, size: int) -> int:
    """Hashes that tile `(level, number)` holds in a tree of `size` entries: 0 to 256."""
    hashes = size >> (TILE_HEIGHT * max(level, 0))
    return min(max(hashes - number * TILE_WIDTH, 0), TILE_WIDTH)


def tiles_grown(old_size: int, new_size: int) -> Iterator[Tile]:
    """Every hash tile whose width differs between two sizes, with its new width, level by level."""
    level, old_hashes, new_hashes = 0, old_size, new_size
    while new_hashes > old_hashes:  # where a level did not grow, none above it did
        for number in range(old_hashes // TILE_WIDTH, (new_hashes - 1) // TILE_WIDTH + 1):
            yield Tile(level, number, width_at(level, number, new_size))
        level, old_hashes, new_hashes = level + 1, old_hashes >> TILE_HEIGHT, new_hashes >> TILE_HEIGHT


def tile_of_node(level: int, index: int, size: int) -> Tile:
    """The tile that holds what is needed for tree node `(level, index)` at `size`, in its widest form there.

    Raises IntegrityError when the tree of that size does not hold the node.
    """
    tile_level, first, count = _span(level, index)
    tile = Tile(tile_level, first // TILE_WIDTH, width_at(tile_level, first // TILE_WIDTH, size))
    if first % TILE_WIDTH + count > tile.width:
        raise IntegrityError("the tree of this size does not hold that node")
    return tile


def node_of_tile(data: bytes, level: int, index: int) -> bytes:
    """Hash of tree node `(level, index)` out of the bytes of its tile (see `tile_of_node`)."""
    _, first, count = _span(level, index)
    begin = first % TILE_WIDTH * HASH_SIZE
    end = begin + count * HASH_SIZE
    _check_tile(data)
    if end > len(data):
        raise IntegrityError("the tile is too narrow for that node")
    hashes = [data[at : at + HASH_SIZE] for at in range(begin, end, HASH_SIZE)]
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile's bytes: 1 to 256 of them."""
    _check_tile(data)
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entry bundle of 1 to 256 entries of at most 65 535 bytes."""
    if not 1 <= len(entries) <= TILE_WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise IntegrityError("an entry bundle is 1 to 256 entries of at most 65 535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries of an entry bundle. Raises IntegrityError when it is cut short or holds too many."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            raise IntegrityError("the entry bundle is cut short")
        entries.append(data[at + 2 : end])
        at = end
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise IntegrityError("an entry bundle holds 1 to 256 entries")
    return entries


def _check_tile(data: bytes) -> None:
    if not data or len(data) % HASH_SIZE or len(data) > TILE_WIDTH * HASH_SIZE:
        raise IntegrityError("a tile is 1 to 256 hashes of 32 bytes")


def _span(level: int, index: int) -> tuple[int, int, int]:
    """Tile level, first hash at that level and number of hashes under tree node `(level, index)`."""
    tile_level, above = divmod(level, TILE_HEIGHT)
    return tile_level, index << above, 1 << above
