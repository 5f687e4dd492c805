"""HTTP of the chain: volumes along it, and how soon a party answers stops. The operator's and auditors'; a party: its own delays."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.rights_handler.chain.store import EDGES_MOST, MongoChain
from shared.auth import Authenticator
from shared.clock import Clock
from shared.instants import format_instant
from shared.problems import Refusal


class ChainApi:
    """The routes and what they need."""

    def __init__(self, auth: Authenticator, chain: MongoChain, clock: Clock) -> None:
        self._auth, self._chain, self._clock = auth, chain, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/chain", self.edges, methods=["GET"])
        router.add_api_route("/v1/parties/{party}/stops", self.levels, methods=["GET"])
        return router

    async def edges(self, request: Request, collector: str | None = None, recipient: str | None = None) -> JSONResponse:
        """Volumes by collector, list version and prospecteur, the largest first; and orders past their due time, by party."""
        self._auth.caller(request).require("operator", "auditor")
        edges = await self._chain.edges(collector, recipient)
        late = await self._chain.late(format_instant(self._clock.now()))
        return JSONResponse({"edges": edges, "truncated": len(edges) == EDGES_MOST, "late": late})

    async def levels(self, request: Request, party: str) -> JSONResponse:
        """Delays of a party's answers to orders of stop over 30 days, in seconds."""
        caller = self._auth.caller(request)
        if not caller.scopes & {"operator", "auditor"} and caller.party != party:
            raise Refusal(403, "FORBIDDEN", "A party's key sees its own delays only")
        return JSONResponse(await self._chain.levels(party, self._clock.now()))
