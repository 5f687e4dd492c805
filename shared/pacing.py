"""Long computations that let others have their turn: a withdrawal must not wait for a bulk import's thousand records.

The groups of a service share one event loop. A batch of a thousand consents computes for a fifth of a second; without a
pause, a stop that needs eight steps on the same loop could wait that long at each of them (measured: docs/benchmarks.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Item = TypeVar("Item")

BULK_RECORDS = 250
"""Records of a bulk group's batch, where the same process also carries withdrawals: what cannot be paused (one encoding of a
whole batch for the database or for Kafka) stays short."""
TURN = 25
"""Items between two pauses: a few milliseconds of computing."""


async def in_turns(items: Iterable[Item], every: int = TURN) -> AsyncIterator[Item]:
    """The items, with a pause for whoever else is ready after each `every` of them."""
    for count, item in enumerate(items, 1):
        yield item
        if count % every == 0:
            await asyncio.sleep(0)
