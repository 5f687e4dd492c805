"""HTTP for a party's own match key: downloaded once, confirmed once it is in use (docs/keys.md)."""

from __future__ import annotations

import base64
from typing import Annotated, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, TypeAdapter, ValidationError

from services.rights_handler.match_versions import Standing
from services.rights_handler.persons import Persons
from shared.auth import Authenticator
from shared.bodies import described, limited
from shared.contracts.types import Contract
from shared.errors import InputError
from shared.intake.schema import problems_of
from shared.keyring.checks import check_value
from shared.problems import Refusal

MOST_BYTES = 4096


class Confirmation(Contract):
    """The party says which version it uses."""

    version: Annotated[int, Field(ge=1, le=9999)]


_CONFIRMATION: TypeAdapter[Confirmation] = TypeAdapter(Confirmation)


class Deliveries(Protocol):
    """What is handed over and confirmed (`match_versions.MatchKeys`)."""

    async def deliver(self, party: str) -> int | None:
        """Note the delivery; None where it was made before."""
        ...

    async def confirm(self, party: str, version: int) -> Standing:
        """The party uses it."""
        ...


class MatchApi:
    """The routes and what they need."""

    def __init__(self, *, auth: Authenticator, persons: Persons, deliveries: Deliveries) -> None:
        self._auth, self._persons, self._deliveries = auth, persons, deliveries

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/match-key", self.match_key, methods=["GET"])
        confirmation = described(Confirmation)
        router.add_api_route("/v1/match-key/confirm", self.confirm, methods=["POST"], openapi_extra=confirmation)
        return router

    async def match_key(self, request: Request) -> JSONResponse:
        """The caller's own match key, the newest that is offered, once: 410 from then on.

        Its holder computes it over its own file to find the persons of orders and permissions.
        """
        party = self._party(request)
        version = await self._deliveries.deliver(party)  # noted first: handed over twice is worse than asked for again
        if version is None:
            raise Refusal(
                410,
                "MATCH-KEY-DELIVERED",
                "This key was handed over before: use it, or ask the operator to allow it again",
            )
        key = self._persons.party_match_key(party, version)
        body = {
            "version": version,
            "key": base64.b64encode(key).decode(),
            "check": check_value(f"match-key {party}", version, key),
            "form": f"m{version}. + base64url(HMAC-SHA256(key, type + 0x00 + value))",
        }
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def confirm(self, request: Request) -> JSONResponse:
        """From now on permissions and orders carry this version alone."""
        party = self._party(request)
        body = await limited(request, MOST_BYTES)
        try:
            version = _CONFIRMATION.validate_json(body).version
        except ValidationError as error:
            raise InputError(problems_of(error, None)) from None
        standing = await self._deliveries.confirm(party, version)
        return JSONResponse({"versions": list(standing.versions)})

    def _party(self, request: Request) -> str:
        caller = self._auth.caller(request)
        if caller.party is None:
            raise Refusal(403, "FORBIDDEN", "Match keys belong to parties; the operator has none")
        return caller.party
