"""`GET /v1/standing`: how many withdrawals and orders are open and late, for the operator. Counts only.

Open rows alone are looked at (they have an index of their own), and so many of them at most.
"""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.rights_handler.domain import Instant
from shared.auth import Authenticator
from shared.clock import Clock
from shared.instants import format_instant


class Standings(Protocol):
    """Where the counts come from."""

    async def standing(self, now: Instant) -> dict[str, Any]:
        """Counts of open orders and of the stops they are of."""
        ...


class StandingApi:
    """The route and what it needs."""

    def __init__(self, *, auth: Authenticator, ledger: Standings, clock: Clock) -> None:
        self._auth, self._ledger, self._clock = auth, ledger, clock

    def router(self) -> APIRouter:
        """The one route."""
        router = APIRouter()
        router.add_api_route("/v1/standing", self.standing, methods=["GET"])
        return router

    async def standing(self, request: Request) -> JSONResponse:
        """Open and late, now: withdrawals (`stops_…`) and orders (`orders_…`); `complete` is false beyond what is looked at."""
        self._auth.caller(request).require("operator")
        now = format_instant(self._clock.now())
        return JSONResponse({"at": now, **await self._ledger.standing(now)})
