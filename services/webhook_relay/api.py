"""HTTP of the relay: what waits (as everywhere), endpoints, enabling one again, and sending a range again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from services.webhook_relay.following import Following
from services.webhook_relay.lanes import Lanes
from services.webhook_relay.replaying import KINDS, Replaying
from services.webhook_relay.store import GIVEN_UP, QUEUED, Endpoint, Store
from services.webhook_relay.views import delivery_view, endpoint_view, given_up_view, partition_view
from shared.auth import Authenticator, Caller
from shared.clock import Clock
from shared.contracts.types import Contract, Instant, PartyId
from shared.problems import Refusal
from shared.registry.feed import RegistryFeed
from shared.topics import party_of

MOST = 1000
LEAST_A_PARTY = 20


class ReplayAsked(Contract):
    """A range to send again; `after` is what the answer before gave."""

    party: PartyId
    kinds: Annotated[tuple[str, ...], Field(strict=False)] = KINDS
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    after: dict[str, int] | None = None


class Api:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, store: Store, following: Following, lanes: Lanes, replaying: Replaying,
        registry: RegistryFeed, clock: Clock, public_key: str,
    ) -> None:  # fmt: skip
        self._auth, self._store, self._following, self._lanes = auth, store, following, lanes
        self._replaying, self._registry, self._clock, self._public_key = replaying, registry, clock, public_key

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/obligations", self.obligations, methods=["GET"])
        router.add_api_route("/v1/endpoints", self.endpoints, methods=["GET"])
        router.add_api_route("/v1/endpoints/{party}/enable", self.enable, methods=["POST"])
        router.add_api_route("/v1/replay", self.replay, methods=["POST"])
        router.add_api_route("/v1/webhook-key", self.webhook_key, methods=["GET"])
        return router

    async def obligations(self, request: Request, owner: str | None = None) -> JSONResponse:
        """Everything that waits for someone: owner, cause, due time, next attempt."""
        seen = _sees(self._auth.caller(request))
        now = self._clock.now()
        endpoints = await self._store.endpoints()
        parties = [seen] if seen is not None else sorted(await self._store.next_by_party())
        found: list[dict[str, Any]] = []
        for party in parties[:MOST]:
            endpoint = endpoints.get(party, Endpoint())
            rows = await self._store.of_state(QUEUED, party, max(LEAST_A_PARTY, MOST // len(parties)))
            found += [delivery_view(row, endpoint, now, takes=self._takes(party)) for row in rows]
        found += [given_up_view(row) for row in await self._store.of_state(GIVEN_UP, seen, MOST)]
        views = [endpoint_view(p, e, now) for p, e in endpoints.items() if seen in (None, p)]
        found += [view for view in views if view is not None]
        found += [
            partition_view(tp.topic, tp.partition, party_of(tp.topic), why, now)
            for tp, why in self._following.halted.items() if seen in (None, party_of(tp.topic))
        ]  # fmt: skip
        wanted = [one for one in found if owner in (None, one["owner"])]
        return JSONResponse({"obligations": sorted(wanted, key=lambda o: str(o["due_at"]))[: 2 * MOST]})

    def _takes(self, party: str) -> bool:
        known = self._registry.view.party(party)
        return known is not None and known.delivery.mode == "webhook"

    async def endpoints(self, request: Request) -> JSONResponse:
        """Each party with a webhook: whether it is tried, what waits, whether its topics are read."""
        seen = _sees(self._auth.caller(request))
        now, known = self._clock.now(), await self._store.endpoints()
        rows = []
        for party in self._registry.view.parties():
            if party.delivery.mode != "webhook" or seen not in (None, party.id):
                continue
            trouble = endpoint_view(party.id, known.get(party.id, Endpoint()), now)
            rows.append({
                "party": party.id,
                "state": "ok" if trouble is None else "disabled" if known[party.id].disabled else "left alone",
                "cause": None if trouble is None else trouble["cause"],
                "next_at": None if trouble is None else trouble["next_at"],
                "waiting": await self._store.waiting(party.id, 10 * MOST),
                "paused": party.id in self._following.paused,
            })  # fmt: skip
        return JSONResponse({"endpoints": rows})

    async def enable(self, request: Request, party: str) -> JSONResponse:
        """Try an endpoint again now: one that was left alone, or disabled by its 410."""
        caller = self._auth.caller(request)
        if caller.party != party:
            caller.require("operator")
        await self._store.keep(party, Endpoint())
        await self._store.pull_forward(party, self._clock.now())
        self._lanes.enable(party)
        return JSONResponse({"party": party, "state": "ok"})

    async def replay(self, request: Request, asked: ReplayAsked) -> JSONResponse:
        """Queue a range again, one page an answer."""
        caller = self._auth.caller(request)
        if caller.party != asked.party:
            caller.require("operator")
        if set(asked.kinds) - set(KINDS) or asked.end <= asked.start:
            raise Refusal(422, "RANGE", f"`kinds` are among {', '.join(KINDS)}, and `from` is before `to`")
        start: datetime = asked.start
        queued, after = await self._replaying.page(asked.party, asked.kinds, start, asked.end, asked.after)
        self._lanes.wake([asked.party])
        return JSONResponse({"queued": queued, "after": after})

    async def webhook_key(self) -> JSONResponse:
        """The platform's public key (`v1a`): nothing secret, so nobody is asked who they are."""
        return JSONResponse({"public_key": self._public_key})


def _sees(caller: Caller) -> str | None:
    """None for whoever sees everything, else the party whose view it is."""
    if caller.scopes & {"operator", "auditor"}:
        return None
    if caller.party is None:
        raise Refusal(403, "FORBIDDEN", "This key has neither a party nor the scope operator or auditor")
    return caller.party
