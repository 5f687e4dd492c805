"""HTTP of the register of breaches: the operator acts, auditors read. Answers hold no personal data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from services.rights_handler.breaches import model, texts
from services.rights_handler.breaches.acts import Breaches, acknowledged, amended
from services.rights_handler.breaches.bodies import (
    AMEND,
    MAX_BYTES,
    OPEN,
    AmendBody,
    AuthorityBody,
    CloseBody,
    OpenBody,
    PartiesBody,
    PersonsBody,
    scope_of,
)  # fmt: skip
from services.rights_handler.breaches.model import Breach, checked
from services.rights_handler.breaches.register import register_pdf
from shared.auth import Authenticator
from shared.bodies import limited
from shared.clock import Clock
from shared.instants import format_instant
from shared.intake.accepted import read
from shared.problems import Refusal


class BreachApi:
    """The routes and what they need."""

    def __init__(self, auth: Authenticator, breaches: Breaches, clock: Clock) -> None:
        self._auth, self._breaches, self._clock = auth, breaches, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        routes: list[tuple[str, str, Callable[..., Awaitable[Response]], int]] = [
            ("POST", "/v1/breaches", self.open, 201),
            ("GET", "/v1/breaches", self.listed, 200),
            ("GET", "/v1/breaches/register.pdf", self.register, 200),
            ("GET", "/v1/breaches/{identity}", self.one, 200),
            ("GET", "/v1/breaches/{identity}/notification", self.notification, 200),
            ("POST", "/v1/breaches/{identity}/amend", self.amend, 200),
            ("POST", "/v1/breaches/{identity}/authority", self.authority, 200),
            ("POST", "/v1/breaches/{identity}/persons", self.persons, 200),
            ("POST", "/v1/breaches/{identity}/parties", self.parties, 200),
            ("POST", "/v1/breaches/{identity}/parties/{party}/acknowledged", self.acknowledged, 200),
            ("POST", "/v1/breaches/{identity}/close", self.close, 200),
        ]
        for method, path, endpoint, status in routes:
            pdf: dict[int | str, Any] | None = (
                {200: {"content": {"application/pdf": {}}}} if endpoint == self.register else None
            )
            kind: type[Response] = Response if endpoint == self.register else JSONResponse
            router.add_api_route(
                path, endpoint, methods=[method], status_code=status, response_model=None, response_class=kind,
                responses=pdf,
            )  # fmt: skip
        return router

    async def open(self, request: Request) -> JSONResponse:
        """Open a breach: its 72 hours run from `noticed_at`; with a scope, who is affected is counted next."""
        self._auth.caller(request).require("operator")
        body = read(OPEN, await limited(request, MAX_BYTES))
        now = format_instant(self._clock.now())
        if body.noticed_at > now:
            raise Refusal(422, "BREACH-INSTANT", "A breach cannot be noticed in the future")
        checked(what=body.what, effects=body.effects, measures=body.measures)
        values = {name: getattr(body, name) for name in OpenBody.model_fields if name != "scope"}
        breach = await self._breaches.open(Breach(opened_at=now, **values))
        if body.scope is not None and breach.scope is None:
            breach = await self._breaches.act(breach.id, amended({"scope": scope_of(body.scope)}))
        return self._answer(breach, 201)

    async def listed(self, request: Request, *, closed: bool = False) -> JSONResponse:
        """The register, the newest first: those open, or (`closed=true`) all of them."""
        self._auth.caller(request).require("operator", "auditor")
        found = await self._breaches.store.listed(closed=closed)
        return JSONResponse({"breaches": [self._view(one) for one in found]})

    async def register(self, request: Request) -> Response:
        """The register as a tagged PDF, in French (RGPD 33(5))."""
        self._auth.caller(request).require("operator", "auditor")
        found = await self._breaches.store.listed(closed=True)
        pdf = await asyncio.to_thread(register_pdf, found, self._clock.now())
        return Response(pdf, media_type="application/pdf", headers={"Cache-Control": "no-store"})

    async def one(self, request: Request, identity: str) -> JSONResponse:
        """One breach."""
        self._auth.caller(request).require("operator", "auditor")
        return self._answer(await self._breaches.get(identity))

    async def notification(self, request: Request, identity: str) -> PlainTextResponse:
        """The text for the authority, in French, in the order of RGPD 33(3)."""
        self._auth.caller(request).require("operator", "auditor")
        return PlainTextResponse(texts.notification(await self._breaches.get(identity)))

    async def amend(self, request: Request, identity: str) -> JSONResponse:
        """More is known."""
        self._auth.caller(request).require("operator")
        body = read(AMEND, await limited(request, MAX_BYTES))
        checked(what=body.what, effects=body.effects, measures=body.measures)
        values: dict[str, Any] = {n: v for n in AmendBody.model_fields if (v := getattr(body, n)) is not None}
        if body.scope is not None:
            values["scope"] = scope_of(body.scope)
        return self._answer(await self._breaches.act(identity, amended(values)))

    async def authority(self, request: Request, identity: str, body: AuthorityBody) -> JSONResponse:
        """The authority was notified, or need not be (33(1))."""
        self._auth.caller(request).require("operator")
        checked(late_because=body.late_because)
        if body.waived:
            return self._answer(await self._breaches.act(identity, model.waived))
        at = body.notified_at or format_instant(self._clock.now())
        after = await self._breaches.act(
            identity, lambda breach, now: model.notified(breach, at, body.reference, body.late_because, now)
        )
        return self._answer(after)

    async def persons(self, request: Request, identity: str, body: PersonsBody) -> JSONResponse:
        """The persons were told, or why they need not be (34)."""
        self._auth.caller(request).require("operator")
        after = await self._breaches.act(
            identity, lambda breach, now: model.persons_settled(breach, body.informed_at, body.exempt, now)
        )
        return self._answer(after)

    async def parties(self, request: Request, identity: str, body: PartiesBody) -> JSONResponse:
        """Tell parties: a message on their own topic, with their own numbers, and an obligation to acknowledge it."""
        self._auth.caller(request).require("operator")
        return self._answer(await self._breaches.tell(identity, list(body.parties)))

    async def acknowledged(self, request: Request, identity: str, party: str) -> JSONResponse:
        """A party said that it was told."""
        self._auth.caller(request).require("operator")
        return self._answer(await self._breaches.act(identity, acknowledged(party)))

    async def close(self, request: Request, identity: str, body: CloseBody) -> JSONResponse:
        """It is over: everything of articles 33 and 34 is settled."""
        self._auth.caller(request).require("operator")
        return self._answer(
            await self._breaches.act(identity, lambda breach, now: model.closed(breach, body.ending, now))
        )

    def _answer(self, breach: Breach, status: int = 200) -> JSONResponse:
        return JSONResponse(self._view(breach), status_code=status)

    def _view(self, breach: Breach) -> dict[str, Any]:
        row = model.row_of(breach)
        scope = row.pop("scope")
        named = None if scope is None else {**scope, "records": len(scope["records"])}
        now = format_instant(self._clock.now())
        late = breach.authority is None and breach.closed_at is None and now > breach.due_at
        return {"id": row.pop("_id"), **row, "scope": named, "due_at": breach.due_at, "overdue": late,
                "words_sha256": breach.words_sha256}  # fmt: skip
