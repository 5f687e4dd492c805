"""Checks every log again from its bytes: entries → leaf hashes → tiles → root → head → signed checkpoints, and Kafka.

Memory is constant: a log is read in groups of tiles. Where an entry and the tile that hashed it disagree, the level above
tells which of the two was altered, and the check goes on with the sound one, so that one altered byte is one finding and not
a thousand (RFC 6962 §2.1, C2SP tlog-tiles). Interrupted, it goes on from the last group that was finished (`state`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from aiokafka import AIOKafkaConsumer

from services.proof_archive.fsck.kafka import Retained, connected
from services.proof_archive.fsck.notes import Notes, check_published
from services.proof_archive.fsck.report import LogReport, Progress, Report
from services.proof_archive.fsck.rows import Group, read_group, tile_hashes
from services.proof_archive.fsck.state import Place, StateFile
from services.proof_archive.log.growth import Edge, TileRow, grow
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.rows import Head
from shared.crypto.checkpoint import Origin
from shared.crypto.merkle import HASH_SIZE, CompactRange, leaf_hash
from shared.crypto.policy import NO_QUORUM, Policy
from shared.crypto.tiles import TILE_HEIGHT, TILE_WIDTH
from shared.mongo import Client, Database, database
from shared.settings import Settings

TILES_AT_ONCE = 16
"""Level-0 tiles (256 entries each) in one group: a few megabytes."""

UNKNOWN = bytes(HASH_SIZE)
"""Stands for the leaf of an entry that neither the entries nor the tiles hold: every root above it will differ."""


class Fsck:
    """One check of a deployment's logs. `kafka`: compare with what Kafka retains, too."""

    def __init__(
        self, client: Client, settings: Settings, policy: Policy, progress: Progress, *, kafka: bool,
        state: StateFile | None = None,
    ) -> None:  # fmt: skip
        self._db: Database = database(client, "archive")
        self._reader, self._settings = Reader(client), settings
        self._policy = replace(policy, quorum=NO_QUORUM)  # a checkpoint is sound before witnesses have seen it
        self._progress, self._kafka, self._state = progress, kafka, state

    async def run(self) -> Report:
        """Check everything. Raises `Unavailable` or what the driver raises when an engine is away."""
        heads = await self._reader.heads(self._settings.deployment)
        for head in heads:
            self._progress(head.origin, 0, head.size)
        logs: list[LogReport] = []
        async with AsyncExitStack() as stack:
            consumer = await stack.enter_async_context(connected(self._settings)) if self._kafka else None
            for head in heads:
                done = self._state.done(head.origin) if self._state is not None else None
                logs.append(done or await self._one(head, consumer))
                self._progress(head.origin, head.size, head.size)
        if self._kafka:
            logs += await check_published(self._settings, self._policy, self._reader, logs)
        if self._state is not None:
            self._state.forget()
        return Report(logs)

    async def _one(self, head: Head, consumer: AIOKafkaConsumer | None) -> LogReport:
        """One log, from its beginning or from where an earlier run stood."""
        place = self._state.place(head.origin) if self._state is not None else None
        if place is None or place.edge.size > head.size:  # a database put back: the whole is looked at again
            place = Place(LogReport(head.origin), Edge(), -1, 0)
        retained = None
        if consumer is not None:
            origin = Origin.parse(head.origin)
            retained = Retained(consumer, origin, place.report, head.next_offset, place.kafka_at)
            await retained.begin()
        await self._log(head, place, retained)
        if self._state is not None:
            self._state.finished(place.report)
        return place.report

    async def _log(self, head: Head, place: Place, retained: Retained | None) -> None:
        report, edge, offset = place.report, place.edge, place.offset
        notes = Notes(self._db, self._reader, head, self._policy, report, edge.size)
        begin, width = edge.size, TILES_AT_ONCE * TILE_WIDTH
        while begin < head.size:
            end = min(begin - begin % width + width, head.size)
            group = await read_group(self._db, head, begin, end)
            offset = group.check_places(report, offset)
            for number in group.numbers():
                leaves = _leaves(group, number, edge.frontier, report)
                edge = await self._grow(head, edge, leaves, notes, report)
            if retained is not None:
                await retained.compare(group.placed())
            report.entries += len(group.entries)
            self._progress(head.origin, group.end, head.size)
            if self._state is not None and end % width == 0:
                self._state.reached(Place(report, edge, offset, 0 if retained is None else retained.at))
            begin = end
        await self._tiles(head, _open_rows(edge), report)
        if retained is not None:
            await retained.finish()
        if edge.frontier.root() != head.root or edge.frontier.hashes != head.range or offset >= head.next_offset:
            report.find("HEAD-ALTERED", "head")
        await notes.finish()

    async def _grow(self, head: Head, edge: Edge, leaves: Sequence[bytes], notes: Notes, report: LogReport) -> Edge:
        """Grow by the leaves of one tile, stopping at every size that was signed."""
        at, full = 0, list[TileRow]()
        while at < len(leaves):
            step = await notes.next_size(edge.size, edge.size + len(leaves) - at) - edge.size
            edge, rows = grow(edge, leaves[at : at + step])
            at += step
            full += [row for row in rows if row.width == TILE_WIDTH]
            notes.check(edge.frontier)
        await self._tiles(head, full, report)
        return edge

    async def _tiles(self, head: Head, rows: Sequence[TileRow], report: LogReport) -> None:
        """Compare the tiles above level 0, which `_leaves` compared, with what the leaves give."""
        report.tiles += len(rows)
        above = [row for row in rows if row.level]
        stored = await tile_hashes(self._db, head.log, [(row.level, row.number) for row in above])
        for row in above:
            found = stored.get((row.level, row.number), b"")
            place = f"tile {row.level}/{row.number}"
            if len(found) < len(row.hashes):
                report.find("TILE-MISSING", place)
            elif not found.startswith(row.hashes):
                report.find("TILE-ALTERED", place)


def _leaves(group: Group, number: int, before: CompactRange, report: LogReport) -> list[bytes]:
    """Leaf hashes of one tile: those of the entries, or the tile's where it is an entry that was altered or is missing."""
    first = number * TILE_WIDTH
    indexes = range(first, min(first + TILE_WIDTH, group.end))
    stored = group.tiles.get(number, [])[: len(indexes)]
    computed = [leaf_hash(group.entries[index]) if index in group.entries else None for index in indexes]
    if computed == stored:
        return stored
    if len(stored) < len(indexes):
        report.find("TILE-MISSING", f"tile 0/{number}")
        return [leaf or UNKNOWN for leaf in computed]
    tile_is_sound = None in computed or group.is_sound(number, stored, before)
    for index, leaf, hashed in zip(indexes, computed, stored, strict=True):
        if leaf is None or leaf == hashed:
            continue
        if tile_is_sound:
            report.find("ENTRY-ALTERED", f"entry {index}")
        else:
            report.find("TILE-ALTERED", f"tile 0/{number}")
            break
    return stored if tile_is_sound else [leaf or UNKNOWN for leaf in computed]


def _open_rows(edge: Edge) -> list[TileRow]:
    """The tiles being filled at a log's right edge."""
    return [
        TileRow(level, (edge.size >> (TILE_HEIGHT * level)) // TILE_WIDTH, hashes)
        for level, hashes in enumerate(edge.open_tiles)
        if hashes
    ]
