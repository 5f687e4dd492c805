"""HTTP for parties and the operator: permission checks, stops and their branches, obligations, match keys.

A check fails closed: when the database is away or the index may lag behind the stops, the answer is 503 and never yes.
Writing goes to `in.platform.rights` only and answers 202 once it is stored by all in-sync replicas.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from pymongo.errors import PyMongoError

from services.rights_handler.freshness import Freshness
from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.permissions import Question, check
from services.rights_handler.persons import MATCH_VERSION, Persons
from services.rights_handler.requesting import Requesting
from services.rights_handler.views import obligation_view, stop_view, waiting_view
from shared.auth import Authenticator, Caller
from shared.clock import Clock
from shared.contracts.types import CONTACT_OF_CHANNEL, Channel, ContactType, Instant, Purpose, Sector
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.contacts import ContactFault, normalise
from shared.problems import Refusal, problem

ANSWER_VALID = timedelta(minutes=15)
"""A check older than this must be asked again (`PERMISSION-STALE`)."""
MOST = 1000


class CheckedContact(BaseModel):
    """The contact about to be used, as the party knows it."""

    model_config = ConfigDict(extra="forbid")

    type: ContactType
    value: str


class CheckRequest(BaseModel):
    """A permission check. `recipient`: the asker itself unless the operator asks. `at`: now, unless given."""

    model_config = ConfigDict(extra="forbid")

    contact: CheckedContact
    country: str = "FR"
    channel: Channel
    purpose: Purpose = "prospecting"
    sector: Sector = "general"
    at: Instant | None = None
    recipient: str | None = None


class Api:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, index: MongoIndex, ledger: MongoLedger, persons: Persons, freshness: Freshness,
        requesting: Requesting, clock: Clock,
    ) -> None:  # fmt: skip
        self._auth, self._index, self._ledger, self._persons = auth, index, ledger, persons
        self._freshness, self._requesting, self._clock = freshness, requesting, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        routes: list[tuple[str, str, Callable[..., Awaitable[JSONResponse]], int]] = [
            ("POST", "/v1/permissions/check", self.check, 200),
            ("POST", "/v1/stops", self.request_stop, 202),
            ("GET", "/v1/stops/{stop_id:path}", self.stop, 200),
            ("GET", "/v1/obligations", self.obligations, 200),
            ("GET", "/v1/match-key", self.match_key, 200),
        ]
        for method, path, endpoint, status in routes:
            router.add_api_route(path, endpoint, methods=[method], status_code=status)
        return router

    async def check(self, request: Request, body: CheckRequest) -> JSONResponse:
        """May this party contact this person, this way, now?"""
        caller = self._auth.caller(request)
        caller.require("prospector", "collector", "operator")
        question = self._question(caller, body)
        if self._freshness.lagging():
            return _unreachable("Stops may still be unread: nothing may be sent until they are")
        try:
            grants = await self._index.grants_of_contacts(question.contact_keys)
            # Stops last: one that is written meanwhile is seen. Those of linked contacts are found through the grants.
            stops = await self._index.stops_about(grants, question.contact_keys)
        except PyMongoError:
            return _unreachable("The index is away: nothing may be sent until it is back")
        ruling = check(question, grants, stops)
        now = self._clock.now()
        return JSONResponse({
            "allowed": ruling.allowed,
            "reasons": list(ruling.reasons),
            "record": ruling.record,
            "valid_until": ruling.valid_until,
            "checked_at": format_instant(now),
            "expires_at": format_instant(now + ANSWER_VALID),
        })  # fmt: skip

    async def request_stop(self, request: Request) -> JSONResponse:
        """Take in a stop. Read leniently: see `opposable.stop.requested.v1`."""
        caller = self._auth.caller(request)
        caller.require("prospector", "collector", "operator")
        stop = await self._requesting.by_caller(caller, await request.body())
        return JSONResponse(
            {"stop": stop, "status": "queued"}, status_code=202, headers={"Location": f"/v1/stops/{stop}"}
        )

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
        return JSONResponse({"obligations": sorted(found, key=lambda o: str(o["due_at"]))[:MOST]})

    async def match_key(self, request: Request) -> JSONResponse:
        """The caller's own match key: what it computes over its file to find the persons of orders and permissions."""
        caller = self._auth.caller(request)
        if caller.party is None:
            raise Refusal(403, "FORBIDDEN", "Match keys belong to parties; the operator has none")
        key = base64.b64encode(self._persons.party_match_key(caller.party)).decode()
        body = {
            "version": MATCH_VERSION,
            "key": key,
            "form": f"m{MATCH_VERSION}. + base64url(HMAC-SHA256(key, type + 0x00 + value))",
        }
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    def _question(self, caller: Caller, body: CheckRequest) -> Question:
        recipient = body.recipient or caller.party
        if recipient is None:
            raise InputError([Problem("FIELD-MISSING", "/recipient", "say for whom the check is")])
        if caller.party is not None and recipient != caller.party:
            raise Refusal(403, "FORBIDDEN", "A party checks for itself only")
        needed = CONTACT_OF_CHANNEL[body.channel]
        if needed is not None and body.contact.type != needed:
            raise InputError(
                [Problem("CONTACT-CHANNEL", "/contact/type", f"this channel uses a contact of type {needed}")]
            )
        try:
            value = normalise(body.contact.type, body.contact.value, body.country).value
        except ContactFault as fault:
            raise InputError([Problem(fault.code, "/contact/value", str(fault))]) from None
        at = format_instant(body.at if body.at is not None else self._clock.now())
        key = self._persons.contact_key(body.contact.type, value)
        return Question(frozenset([key]), recipient, body.channel, body.purpose, body.sector, at)


def _sees_all(caller: Caller) -> str | None:
    """None for whoever sees everything, else the party whose view it is."""
    if caller.scopes & {"operator", "auditor"}:
        return None
    if caller.party is None:
        raise Refusal(403, "FORBIDDEN", "This key has neither a party nor the scope operator or auditor")
    return caller.party


def _unreachable(title: str) -> JSONResponse:
    more: dict[str, Any] = {"allowed": False, "reasons": ["UNREACHABLE"]}
    return problem(503, title, code="UNREACHABLE", **more)
