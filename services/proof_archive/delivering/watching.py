"""How soon each proof is available: from the receipt of a consent to the checkpoint that covers its first verdict.

Once a second the newest checkpoint of each log is noted with its time; verdicts are then read, in windows of one checkpoint, at
a bounded pace: under load the counting lags, the times do not (an upper bound, by a second at most). A window's end is
written down before it is counted, so that a crash counts it again over the very same entries (`tallies`). What was archived
before the first look ever is not measured.

sla_windows {_id: log, size, to, at, points: [{size, at}]} · {_id: "since", at}
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from services.proof_archive.delivering.tallies import Tallies
from services.proof_archive.delivering.terms import Pair, Tally, day_of, pair_of, promised, recipients_of
from services.proof_archive.log.reader import Reader, SignedCheckpoint
from services.proof_archive.log.rows import entries_between
from shared import canonical
from shared.clock import Clock
from shared.crypto.checkpoint import Origin
from shared.instants import from_millis, parse_instant
from shared.kafka.batch import INFRASTRUCTURE
from shared.metrics import Metrics
from shared.mongo import Client, Document, database
from shared.pacing import in_turns
from shared.registry.view import RegistryView
from shared.topics import VERDICTS
from shared.verdicts import Opened

EVERY_S = 1.0
BACKOFF_MOST_S = 30.0
WINDOW = 1000
"""Entries of a log counted in one look: what bounds the cost of counting under load."""
POINTS = 3600
"""Checkpoints of a log remembered while its counting lags: an hour of them; beyond, the next one's time is taken."""


class Watching:
    """Counts what has become available. Several instances may look at once: one counts, the others find it counted."""

    def __init__(
        self, client: Client, reader: Reader, tallies: Tallies, registry: Callable[[], RegistryView], *,
        deployment: str, clock: Clock, metrics: Metrics, log: Any,
    ) -> None:  # fmt: skip
        self._db, self._reader, self._tallies = database(client, "archive"), reader, tallies
        self._registry, self._deployment = registry, deployment
        self._clock, self._metrics, self._log = clock, metrics, log

    async def run(self) -> None:
        """Look for ever. An engine that is away is waited for."""
        delay = EVERY_S
        while True:
            try:
                await self.look()
            except INFRASTRUCTURE as error:
                delay = min(BACKOFF_MOST_S, delay * 2)
                self._log.warning("service levels are not measured now", seconds=delay, exc_info=error)
            else:
                delay = EVERY_S
            await asyncio.sleep(delay * random.uniform(0.8, 1.0))

    async def look(self) -> int:
        """Note the newest checkpoints and count one window a log; returns how many entries were looked at."""
        since = await self._since()
        latest = await self._reader.latest()
        logs = [
            h.log for h in await self._reader.heads(self._deployment) if Origin.parse(h.origin).topic == VERDICTS.name
        ]
        covered = {log: latest[log] for log in logs if log in latest}
        rows = {row["_id"]: row async for row in self._db.sla_windows.find({"_id": {"$in": list(covered)}})}
        looked = 0
        for log, point in covered.items():
            looked += await self._window(log, await self._noticed(log, rows.get(log), point), since)
        return looked

    async def _noticed(self, log: int, row: Document | None, point: SignedCheckpoint) -> Document:
        """The row of a log, with the newest checkpoint among those whose entries are still to be counted."""
        if row is not None and point.size <= max([row["size"], *(known["size"] for known in row["points"])]):
            return row
        new = {"size": point.size, "at": point.at or self._clock.now()}
        noticed: Any = await self._db.sla_windows.find_one_and_update(
            {"_id": log},
            {
                "$setOnInsert": {"size": 0, "to": None},
                "$push": {"points": {"$each": [new], "$slice": -POINTS}},
            },
            upsert=True, return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        return dict(noticed)

    async def _since(self) -> datetime:
        row: Any = await self._db.sla_windows.find_one_and_update(
            {"_id": "since"}, {"$setOnInsert": {"at": self._clock.now()}}, upsert=True,
            return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        at: datetime = row["at"]
        return at

    async def _window(self, log: int, row: Document, since: datetime) -> int:
        """Count the next entries of a log, of one checkpoint: up to where it reaches, `WINDOW` at most."""
        begin, end, at = row["size"], row["to"], row.get("at")
        if end is None:
            ahead = [point for point in row["points"] if point["size"] > begin]
            if not ahead:
                return 0
            point = min(ahead, key=lambda known: known["size"])
            end, at = min(point["size"], begin + WINDOW), point["at"]
            claimed = await self._db.sla_windows.find_one_and_update(
                {"_id": log, "size": begin, "to": None}, {"$set": {"to": end, "at": at}}
            )
            if claimed is None:
                return 0  # another instance was first
        assert isinstance(at, datetime)  # noqa: S101 - written together with `to`
        await self._tallies.add("a", await self._count(log, begin, end, at, since), (log, end))
        await self._db.sla_windows.update_one(
            {"_id": log, "size": begin, "to": end},
            {"$set": {"size": end, "to": None}, "$pull": {"points": {"size": {"$lte": end}}}},
        )
        return int(end - begin)

    async def _count(self, log: int, begin: int, end: int, at: datetime, since: datetime) -> dict[Pair, Tally]:
        rows = await self._db.entries.find(
            {"_id": entries_between(log, begin, end)}, {"bytes": 1, "aside": 1}
        ).to_list()
        entries = {row["_id"]["index"]: canonical.loads(bytes(row["bytes"])) async for row in in_turns(rows)}
        aside = [(log, index) for index, entry in entries.items() if entry["facts"].keys() == {"bytes", "sha256"}]
        bodies = await self._reader.bodies(aside) if aside else {}
        asides = {row["_id"]["index"]: row["aside"] for row in rows if "aside" in row}
        tallies: dict[Pair, Tally] = {}
        async for index, entry in in_turns(entries.items()):
            body = bodies.get((log, index))
            facts = entry["facts"] if body is None else canonical.loads(body)
            received = _received(facts)
            if received is None or from_millis(entry["ts"]) < since:
                continue
            ms = max(0, round((at - received).total_seconds() * 1000))
            lines = Opened.parse(bytes(asides[index])).lines if index in asides else facts.get("lines", [])
            for party in recipients_of(lines):
                tally = tallies.setdefault(pair_of(facts["collector"], party, received), Tally())
                within = promised(self._registry(), facts["collector"], party, day_of(received))
                if tally.add(ms, within, at):
                    self._metrics.sla_breaches.labels("available").inc()
            self._metrics.proof_seconds.labels("available").observe(ms / 1000)
        return tallies


def _received(facts: dict[str, Any]) -> datetime | None:
    """When the consent of a first verdict was received; None for a later verdict on it, and for what is no verdict."""
    if facts.get("kind") != "consent.assessed" or facts.get("evaluated_at") != facts.get("received_at"):
        return None
    return parse_instant(facts["received_at"])
