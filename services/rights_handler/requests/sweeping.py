"""What is due of requests: letters not ordered yet, reminders, what is overdue. Claimed by leases, like orders (`scheduler`).

Two instances never act on one request: a claim compares the row's revision. An instance that dies holding a claim is replaced
when the lease ends, and does everything again that was not stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.rights_handler.ports import Outbox
from services.rights_handler.requests import domain
from services.rights_handler.requests.letters import request_fact
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.ports import RequestStore
from services.rights_handler.requests.settling import Settling
from shared.clock import Clock
from shared.errors import InputError
from shared.instants import format_instant

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class RequestSweep:
    """Looks at the requests that are due."""

    store: RequestStore
    settling: Settling
    outbox: Outbox
    clock: Clock
    log: Any

    async def sweep(self, most: int) -> int:
        """Act on what is due now; returns how many requests were looked at."""
        now = self.clock.now()
        due = await self.store.due(format_instant(now), most)
        claims = [domain.leased(request, format_instant(now + LEASE)) for request in due]
        won = await self.store.save(claims)
        for request in claims:
            if request.id in won:
                await self._look(request, format_instant(now))
        return len(due)

    async def _look(self, request: Request, now: str) -> None:
        if any(not letter.sent for letter in request.letters):
            try:
                await self.settling.deliver(request)
            except InputError as error:
                self.log.error("a letter cannot be sent", request=request.id, code=error.problems[0].code)
        elif domain.is_past(request, now):
            await self.settling.forget(request)
        elif not request.live:
            await self.settling.settle([request.id])
        else:
            await self._chase(request, now)

    async def _chase(self, request: Request, now: str) -> None:
        """Remind the operator; once overdue it is said to the archive too, first there and last in the row."""
        after = domain.chased(request, now)
        if after.overdue and not request.overdue:
            await self.outbox.send_all([
                request_fact(request, "request.overdue", "1", at=now, due_at=request.due_at, reminders=request.reminders)
            ])  # fmt: skip
        if await self.store.save([after]):
            say = self.log.warning if after.overdue else self.log.info
            say(
                "a request waits for its answer",
                request=request.id,
                due_at=request.due_at,
                what=after.history[-1]["what"],
            )
