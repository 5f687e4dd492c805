"""HTTP of the operator around stops: opposition lists, questions about postal addresses, the end of an escalation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from services.rights_handler.ports import Index, Ledger
from services.rights_handler.requesting import Requesting
from services.rights_handler.resolving import Resolution, Resolving
from services.rights_handler.suppressing.importing import MAX_BYTES, ImportBody, rows_of, stop_of
from services.rights_handler.suppressing.reviewing import Answer, Reviewing
from services.rights_handler.teller import Registry
from services.rights_handler.views import branch_view
from shared.auth import Authenticator
from shared.bodies import described, limited
from shared.clock import Clock
from shared.errors import InputError
from shared.pacing import in_turns
from shared.problems import MEDIA_TYPE, SCHEMA


class Resolve(BaseModel):
    """Body of `POST /v1/orders/<order>/resolve`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    how: Resolution


class Review(BaseModel):
    """Body of `POST /v1/reviews`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    """The obligation's id, `near/<stop>/<record>`."""
    answer: Answer


NO_ROW: dict[str, Any] = {
    "description": "No row was stored: a problem of the whole, or of each row",
    "content": {MEDIA_TYPE: {"schema": SCHEMA}, "application/json": {"schema": {}}},
}


class StopApi:
    """The routes and what they need. All are the operator's."""

    def __init__(
        self, *, auth: Authenticator, registry: Registry, index: Index, ledger: Ledger, requesting: Requesting,
        resolving: Resolving, key_of: Callable[[bytes], str], clock: Clock,
    ) -> None:  # fmt: skip
        self._auth, self._registry, self._requesting, self._resolving = auth, registry, requesting, resolving
        self._key_of, self._clock = key_of, clock
        self._reviewing = Reviewing(index, ledger, requesting, clock)

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        routes: list[tuple[str, Callable[..., Awaitable[JSONResponse]], int]] = [
            ("/v1/stops/import", self.take_in, 202),
            ("/v1/reviews", self.review, 202),
            ("/v1/orders/{order}/resolve", self.resolve, 200),
        ]
        for path, endpoint, status in routes:
            extra = described(ImportBody) if endpoint == self.take_in else None
            none: dict[int | str, Any] | None = {422: NO_ROW} if endpoint == self.take_in else None
            router.add_api_route(
                path, endpoint, methods=["POST"], status_code=status, openapi_extra=extra, responses=none
            )
        return router

    async def take_in(self, request: Request) -> JSONResponse:
        """Rows of an opposition list: one result a row, in order; 202 once those that are read are stored."""
        self._auth.caller(request).require("operator")
        stops: list[dict[str, Any]] = []
        results: list[dict[str, Any]] = []
        async for row in in_turns(rows_of(await limited(request, MAX_BYTES))):
            try:
                stop = stop_of(row, self._registry, self._key_of, self._clock.now())
            except InputError as error:
                results.append({"status": "rejected", "problems": [p.as_dict() for p in error.problems]})
            else:
                stops.append(stop)
                results.append({"status": "queued", "stop": f"platform/{stop['stop_id']}"})
        await self._requesting.publish(stops)
        return JSONResponse({"results": results}, status_code=202 if stops else 422)

    async def review(self, request: Request, body: Review) -> JSONResponse:
        """Answer the question whether two postal addresses are the same person's."""
        self._auth.caller(request).require("operator")
        stop = await self._reviewing(body.id, body.answer)
        return JSONResponse({"id": body.id, "answer": body.answer, "stop": stop}, status_code=202)

    async def resolve(self, request: Request, order: str, body: Resolve) -> JSONResponse:
        """End an escalation by other means than the party's answer; the reason is archived."""
        self._auth.caller(request).require("operator")
        return JSONResponse(branch_view(await self._resolving(order, body.how)))
