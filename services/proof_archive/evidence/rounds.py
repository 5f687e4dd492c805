"""What evidence needs done without being asked: reporting what is overdue, sweeping what broken uploads left."""

from __future__ import annotations

import asyncio
from typing import Any

from services.proof_archive.evidence.files import Files
from services.proof_archive.evidence.owed import Owed
from shared.clock import Clock

EVERY_S = 60.0


async def once(owed: Owed, files: Files, clock: Clock, log: Any) -> None:
    """One round."""
    now = clock.now()
    overdue = await owed.remind(now)
    if overdue:
        log.warning("evidence is overdue: `opposable evidence owed` lists it", files=overdue)
    swept = await files.sweep(now)
    if swept:
        log.info("broken uploads of evidence removed", files=swept)


async def rounds(owed: Owed, files: Files, clock: Clock, log: Any) -> None:
    """Rounds for ever."""
    while True:
        await once(owed, files, clock, log)
        await asyncio.sleep(EVERY_S)
