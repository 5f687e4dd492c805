"""HTTP for parties and the operator: stops and their branches, obligations (permission checks: `check_api`, match keys: `match_api`).

Writing goes to `in.platform.rights` only and answers 202 once it is stored by all in-sync replicas.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.rights_handler.deliveries import OPERATOR
from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.requesting import MAX_BYTES, Requesting
from services.rights_handler.requests.asking import Asking
from services.rights_handler.requests.ports import RequestStore
from services.rights_handler.requests.views import owed_view
from services.rights_handler.views import obligation_view, stop_view, waiting_view
from shared.auth import Authenticator, Caller
from shared.bodies import described, limited
from shared.contracts.partner_rights import StopRequested
from shared.errors import InputError
from shared.problems import Refusal

MOST = 1000


class StopAsked(StopRequested):
    """Body of `POST /v1/stops`: read leniently, like any stop; it must name somebody."""

    erase: bool = False
    """The person asks for erasure too (RGPD 17(1)(b))."""


class Api:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, index: MongoIndex, ledger: MongoLedger, requesting: Requesting,
        asking: Asking, requests: RequestStore,
    ) -> None:  # fmt: skip
        self._auth, self._index, self._ledger = auth, index, ledger
        self._requesting, self._asking, self._requests = requesting, asking, requests

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        routes: list[tuple[str, str, Callable[..., Awaitable[JSONResponse]], int]] = [
            ("POST", "/v1/stops", self.request_stop, 202),
            ("GET", "/v1/stops/{stop_id:path}", self.stop, 200),
            ("GET", "/v1/obligations", self.obligations, 200),
        ]
        for method, path, endpoint, status in routes:
            extra = described(StopAsked) if method == "POST" else None
            router.add_api_route(path, endpoint, methods=[method], status_code=status, openapi_extra=extra)
        return router

    async def request_stop(self, request: Request) -> JSONResponse:
        """Take in a stop. Read leniently: see `opposable.stop.requested.v1`."""
        caller = self._auth.caller(request)
        caller.require("prospector", "collector", "operator")
        body = await limited(request, MAX_BYTES)
        stop = await self._requesting.by_caller(caller, body)
        answer: dict[str, Any] = {"stop": stop, "status": "queued"}
        if orjson.loads(body).get("erase") is True:  # offered with every withdrawal (RGPD 17(1)(b))
            answer |= await self._erasure_too(caller, body, stop)
        return JSONResponse(answer, status_code=202, headers={"Location": f"/v1/stops/{stop}"})

    async def _erasure_too(self, caller: Caller, body: bytes, stop: str) -> dict[str, Any]:
        """The stop is in, whatever is said of the erasure: requests are read strictly, stops are not."""
        try:
            return {"request": await self._asking.with_stop(caller, body, stop)}
        except InputError as error:
            return {"request": None, "problems": [problem.as_dict() for problem in error.problems]}

    async def stop(self, request: Request, stop_id: str) -> JSONResponse:
        """A stop and its branches; 404 until it has come through the collector."""
        caller = self._auth.caller(request)
        party = _sees_all(caller)
        stop, rows = await self._index.stop(stop_id), await self._ledger.deliveries_of_stop(stop_id)
        view = None if stop is None else stop_view(stop, rows, party)
        if view is None or (party is not None and view["source"] != party and not view["branches"]):
            raise Refusal(404, "STOP-UNKNOWN", "No such stop is recorded (yet)")
        return JSONResponse(view)

    async def obligations(self, request: Request, owner: str | None = None) -> JSONResponse:
        """Everything that waits for someone: owner, cause, due time, next attempt."""
        caller = self._auth.caller(request)
        party = _sees_all(caller)
        wanted = owner if party is None else party
        found = [obligation_view(o) for o in await self._ledger.obligations(wanted, MOST)]
        rows = await self._ledger.waiting_deliveries(None if wanted is None else wanted, MOST)
        found += [waiting_view(row) for row in rows if wanted in (None, row.owner)]
        if wanted in (None, OPERATOR):
            found += [owed_view(one) for one in await self._requests.listed(open_only=True, limit=MOST) if one.live]
        return JSONResponse({"obligations": sorted(found, key=lambda o: str(o["due_at"]))[:MOST]})


def _sees_all(caller: Caller) -> str | None:
    """None for whoever sees everything, else the party whose view it is."""
    if caller.scopes & {"operator", "auditor"}:
        return None
    if caller.party is None:
        raise Refusal(403, "FORBIDDEN", "This key has neither a party nor the scope operator or auditor")
    return caller.party
