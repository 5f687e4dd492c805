"""A round: every archived consent of a party, asked to be assessed again, from where the last instance stopped.

Read as a stream, in chunks; how far it got is stored after each, so that a crash repeats one chunk at most (a verdict given twice
is the same verdict). Consents that arrive meanwhile are assessed as the registry then is: the round ends at the logs' size when it
began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from services.proof_archive.log.reader import Reader
from services.proof_archive.log.rows import entries_between
from services.proof_archive.reassessing.asking import asking, concerns
from services.proof_archive.reassessing.store import Reassessments
from shared import canonical
from shared.clock import Clock
from shared.errors import Unavailable
from shared.instants import format_instant
from shared.intake.consents import KIND
from shared.kafka.publisher import Outgoing
from shared.mongo import Client, Document, database
from shared.registry.view import RegistryView
from shared.topics import CONSENTS

CHUNK = 500
LEASE = timedelta(seconds=60)
PAUSE_S = 1.0
MOST = 50


class Outbox(Protocol):
    """Where questions are published."""

    async def send_all(self, messages: Any) -> None:
        """Publish in order; returns when all are stored."""
        ...


@dataclass(frozen=True, slots=True)
class Rounds:
    """Runs rounds, and asks about single records."""

    client: Client
    reader: Reader
    store: Reassessments
    outbox: Outbox
    registry: Callable[[], RegistryView]
    clock: Clock
    deployment: str
    log: Any

    async def one(self, record: str) -> bool:
        """Ask for a new verdict on one record, with all that was decided about it; False where the log does not hold it (yet)."""
        heads = [head.log for head in await self.reader.heads(self.deployment) if self._is_consents(head.origin)]
        rows = await self.reader.by_refs([f"record:{record}"], heads, MOST)
        places = [(row.log, row.index, row.data) for row in rows]
        facts = [one for one in await self._facts(places) if one.get("kind") == KIND and one.get("record") == record]
        return bool(facts) and bool(await self._ask(facts[:1]))

    async def run(self) -> None:
        """Take rounds that are due, for ever."""
        while True:
            try:
                busy = await self.step()
            except Unavailable:
                busy = False
            if not busy:
                await asyncio.sleep(PAUSE_S)

    async def step(self) -> bool:
        """Go on with one round until its end; False where none is due."""
        now = self.clock.now()
        row = await self.store.claim(format_instant(now), format_instant(now + LEASE))
        if row is None:
            return False
        if not row["places"]:
            heads = [head for head in await self.reader.heads(self.deployment) if self._is_consents(head.origin)]
            row["places"] = [{"log": head.log, "next": 0, "end": head.size} for head in heads]
        for place in row["places"]:
            while place["next"] < place["end"]:
                await self._chunk(row, place)
        await self.store.moved(row["_id"], {"next_at": None, "done_at": format_instant(self.clock.now())})
        self.log.info("a party's consents were asked to be assessed again", party=row["party"], asked=row["asked"])
        return True

    async def _chunk(self, row: Document, place: dict[str, int]) -> None:
        end = min(place["next"] + CHUNK, place["end"])
        found = database(self.client, "archive")["entries"].find(
            {"_id": entries_between(place["log"], place["next"], end)}, {"bytes": 1}
        )
        places = [(e["_id"]["log"], e["_id"]["index"], bytes(e["bytes"])) async for e in found.sort("_id", 1)]
        parties, view = frozenset([row["party"]]), self.registry()
        facts = [one for one in await self._facts(places) if one.get("kind") == KIND and concerns(one, parties, view)]
        row["asked"] += await self._ask(facts)
        row["looked_at"] += end - place["next"]
        place["next"] = end
        lease = format_instant(self.clock.now() + LEASE)
        await self.store.moved(
            row["_id"],
            {"places": row["places"], "asked": row["asked"], "looked_at": row["looked_at"], "next_at": lease},
        )

    async def _ask(self, facts: list[dict[str, Any]]) -> int:
        """An erased record has no sealed part any more: its verdict can reach nobody, and is not asked for."""
        records = [one["record"] for one in facts]
        sealed, decisions = await self.reader.sealed(records), await self.store.decisions(records)
        out: list[Outgoing] = [
            asking(one, sealed[one["record"]][1], decisions.get(one["record"], ()))
            for one in facts
            if one["record"] in sealed
        ]
        await self.outbox.send_all(out)
        return len(out)

    async def _facts(self, places: list[tuple[int, int, bytes]]) -> list[dict[str, Any]]:
        """The facts of entries; of those too long for the log, as they stand beside."""
        facts = {(log, index): canonical.loads(data)["facts"] for log, index, data in places}
        aside = [place for place, one in facts.items() if set(one) == {"bytes", "sha256"}]
        bodies = await self.reader.bodies(aside) if aside else {}
        return [canonical.loads(bodies[place]) if place in bodies else one for place, one in facts.items()]

    def _is_consents(self, origin: str) -> bool:
        return origin.startswith(f"{self.deployment}/{CONSENTS.name}/")
