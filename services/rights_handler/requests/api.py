"""HTTP of requests: `POST /v1/requests` for whoever received one, what became of it, and what the operator decides.

Writing a request goes to `in.platform.rights` and answers 202; deciding acts at once and answers with the request as it is then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import APIRouter
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.rights_handler.kinds import row_of
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.requesting import MAX_BYTES
from services.rights_handler.requests.asking import Asking, RightAsked
from services.rights_handler.requests.controllers import may_answer
from services.rights_handler.requests.handling import Handling
from services.rights_handler.requests.letters import Addressee, addressee
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.ports import RequestStore
from services.rights_handler.requests.views import request_view, sender_of
from services.rights_handler.views import sees
from shared.auth import Authenticator, Caller
from shared.bodies import described, limited
from shared.contracts.partner import Contact
from shared.errors import InputError, Problem
from shared.intake.contacts import ContactFault, normalise
from shared.problems import Refusal

MOST = 1000


class Decision(BaseModel):
    """Body of every decision. `note`: free words to the person; `to`: where to write, if not the request's own address."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    outcome: Literal["upheld", "withdrawn"] | None = None
    """Of a dispute only."""
    reason: str | None = None
    """Of a refusal or an extension: a code (docs/rights.md)."""
    note: str | None = Field(default=None, max_length=4000)
    to: Contact | None = None


Act = Callable[[str, Decision, Addressee | None], Awaitable[Request]]


class RequestApi:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, store: RequestStore, ledger: MongoLedger, handling: Handling, asking: Asking
    ) -> None:
        self._auth, self._store, self._ledger = auth, store, ledger
        self._handling, self._asking = handling, asking
        self._acts: dict[str, Act] = {
            "answer": lambda name, d, to: handling.answer(name, outcome=d.outcome, note=d.note, to=to),
            "refuse": lambda name, d, to: handling.refuse(name, d.reason or "", d.note, to),
            "extend": lambda name, d, to: handling.extend(name, d.reason or "", d.note, to),
            "ask-identity": lambda name, d, to: handling.ask_identity(name, d.note, to),
            "identity": lambda name, _d, _to: handling.identity_given(name),
            "lift": lambda name, d, to: handling.lift(name, d.note, to),
        }

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route(
            "/v1/requests", self.ask, methods=["POST"], status_code=202, openapi_extra=described(RightAsked)
        )
        router.add_api_route("/v1/requests", self.listed, methods=["GET"])
        router.add_api_route("/v1/requests/{source}/{request_id}/details", self.details, methods=["GET"])
        router.add_api_route("/v1/requests/{source}/{request_id}", self.one, methods=["GET"])
        router.add_api_route("/v1/requests/{source}/{request_id}/{act}", self.decide, methods=["POST"])
        return router

    async def ask(self, request: HttpRequest) -> JSONResponse:
        """Take in a request of a person: `opposable.right.requested.v1`."""
        caller = self._auth.caller(request)
        caller.require("prospector", "collector", "operator")
        name = await self._asking.by_caller(caller, await limited(request, MAX_BYTES))
        return JSONResponse(
            {"request": name, "status": "queued"}, status_code=202, headers={"Location": f"/v1/requests/{name}"}
        )

    async def listed(self, request: HttpRequest, *, all: bool = False) -> JSONResponse:  # noqa: A002 - a query word
        """Every open request, the first due first (`?all=true`: closed ones too). The operator's."""
        self._auth.caller(request).require("operator", "auditor")
        found = await self._store.listed(open_only=not all, limit=MOST)
        return JSONResponse({"requests": [request_view(one, (), None) for one in found]})

    async def one(self, request: HttpRequest, source: str, request_id: str) -> JSONResponse:
        """A request and its branches; 404 until it has come through the collector."""
        caller = self._auth.caller(request)
        found = await self._found(f"{source}/{request_id}")
        party = None if caller.scopes & {"operator", "auditor"} else _party(caller)
        rows = await self._ledger.deliveries_of_stop(row_of(found.id))
        if party is not None and party != sender_of(found) and not any(sees(party, row) for row in rows):
            raise _unknown()
        who = await self._handling.who(found) if party is None else ()
        return JSONResponse(request_view(found, rows, party, who))

    async def details(self, request: HttpRequest, source: str, request_id: str) -> JSONResponse:
        """What the person wrote, for the operator and for who was ordered to correct: personal data, never cached."""
        caller = self._auth.caller(request)
        found = await self._found(f"{source}/{request_id}")
        if "operator" not in caller.scopes:
            rows = await self._ledger.deliveries_of_stop(row_of(found.id))
            if found.right != "rectification" or caller.party not in {row.party for row in rows}:
                raise _unknown()
        person = await self._handling.gathering.person(found)
        body = {"request": found.id, "right": found.right, "details": person.get("details")}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def decide(
        self, request: HttpRequest, source: str, request_id: str, act: str, body: Decision
    ) -> JSONResponse:
        """`answer`, `refuse`, `extend`, `ask-identity`, `identity` (given), `lift` (a restriction).

        The operator's, and the controller's whom the agreements name to answer; of a dispute the operator's alone.
        """
        caller = self._auth.caller(request)
        party = None if "operator" in caller.scopes else _party(caller)
        if act not in self._acts:
            raise Refusal(404, "ACT-UNKNOWN", f"One of: {', '.join(self._acts)}")
        found = await self._found(f"{source}/{request_id}")
        if party is not None:
            caller.require("collector", "prospector")
            await self._must_answer(party, found)
            if body.to is not None:  # what is held of a person is not sent where a party says
                message = "the answer goes to the address of the request: another one is the operator's to give"
                raise InputError([Problem("REQUEST-ADDRESS", "/to", message)])
        done = await self._acts[act](found.id, body, _addressee(body.to))
        rows = await self._ledger.deliveries_of_stop(row_of(found.id))
        return JSONResponse(request_view(done, rows, party))

    async def _must_answer(self, party: str, found: Request) -> None:
        """Raises 404 where the request does not concern this party, 403 where it is not its to answer."""
        named = await self._handling.who(found)
        if party != sender_of(found) and party not in {one.party for one in named}:
            raise _unknown()
        if found.right == "dispute":
            raise Refusal(
                403, "REQUEST-DISPUTE", "Whoever collected the consent does not judge the dispute: the operator does"
            )
        if not may_answer(party, named):
            raise Refusal(
                403, "REQUEST-OTHERS", "Others collected the person's data too, or answer for it: the operator answers"
            )

    async def _found(self, name: str) -> Request:
        found = await self._store.get([name])
        if not found:
            raise _unknown()
        return found[0]


def _addressee(contact: Contact | None) -> Addressee | None:
    if contact is None:
        return None
    try:
        value = normalise(contact.type, contact.value, None).value
    except ContactFault as fault:
        raise InputError([Problem(fault.code, "/to/value", str(fault))]) from None
    found = addressee([{"type": contact.type, "value": value}])
    if found is None:
        raise InputError([Problem("REQUEST-ADDRESS", "/to/type", "write to an email, a post address or a phone")])
    return found


def _party(caller: Caller) -> str:
    if caller.party is None:
        raise Refusal(403, "FORBIDDEN", "This key has neither a party nor the scope operator or auditor")
    return caller.party


def _unknown() -> Refusal:
    return Refusal(404, "REQUEST-UNKNOWN", "No such request is recorded (yet), or it is not yours to see")
