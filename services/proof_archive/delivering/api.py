"""HTTP of deliveries: the person's own proof by ticket, to whom a record's proof was delivered, the service level.

Errors are RFC 9457 problems.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.proof_archive.delivering.history import History
from services.proof_archive.delivering.level import Level
from services.proof_archive.delivering.making import MEDIA
from services.proof_archive.delivering.person import PersonTokens
from services.proof_archive.entitlement import privileged
from shared.auth import Authenticator
from shared.problems import Refusal

ForPerson = Callable[[str, str], Awaitable[Response]]
"""The answer to the person of a record, in a format."""


class DeliveryRoutes:
    """What the routes do."""

    def __init__(
        self, auth: Authenticator, history: History, level: Level, tokens: PersonTokens, for_person: ForPerson
    ) -> None:
        self._auth, self._history, self._level = auth, history, level
        self._tokens, self._for_person = tokens, for_person

    async def person(self, ticket: str) -> Response:
        """`GET /v1/persons/{ticket}.pdf` (`.zip`, `.json`): the proof of the record that a ticket stands for."""
        token, _, format_ = ticket.rpartition(".")
        if format_ not in MEDIA:
            token, format_ = ticket, "pdf"
        record = await self._tokens.record_of(token)
        if record is None:
            raise Refusal(404, "TICKET", "This link is not one of ours, or has expired: open your page again")
        return await self._for_person(record, format_)

    async def history(self, record: str, request: Request, before: int | None = Query(None, ge=0)) -> Response:
        """`GET /v1/deliveries/{record}?before=`: to whom its proof was delivered, newest first, 100 a page."""
        caller = self._auth.caller(request)
        caller.require("collector", "auditor", "operator")
        if privileged(caller, record) is None:
            raise Refusal(403, "FORBIDDEN", "This key is not entitled to know to whom this proof was delivered")
        return JSONResponse(await self._history.of(record, before), headers={"Cache-Control": "no-store"})

    async def level(
        self, request: Request, month: str | None = Query(None, pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")
    ) -> Response:
        """`GET /v1/sla?month=2026-11`: measured against promised, by pair. A party sees the pairs it is one of."""
        caller = self._auth.caller(request)
        caller.require("collector", "prospector", "auditor", "operator")
        if caller.scopes & {"auditor", "operator"}:
            return JSONResponse(await self._level.report(month))
        collector = caller.party if "collector" in caller.scopes else None
        party = caller.party if "prospector" in caller.scopes else None
        return JSONResponse(await self._level.report(month, collector=collector, party=party))


def make_delivery_router(routes: DeliveryRoutes) -> APIRouter:
    """The routes."""
    router = APIRouter()
    router.add_api_route("/v1/persons/{ticket}", routes.person, methods=["GET"], response_model=None)
    router.add_api_route("/v1/deliveries/{record:path}", routes.history, methods=["GET"], response_model=None)
    router.add_api_route("/v1/sla", routes.level, methods=["GET"], response_model=None)
    return router
