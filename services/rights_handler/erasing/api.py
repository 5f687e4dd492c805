"""HTTP of erasure and holds: the operator's alone. Answers hold no contact, and say in French and English what ends when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from services.rights_handler.erasing.acts import HoldActs
from services.rights_handler.erasing.ends import ends_of
from services.rights_handler.erasing.erase import Erasing
from services.rights_handler.erasing.finding import Finding
from services.rights_handler.erasing.holds import Hold, ScopeKind, scope_text
from services.rights_handler.erasing.model import Planned
from services.rights_handler.erasing.models import ERASE, HOLD, REVIEW, AskedContact, EraseBody, HoldBody, ReviewBody
from services.rights_handler.erasing.said import fate_view, is_owner
from services.rights_handler.erasing.store import MongoErasures
from shared.auth import Authenticator
from shared.bodies import described, limited
from shared.clock import Clock
from shared.contracts.types import CONTACT_TYPES
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.accepted import read
from shared.problems import Refusal

MAX_BYTES = 262_144
Body = TypeVar("Body")


class ErasingApi:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, erasing: Erasing, finding: Finding, store: MongoErasures, acts: HoldActs,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._auth, self._erasing, self._finding = auth, erasing, finding
        self._store, self._acts, self._clock = store, acts, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        bodies = {self.erase: EraseBody, self.add: HoldBody, self.review: ReviewBody}
        routes: list[tuple[str, str, Callable[..., Awaitable[JSONResponse]], int]] = [
            ("POST", "/v1/erasures", self.erase, 202),
            ("GET", "/v1/erasures/{record:path}", self.erasure, 200),
            ("POST", "/v1/holds", self.add, 201),
            ("GET", "/v1/holds", self.listed, 200),
            ("POST", "/v1/holds/{hold_id}/review", self.review, 200),
            ("POST", "/v1/holds/{hold_id}/release", self.release, 200),
        ]
        for method, path, endpoint, status in routes:
            extra = described(bodies[endpoint]) if endpoint in bodies else None
            dry: dict[int | str, Any] | None = (
                {200: {"description": "What would become of each (`dry_run`)"}} if endpoint == self.erase else None
            )
            router.add_api_route(
                path, endpoint, methods=[method], status_code=status, openapi_extra=extra, responses=dry
            )
        return router

    async def erase(self, request: Request) -> JSONResponse:
        """Begin erasures, or with `dry_run` say what would become of each."""
        self._operator(request)
        body = await _read(request, ERASE)
        names = await self._finding.of(body)
        if body.dry_run:
            planned = await self._erasing.plan(names, cause=body.reason)
        else:
            planned = await self._erasing.erase(names, cause=body.reason)
        answer = {"dry_run": body.dry_run, "erasures": self._views(planned)}
        return JSONResponse(answer, status_code=200 if body.dry_run else 202)

    async def erasure(self, request: Request, record: str) -> JSONResponse:
        """One erasure: where it stands."""
        self._operator(request)
        row = (await self._store.of([record])).get(record)
        if row is None:
            raise Refusal(404, "ERASURE-UNKNOWN", "No erasure of this record was begun")
        return JSONResponse({
            "record": row.record, "state": row.state, "cause": row.cause.value, "requested_at": row.requested_at,
            "stop": row.stop, "fate": None if row.fate is None else fate_view(row.fate), "next_at": row.next_at,
            "published_at": row.published_at,
        })  # fmt: skip

    async def add(self, request: Request) -> JSONResponse:
        """Put a hold on."""
        self._operator(request)
        body = await _read(request, HOLD)
        now = format_instant(self._clock.now())
        hold = Hold(
            body.id, body.scope, scope_text(body.scope, self._named(body)), body.author, body.reason,
            format_instant(body.review_at), now,
        )  # fmt: skip
        too_late = await self._acts.add(hold)
        return JSONResponse({**_hold_view(hold), "too_late": too_late}, status_code=201)

    async def listed(self, request: Request, *, released: bool = False) -> JSONResponse:
        """Holds in force, the first to review first; `released=true` adds those that are over."""
        self._operator(request)
        now = format_instant(self._clock.now())
        found = await self._acts.holds.all(released=released)
        views = [{**_hold_view(h), "overdue": h.released_at is None and h.review_at <= now} for h in found]
        return JSONResponse({"holds": views})

    async def review(self, request: Request, hold_id: str) -> JSONResponse:
        """A hold goes on until another date."""
        self._operator(request)
        body = await _read(request, REVIEW)
        hold = await self._acts.review(hold_id, format_instant(body.review_at))
        return JSONResponse(_hold_view(hold))

    async def release(self, request: Request, hold_id: str) -> JSONResponse:
        """A hold is over; what it kept is looked at again at once."""
        self._operator(request)
        hold, records = await self._acts.release(hold_id)
        return JSONResponse({**_hold_view(hold), "looked_at_again": records})

    def _operator(self, request: Request) -> None:
        self._auth.caller(request).require("operator")

    def _named(self, body: HoldBody) -> str:
        if body.scope is not ScopeKind.CONTACT:
            return body.value
        kind, colon, value = body.value.partition(":")
        if not (colon and value) or kind not in CONTACT_TYPES:
            raise InputError([Problem("CONTACT", "/value", "write a contact as type:value")])
        contact = AskedContact.model_validate({"type": kind, "value": value})
        return self._finding.key_of(contact, body.country, "/value")

    def _views(self, planned: Sequence[Planned]) -> list[dict[str, Any]]:
        now = format_instant(self._clock.now())
        return [
            {
                "record": one.record, "state": one.state, **fate_view(one.fate), "parties": list(one.parties),
                "ends": {} if is_owner(one.record) else {
                    language: [{"what": e.what, "until": e.until, "why": e.why} for e in ends_of(one, now, language)]
                    for language in ("fr", "en")
                },
            }
            for one in planned
        ]  # fmt: skip


def _hold_view(hold: Hold) -> dict[str, Any]:
    """A hold without the pseudonym of a contact."""
    value = None if hold.kind is ScopeKind.CONTACT else hold.scope.partition(":")[2]
    return {
        "id": hold.id, "scope": hold.kind.value, "value": value, "author": hold.author, "reason": hold.reason.value,
        "review_at": hold.review_at, "added_at": hold.added_at, "reviewed_at": hold.reviewed_at,
        "released_at": hold.released_at,
    }  # fmt: skip


async def _read(request: Request, adapter: TypeAdapter[Body]) -> Body:
    return read(adapter, await limited(request, MAX_BYTES))
