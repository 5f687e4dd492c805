"""HTTP for the operator: what is owed, one message's story, retry and close; and the entry for bounces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.notifier.bounces import MAX_BYTES, read_bounce
from services.notifier.domain import Row, again, bounced, closed, obligation
from services.notifier.outbox import Outbox
from shared.auth import Authenticator
from shared.bodies import limited
from shared.clock import Clock
from shared.instants import format_instant
from shared.problems import Refusal

MOST = 1000


class Api:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, outbox: Outbox, clock: Clock, give_up: timedelta, deployment: str
    ) -> None:
        self._auth, self._outbox, self._clock = auth, outbox, clock
        self._give_up, self._deployment = give_up, deployment

    def router(self) -> APIRouter:
        """All routes."""
        router = APIRouter()
        router.add_api_route("/v1/obligations", self.obligations, methods=["GET"])
        router.add_api_route("/v1/messages/{message}", self.message, methods=["GET"])
        router.add_api_route("/v1/messages/{message}/retry", self.retry, methods=["POST"])
        router.add_api_route("/v1/messages/{message}/close", self.close, methods=["POST"])
        router.add_api_route("/v1/bounces", self.bounce, methods=["POST"])
        return router

    async def obligations(self, request: Request) -> JSONResponse:
        """Every message that needs somebody: owner, cause, due time, next attempt."""
        self._operator(request)
        found = [obligation(row, self._give_up) for row in await self._outbox.owed(MOST)]
        return JSONResponse({"obligations": found})

    async def message(self, request: Request, message: str) -> JSONResponse:
        """Where one message stands; never what it says, nor to whom."""
        self._operator(request)
        return JSONResponse(_view(await self._known(message)))

    async def retry(self, request: Request, message: str) -> JSONResponse:
        """Put a failed message back: 409 where there is nothing left to send."""
        self._operator(request)
        row = await self._known(message)
        return await self._changed(row, again(row, self._now()))

    async def close(self, request: Request, message: str) -> JSONResponse:
        """The operator has dealt with it: 409 unless it failed or came back."""
        self._operator(request)
        row = await self._known(message)
        owed = row.state in ("failed", "bounced")
        return await self._changed(row, closed(row, "closed", "CLOSED-BY-OPERATOR", self._now()) if owed else None)

    async def bounce(self, request: Request) -> JSONResponse:
        """A bounce, by the mail server's own hook: JSON `{"message_id", "status"}`, or the report itself (RFC 3464)."""
        self._operator(request)
        body = await limited(request, MAX_BYTES, f"A bounce is at most {MAX_BYTES} bytes")
        bounce = read_bounce(body, request.headers.get("content-type", ""), self._deployment)
        row = await self._known(bounce.message)
        after = bounced(row, f"BOUNCE {bounce.status}", self._now()) if bounce.permanent else row
        if after is not row and not await self._outbox.replace(row, after):
            raise Refusal(409, "CHANGED", "The message changed meanwhile: send the bounce again")
        return JSONResponse({"message": row.id, "state": after.state}, status_code=202)

    async def _changed(self, row: Row, after: Row | None) -> JSONResponse:
        if after is None or not await self._outbox.replace(row, after):
            raise Refusal(409, "MESSAGE-STATE", "The state of this message does not allow it")
        return JSONResponse(_view(after))

    async def _known(self, message: str) -> Row:
        row = await self._outbox.get(message)
        if row is None:
            raise Refusal(404, "MESSAGE-UNKNOWN", "No message has this id here")
        return row

    def _operator(self, request: Request) -> None:
        self._auth.caller(request).require("operator")

    def _now(self) -> str:
        return format_instant(self._clock.now())


def _view(row: Row) -> dict[str, Any]:
    return {
        "id": row.id, "channel": row.channel, "template": row.template, "state": row.state, "code": row.code,
        "attempts": row.attempts, "ordered_at": row.ordered_at, "next_at": row.next_at, "expires_at": row.expires_at,
        "refs": dict(row.refs), "history": list(row.history),
    }  # fmt: skip
