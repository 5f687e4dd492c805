"""HTTP of a party's standing: suspended or reinstated by the operator, through the registry, with a reason that is archived.

The party's newest body is published again with its new status; everything else of it stays. What was said of its consents must then
be said anew: `POST /v1/reassessments` of the archive. Whoever keeps the registry in files writes the status there too: `registry
apply` publishes what the files say.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from shared import canonical
from shared.auth import Authenticator
from shared.clock import Clock
from shared.instants import format_instant
from shared.kafka.publisher import Outgoing, Publisher
from shared.problems import Refusal
from shared.reasons import checked
from shared.registry.feed import RegistryFeed
from shared.registry.models import Party, key_of, parse
from shared.topics import REGISTRY


class Standing(BaseModel):
    """Body of `POST /v1/parties/<id>/standing`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    status: Literal["active", "suspended"]
    reason: str


class StandingApi:
    """The route and what it needs."""

    def __init__(self, auth: Authenticator, registry: RegistryFeed, publisher: Publisher, clock: Clock) -> None:
        self._auth, self._registry, self._publisher, self._clock = auth, registry, publisher, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/parties/{party}/standing", self.change, methods=["POST"], response_model=None)
        return router

    async def change(self, request: Request, party: str, body: Standing) -> JSONResponse:
        """Suspend a party, or reinstate it. The same status again changes nothing; 404 where the party is not registered."""
        self._auth.caller(request).require("operator")
        reason = checked(body.reason, "/reason", "REASON")
        await self._registry.catch_up()
        found = self._registry.view.party(party)
        if found is None:
            raise Refusal(404, "PARTY-UNKNOWN", "No such party is registered")
        changed = found.status != body.status
        if changed:
            document = turned(found, body.status, reason, format_instant(self._clock.now()))
            parse(document)
            await self._publisher.send_all([
                Outgoing(REGISTRY.name, key_of(document).encode(), canonical.dumps(document))
            ])  # fmt: skip
            await self._registry.catch_up()
        now = self._registry.view.party(party) or found
        offset = getattr(self._registry.view.reference(f"party:{party}"), "offset", None)
        return JSONResponse({
            "party": party, "status": now.status, "reason": now.status_reason,
            "suspended_from": None if now.suspended_from is None else format_instant(now.suspended_from),
            "changed": changed, "registry_offset": offset,
        })  # fmt: skip


def turned(party: Party, status: str, reason: str, now: str) -> dict[str, Any]:
    """The party's document with another standing, as of now. Pure."""
    document: dict[str, Any] = party.model_dump(mode="json", exclude_unset=True)
    since = now if status == "suspended" else None
    return {**document, "status": status, "suspended_from": since, "status_reason": reason}
