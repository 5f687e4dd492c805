"""How a request is changed: a pure transition on what is stored, saved by comparing revisions, tried again where it was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.rights_handler.domain import Instant
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.ports import RequestStore
from shared.clock import Clock
from shared.errors import InputError, Problem, Unavailable
from shared.instants import format_instant

ATTEMPTS = 5
Transition = Callable[[Request, Instant], Request]


@dataclass(frozen=True, slots=True)
class Changing:
    """Reads and changes requests, at the time of its clock."""

    store: RequestStore
    clock: Clock

    async def one(self, name: str) -> Request:
        """A request by name. Raises InputError (`REQUEST-UNKNOWN`)."""
        found = await self.store.get([name])
        if not found:
            raise InputError([Problem("REQUEST-UNKNOWN", "", "no such request is recorded (yet)")])
        return found[0]

    async def __call__(self, request: Request, change: Transition) -> Request:
        """Apply a transition to the request as it is now. Raises Unavailable where it keeps changing meanwhile."""
        for _ in range(ATTEMPTS):
            after = change(request, self.now())
            if after is request or await self.store.save([after]):
                return after
            request = await self.one(request.id)
        raise Unavailable("this request keeps changing")

    def now(self) -> Instant:
        """The moment."""
        return format_instant(self.clock.now())
