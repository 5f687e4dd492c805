"""What a check reads of one stretch of a log: entries, the tiles that hashed them, the tiles above those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.proof_archive.fsck.report import LogReport
from services.proof_archive.log.rows import Head, entries_between, row_id, tile_id
from shared import canonical
from shared.crypto.checkpoint import Origin
from shared.crypto.merkle import CompactRange
from shared.crypto.tiles import TILE_WIDTH, split_hashes
from shared.errors import IntegrityError
from shared.mongo import Database
from shared.verdicts import is_committed, opened_of

ASIDE = {"bytes", "sha256"}
"""The only keys of facts that stand beside their entry."""


@dataclass(slots=True)
class Group:
    """Entries `[begin, end)` of a log by index, their tiles by number, and the level-1 tiles above them by number."""

    head: Head
    begin: int
    end: int
    entries: dict[int, bytes]
    tiles: dict[int, list[bytes]]
    parents: dict[int, list[bytes]]
    bodies: dict[int, bytes]
    asides: dict[int, bytes]
    """What verdicts commit to."""
    parsed: dict[int, dict[str, Any]] = field(default_factory=dict)

    def numbers(self) -> range:
        """The level-0 tiles concerned."""
        return range(self.begin // TILE_WIDTH, -(-self.end // TILE_WIDTH))

    def placed(self) -> list[tuple[int, int, bytes]]:
        """`(index, offset, bytes)` of the entries that can be read."""
        return [(index, entry["offset"], self.entries[index]) for index, entry in self.parsed.items()]

    def is_sound(self, number: int, hashes: Sequence[bytes], before: CompactRange) -> bool:
        """Whether a stored tile leads to what stands above it: its hash one level up, or the head's root at the edge."""
        if len(hashes) == TILE_WIDTH:
            above = self.parents.get(number // TILE_WIDTH, [])
            place = number % TILE_WIDTH
            return place < len(above) and above[place] == CompactRange().extend(hashes).root()
        return before.extend(hashes).root() == self.head.root

    def check_places(self, report: LogReport, offset: int) -> int:
        """Check that every entry is there, in the order of its offsets, from its own partition. Returns the last offset."""
        origin = Origin.parse(self.head.origin)
        for index in range(self.begin, self.end):
            if index not in self.entries:
                report.find("ENTRY-MISSING", f"entry {index}")
                continue
            entry = self.parsed.get(index)
            if entry is None:  # its bytes were altered: its hash says so
                continue
            at = entry["offset"]
            if (entry["topic"], entry["partition"]) != (origin.topic, origin.partition) or at <= offset:
                report.find("ENTRY-MISPLACED", f"entry {index}")
            facts, body = entry["facts"], self.bodies.get(index)
            if facts.keys() == ASIDE and (body is None or canonical.sha256_hex(body) != facts["sha256"]):
                report.find("BODY-ALTERED", f"entry {index}")
            elif not self._is_opened(index, facts):
                report.find("LINES-ALTERED", f"entry {index}")
            offset = max(offset, at)
        return offset

    def _is_opened(self, index: int, facts: dict[str, Any]) -> bool:
        """Whether what a verdict commits to stands beside it, exactly; true of every other entry."""
        body = self.bodies.get(index)
        try:
            said = facts if body is None else canonical.loads(body)
            if not (isinstance(said, dict) and is_committed(said)):
                return True
            opened_of(said, canonical.loads(self.asides[index]))
        except (KeyError, ValueError, IntegrityError):
            return False
        return True


async def read_group(database: Database, head: Head, begin: int, end: int) -> Group:
    """Read one stretch in four queries."""
    rows = database.entries.find({"_id": entries_between(head.log, begin, end)}, {"bytes": 1, "aside": 1})
    entries: dict[int, bytes] = {}
    asides: dict[int, bytes] = {}
    async for row in rows.sort("_id", 1):
        index = row["_id"]["index"]
        entries[index] = bytes(row["bytes"])
        if "aside" in row:
            asides[index] = bytes(row["aside"])
    parsed = {index: entry for index, data in entries.items() if (entry := _parse(data)) is not None}
    numbers = range(begin // TILE_WIDTH, -(-end // TILE_WIDTH))
    levels = [(0, number) for number in numbers] + [(1, number) for number in {n // TILE_WIDTH for n in numbers}]
    hashes = await tile_hashes(database, head.log, levels)
    aside = [index for index, entry in parsed.items() if entry["facts"].keys() == ASIDE]
    found = database.bodies.find({"_id": {"$in": [row_id(head.log, index) for index in aside]}})
    bodies = {row["_id"]["index"]: bytes(row["bytes"]) async for row in found} if aside else {}
    return Group(
        head, begin, end, entries,
        {number: _split(data) for (level, number), data in hashes.items() if level == 0},
        {number: _split(data) for (level, number), data in hashes.items() if level == 1},
        bodies, asides, parsed,
    )  # fmt: skip


async def tile_hashes(database: Database, log: int, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Bytes of the tiles `(level, number)` that are stored with the width they claim."""
    if not places:
        return {}
    rows = database.tiles.find({"_id": {"$in": [tile_id(log, *place) for place in places]}})
    return {
        (row["_id"]["L"], row["_id"]["N"]): bytes(row["h"]) async for row in rows if len(row["h"]) == 32 * row["w"]
    }  # fmt: skip


def _split(data: bytes) -> list[bytes]:
    try:
        return split_hashes(data)
    except IntegrityError:
        return []


def _parse(data: bytes) -> dict[str, Any] | None:
    """An entry, where it has the form of one."""
    try:
        entry = canonical.loads(data)
    except ValueError:
        return None
    readable = isinstance(entry, dict) and isinstance(entry.get("facts"), dict) and isinstance(entry.get("offset"), int)
    return entry if readable and {"topic", "partition"} <= entry.keys() else None
