"""Shows what waits for people: messages that failed or came back, and files that somebody must print and post, or send.

A letter is posted when whoever prints it takes its file away (README); until then it is counted, with the age of the oldest.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo.errors import PyMongoError

from services.notifier.outbox import Outbox
from shared.metrics import Metrics

EVERY_S = 15.0
KINDS: Mapping[str, str] = {"letter": "*.pdf", "mail": "*.eml", "sms": "*.sms.json"}
"""What lies in the folder, by the ending of its name. Annexes of a letter (`<id>.annexe-1.pdf`) are part of it."""
ANNEX = ".annexe-"


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks now and then. `folder`: where messages become files."""

    outbox: Outbox
    folder: Path
    metrics: Metrics
    log: Any

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Set the gauges once; where the database is away they keep what was last known."""
        for kind, ages in (await asyncio.to_thread(waiting_files, self.folder, time.time())).items():
            self.metrics.message_files.labels(kind).set(len(ages))
            self.metrics.message_files_oldest.labels(kind).set(max(ages, default=0))
        try:
            counts = await self.outbox.owed_counts()
        except PyMongoError as error:
            self.log.warning("messages that are owed cannot be counted now", exc_info=error)
            return
        for state, count in counts.items():
            self.metrics.messages_owed.labels(state).set(count)


def waiting_files(folder: Path, now: float) -> dict[str, list[float]]:
    """The age in seconds of each file, by kind. `now`: seconds since the epoch, of the file system's own clock."""
    return {kind: [age for path in folder.glob(pattern) if (age := _age(path, now)) is not None]
            for kind, pattern in KINDS.items()}  # fmt: skip


def _age(path: Path, now: float) -> float | None:
    """None for an annex, and for what was taken away meanwhile."""
    if ANNEX in path.name:
        return None
    try:
        return max(0.0, now - path.stat().st_mtime)
    except FileNotFoundError:
        return None
