"""The transparency log seen from outside: entries fetched, roots computed anew, every checkpoint compared (P4).

Only public routes and the `checkpoints` topic are used, with the trust file. Formats: C2SP tlog-tiles, tlog-checkpoint,
signed-note (docs: proof.md). A log that left out, altered or added one record gives another root.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.cli.demo_ledger import Ledger, body
from services.cli.demo_promises import Promise, promise
from shared.crypto.checkpoint import Checkpoint, Origin
from shared.crypto.merkle import CompactRange, leaf_hash
from shared.crypto.policy import Policy, open_checkpoint
from shared.crypto.tiles import ENTRIES, TILE_WIDTH, Tile, decode_bundle, width_at
from shared.errors import IntegrityError
from shared.topics import ARCHIVED, CHECKPOINTS, REGISTRY


@dataclass(slots=True)
class LogSeen:
    """One log: what its newest checkpoint covers."""

    origin: str
    topic: str
    partition: int
    size: int
    checkpoints: int
    bytes: int = 0


@dataclass(slots=True)
class Archive:
    """Every log. `entries`: kind → record (or stop, order…) → number of entries. `faults`: what does not add up."""

    logs: list[LogSeen] = field(default_factory=list)
    entries: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Entries in all logs."""
        return sum(log.size for log in self.logs)

    @property
    def checkpoints(self) -> int:
        """Signed checkpoints in all logs."""
        return sum(log.checkpoints for log in self.logs)


def covered(ledger: Ledger, policy: Policy) -> dict[tuple[str, int], int]:
    """(topic, partition) → entries under its newest signed checkpoint, as far as the `checkpoints` topic says."""
    sizes: dict[tuple[str, int], int] = {}
    for origin, points in _checkpoints(ledger, policy, []).items():
        parts = Origin.parse(origin)
        sizes[parts.topic, parts.partition] = points[-1].size
    return sizes


def all_covered(ledger: Ledger, policy: Policy) -> bool:
    """Does a signed checkpoint cover every archived record read so far?"""
    sizes = covered(ledger, policy)
    return all(
        sizes.get((record.topic, record.partition), 0) > record.offset
        for row in ARCHIVED
        for record in ledger.of(row.name)
    )


async def read_archive(url: str, token: str, ledger: Ledger, policy: Policy) -> Archive:
    """Fetch every entry under the newest checkpoints and compare: with the roots, and with the topics' own records."""
    archive = Archive()
    known = _checkpoints(ledger, policy, archive.faults)
    limit = asyncio.Semaphore(8)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        await asyncio.gather(*(_read_log(client, limit, points, ledger, archive) for points in known.values()))
    archive.logs.sort(key=lambda log: log.origin)
    logged = {(log.topic, log.partition) for log in archive.logs}
    missing = {(r.topic, r.partition) for row in ARCHIVED for r in ledger.of(row.name)} - logged
    archive.faults += [f"{topic} p{partition}: no checkpoint" for topic, partition in sorted(missing)]
    return archive


def archive_adds_up(archive: Archive) -> Promise:
    """Every checkpoint of every log is the root of the entries fetched, and they are the topics' records."""
    return promise("log", archive.faults, logs=len(archive.logs), entries=archive.size, checkpoints=archive.checkpoints)


def _checkpoints(ledger: Ledger, policy: Policy, faults: list[str]) -> dict[str, list[Checkpoint]]:
    """Checkpoints by origin, smallest first; those that do not verify become faults."""
    found: defaultdict[str, list[Checkpoint]] = defaultdict(list)
    for record in ledger.of(CHECKPOINTS.name):
        try:
            checkpoint = open_checkpoint(record.value or b"", policy).checkpoint
        except IntegrityError as error:
            faults.append(f"checkpoint at offset {record.offset}: {error}")
        else:
            found[checkpoint.origin].append(checkpoint)
    return {origin: sorted(points, key=lambda point: point.size) for origin, points in found.items()}


async def _read_log(
    client: httpx.AsyncClient, limit: asyncio.Semaphore, points: Sequence[Checkpoint], ledger: Ledger, archive: Archive
) -> None:
    newest = points[-1]
    origin = Origin.parse(newest.origin)
    log = LogSeen(newest.origin, origin.topic, origin.partition, newest.size, len({p.size for p in points}))
    archive.logs.append(log)
    entries: list[bytes] = []
    for number in range(-(-newest.size // TILE_WIDTH)):
        tile = Tile(ENTRIES, number, width_at(ENTRIES, number, newest.size))
        async with limit:
            answer = await client.get(f"/log/{newest.origin}/{tile.path()}")
        if answer.status_code != httpx.codes.OK:
            archive.faults.append(f"{newest.origin}: {tile.path()}: HTTP {answer.status_code}")
            return
        entries += decode_bundle(answer.content)
    log.bytes = sum(map(len, entries))
    archive.faults += [f"{newest.origin}: {fault}" for fault in _wrong_roots(entries, points)]
    parsed = [json.loads(entry) for entry in entries]
    archive.faults += [f"{newest.origin}: {fault}" for fault in _wrong_entries(parsed, origin, ledger)]
    for entry in parsed:
        facts = entry["facts"]
        archive.entries[facts.get("kind", "")][_named(facts)] += 1


def _wrong_roots(entries: Sequence[bytes], points: Sequence[Checkpoint]) -> list[str]:
    frontier, faults, at = CompactRange(), [], 0
    for point in points:
        frontier = frontier.extend(leaf_hash(entry) for entry in entries[at : point.size])
        at = point.size
        if frontier.size != point.size or frontier.root() != point.root:
            faults.append(f"the checkpoint of size {point.size} has another root than its entries")
    return faults


def _wrong_entries(entries: Sequence[dict[str, Any]], origin: Origin, ledger: Ledger) -> list[str]:
    """Each record of the partition has its entry, with the same facts, at the index of its turn."""
    records = [record for record in ledger.of(origin.topic) if record.partition == origin.partition]
    if len(records) != len(entries):
        return [f"{len(records)} records, {len(entries)} entries"]
    faults = []
    for record, entry in zip(records, entries, strict=True):
        same_place = (record.topic, record.partition, record.offset) == (
            entry["topic"],
            entry["partition"],
            entry["offset"],
        )
        facts = body(record) if origin.topic == REGISTRY.name else body(record)["facts"]
        hidden = ("api_keys", "delivery") if origin.topic == REGISTRY.name else ()
        if not same_place or {k: v for k, v in facts.items() if k not in hidden} != entry["facts"]:
            faults.append(f"entry of offset {entry['offset']} says other than the record at {record.offset}")
    return faults


def _named(facts: dict[str, Any]) -> str:
    return str(next((facts[name] for name in ("record", "stop", "order", "request", "id") if name in facts), ""))
