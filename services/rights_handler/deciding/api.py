"""HTTP of reviews: what waits for a person, what was decided, and deciding. The operator's; auditors read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.rights_handler.deciding.resolving import Deciding
from services.rights_handler.deciding.store import COUNTED_MOST, MongoDecisions
from services.rights_handler.deliveries import OPERATOR
from services.rights_handler.domain import Grant, Instant
from services.rights_handler.former import NAMED_BY, name_of
from services.rights_handler.ports import Index
from services.rights_handler.rows import obligation_of
from services.rights_handler.suppressing.near import NEAR
from services.rights_handler.views import obligation_view
from shared.auth import Authenticator
from shared.contracts.reviews import NOT_DECIDABLE, DecisionReason, Outcome
from shared.instants import format_instant, parse_instant
from shared.mongo import Client, Document, database
from shared.problems import Refusal

PAGE_MOST = 200


class LineName(BaseModel):
    """A line of a verdict, by what tells it from the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    recipient: str | None
    channel: str
    purpose: str
    sector: str
    object: str | None = None


class Decide(BaseModel):
    """Body of `POST /v1/reviews/decisions`. No line given: every line of the record that is in review."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    record: str = Field(max_length=256)
    outcome: Outcome
    reason: DecisionReason
    author: str = Field(default="dpo", pattern=r"^[a-z][a-z0-9-]{1,39}$")
    """A role or function: an archived act names no person."""
    note: str | None = Field(default=None, max_length=4000)
    """The reasons in words: sealed under the record's key, erased with it; the log commits to it."""
    lines: tuple[LineName, ...] = Field(default=(), max_length=500)


class ReviewApi:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, deciding: Deciding, store: MongoDecisions, index: Index, client: Client,
        within: timedelta,
    ) -> None:  # fmt: skip
        self._auth, self._deciding, self._store, self._index = auth, deciding, store, index
        self._obligations, self._within = database(client, "rights")["obligations"], within

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/reviews", self.listed, methods=["GET"])
        router.add_api_route("/v1/reviews/addresses", self.addresses, methods=["GET"])
        router.add_api_route("/v1/reviews/decisions", self.decide, methods=["POST"], status_code=202)
        router.add_api_route("/v1/reviews/decisions", self.decided, methods=["GET"])
        router.add_api_route("/v1/reviews/records/{record:path}", self.one, methods=["GET"])
        return router

    async def listed(
        self, request: Request, collector: str | None = None, after: str | None = None,
        limit: int = Query(50, ge=1, le=PAGE_MOST),
    ) -> JSONResponse:  # fmt: skip
        """Records with a line in review: owner, cause, since when; the longest first. `next` is the cursor of the next page."""
        self._auth.caller(request).require("operator", "auditor")
        rows = await self._store.waiting(collector, _cursor(after), limit)
        count = await self._store.count(collector)
        last = f"{rows[-1][0]}|{rows[-1][1].record}" if len(rows) == limit else None
        return JSONResponse({
            "reviews": [self._view(since, grant) for since, grant in rows], "next": last,
            "count": count, "count_is_least": count >= COUNTED_MOST,
        })  # fmt: skip

    async def addresses(self, request: Request) -> JSONResponse:
        """Postal addresses that look alike and wait for an answer (`POST /v1/reviews`), the first due first."""
        self._auth.caller(request).require("operator", "auditor")
        found = self._obligations.find({"kind": NEAR, "closed_at": None}).sort("due_at", 1).limit(PAGE_MOST)
        return JSONResponse({"reviews": [obligation_view(obligation_of(row)) async for row in found]})

    async def one(self, request: Request, record: str) -> JSONResponse:
        """One record: its lines in review, and every decision about it."""
        self._auth.caller(request).require("operator", "auditor")
        grants = await self._index.grants_of([record])
        if not grants:
            raise Refusal(404, "RECORD-UNKNOWN", "No such record is indexed")
        decisions = [await self._decision(row) for row in await self._store.of(record)]
        since = await self._store.since(record)
        view = self._view(since, grants[0]) if since is not None else {"record": record, "lines": []}
        return JSONResponse({**view, "verdict": _lines(grants[0]), "decisions": decisions})

    async def decide(self, request: Request, body: Decide) -> JSONResponse:
        """Decide lines in review: archived at once; the new verdict follows."""
        self._auth.caller(request).require("operator")
        wanted = {(n.recipient, n.channel, n.purpose, n.sector, n.object) for n in body.lines}
        made = await self._deciding.decide(body.record, wanted, body.outcome, body.reason, body.author, body.note)
        return JSONResponse({"record": body.record, "decisions": [one.wire for one in made]}, status_code=202)

    async def decided(self, request: Request, limit: int = Query(50, ge=1, le=PAGE_MOST)) -> JSONResponse:
        """The newest decisions, of all records."""
        self._auth.caller(request).require("operator", "auditor")
        return JSONResponse({"decisions": [_decision_view(row) for row in await self._store.latest(limit)]})

    async def _decision(self, row: Document) -> dict[str, Any]:
        return {**_decision_view(row), "note": await self._deciding.note_of(row["record"], row["note"])}

    def _view(self, since: Instant, grant: Grant) -> dict[str, Any]:
        lines = [line for line in _lines(grant) if line["verdict"] == "review"]
        codes = sorted({code for line in lines for code in line["reasons"]})
        return {
            "record": grant.record, "collector": grant.collector, "collected_at": grant.collected_at,
            "received_at": grant.received_at, "ruleset": grant.ruleset, "owner": OPERATOR, "cause": codes,
            "since": since, "due_at": format_instant(parse_instant(since) + self._within), "lines": lines,
            "not_decidable": sorted(set(codes) & NOT_DECIDABLE),
        }  # fmt: skip


def _lines(grant: Grant) -> list[dict[str, Any]]:
    return [
        {**dict(zip(NAMED_BY, name_of(line), strict=True)), "value": line.value, "verdict": line.verdict,
         "basis": line.basis, "valid_until": line.valid_until, "reasons": list(line.reasons)}
        for line in grant.lines
    ]  # fmt: skip


def _decision_view(row: Document) -> dict[str, Any]:
    return {
        "id": row["_id"], "record": row["record"], "recipient": row["recipient"], "outcome": row["outcome"],
        "reason": row["reason"], "author": row["author"], "codes": row["codes"], "decided_at": row["decided_at"],
        "verdict_at": row["verdict_at"], "commitment": row["commitment"],
        "lines": [dict(zip(NAMED_BY, name, strict=True)) for name in row["lines"]],
    }  # fmt: skip


def _cursor(text: str | None) -> tuple[Instant, str] | None:
    if text is None:
        return None
    since, bar, record = text.partition("|")
    if not bar:
        raise Refusal(422, "CURSOR", "The cursor is the `next` of the page before")
    return since, record
