"""HTTP of reassessment, the operator's alone: one record with what was decided about it, or all of a party's."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.proof_archive.reassessing.rounds import Rounds
from services.proof_archive.reassessing.store import Reassessments
from shared.auth import Authenticator
from shared.clock import Clock
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.mongo import Document
from shared.problems import Refusal


class DecidedLine(BaseModel):
    """A line of a verdict, by what tells it from the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    recipient: str | None
    channel: str
    purpose: str
    sector: str
    object: str | None


class Decided(BaseModel):
    """What a person decided about lines in review."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    outcome: Literal["accept", "refuse"]
    reason: str
    codes: tuple[str, ...]
    lines: tuple[DecidedLine, ...]
    decided_at: str


class Asked(BaseModel):
    """Body of `POST /v1/reassessments`: a record, or a party."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    record: str | None = Field(default=None, max_length=256)
    decisions: tuple[Decided, ...] = Field(default=(), max_length=100)
    party: str | None = Field(default=None, max_length=64)
    id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._:@-]{1,96}$")
    """Of a party's round: what makes asking twice one round. Default: the party and the instant."""


class ReassessmentRoutes:
    """The routes and what they need."""

    def __init__(self, auth: Authenticator, rounds: Rounds, store: Reassessments, clock: Clock) -> None:
        self._auth, self._rounds, self._store, self._clock = auth, rounds, store, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/reassessments", self.ask, methods=["POST"], status_code=202)
        router.add_api_route("/v1/reassessments", self.under_way, methods=["GET"])
        router.add_api_route("/v1/reassessments/{identity}", self.one, methods=["GET"])
        return router

    async def ask(self, request: Request, body: Asked) -> JSONResponse:
        """Have a record assessed again (404 where the log does not hold it yet), or begin a round over a party's consents."""
        self._auth.caller(request).require("operator")
        if (body.record is None) == (body.party is None):
            raise InputError([Problem("REASSESSMENT", "", "give a record or a party, one of the two")])
        if body.record is not None:
            await self._store.keep(body.record, [one.model_dump(mode="json") for one in body.decisions])
            if not await self._rounds.one(body.record):
                raise Refusal(404, "RECORD-UNKNOWN", "The log holds no consent of this name that can be assessed (yet)")
            return JSONResponse({"record": body.record, "asked": 1}, status_code=202)
        now = format_instant(self._clock.now())
        row = await self._store.begin(body.id or f"{body.party}@{now}", str(body.party), now)
        return JSONResponse(_view(row), status_code=202)

    async def under_way(self, request: Request) -> JSONResponse:
        """Rounds that are not finished."""
        self._auth.caller(request).require("operator", "auditor")
        return JSONResponse({"rounds": [_view(row) for row in await self._store.open(100)]})

    async def one(self, request: Request, identity: str) -> JSONResponse:
        """One round: how far it got."""
        self._auth.caller(request).require("operator", "auditor")
        row = await self._store.round(identity)
        if row is None:
            raise Refusal(404, "REASSESSMENT-UNKNOWN", "No such round is known")
        return JSONResponse(_view(row))


def _view(row: Document) -> dict[str, Any]:
    total = sum(place["end"] for place in row["places"]) if row["places"] else None
    return {
        "id": row["_id"], "party": row["party"], "asked_at": row["asked_at"], "done_at": row["done_at"],
        "looked_at": row["looked_at"], "of": total, "asked": row["asked"],
    }  # fmt: skip
