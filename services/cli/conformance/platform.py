"""The platform's side as a partner sees it by HTTP: its feeds, and `POST /v1/events` for acknowledgements."""

from __future__ import annotations

import asyncio
import hmac
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from services.cli.conformance.model import Event
from shared.contracts.partner_rights import ORDER_ACKNOWLEDGED

CURSOR = "kit."
WAIT_MOST_S = 30.0


class PlayedPlatform:
    """Events wait here for who reads them; acknowledgements are kept in the order in which they come."""

    def __init__(self, party: str, key: str) -> None:
        self.acknowledged: defaultdict[str, list[str]] = defaultdict(list)
        self._party, self._key = party, key
        self._events: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._news = asyncio.Condition()
        self._seen: set[str] = set()

    async def add(self, event: Event) -> None:
        """Put an event on its feed."""
        async with self._news:
            self._events[event.feed].append(structured(event))
            self._news.notify_all()

    def acknowledge(self, data: Mapping[str, Any]) -> None:
        """Keep one acknowledgement."""
        self.acknowledged[str(data.get("order_id"))].append(str(data.get("status")))

    def app(self) -> FastAPI:
        """The routes."""
        app = FastAPI(title="Conformance kit", docs_url=None, redoc_url=None)

        @app.get("/v1/feed/{feed}")
        async def feed(
            request: Request, feed: str, after: str = CURSOR + "0", limit: int = 100, wait: float = 0
        ) -> Response:
            if not self._known(request):
                return _problem(401, "UNAUTHENTICATED")
            number = after.removeprefix(CURSOR)
            if not after.startswith(CURSOR) or not number.isdigit() or int(number) > len(self._events[feed]):
                return _problem(422, "CURSOR")
            at = int(number)
            try:
                async with asyncio.timeout(min(wait, WAIT_MOST_S)), self._news:
                    await self._news.wait_for(lambda: len(self._events[feed]) > at)
            except TimeoutError:
                pass
            found = self._events[feed][at : at + limit]
            end = at + len(found)
            return _json({"events": found, "next": f"{CURSOR}{end}", "at_end": end == len(self._events[feed])}, 200)

        @app.post("/v1/events")
        async def events(request: Request) -> Response:
            if not self._known(request):
                return _problem(401, "UNAUTHENTICATED")
            body = orjson.loads(await request.body())
            items = body if isinstance(body, list) else [body]
            return _json({"results": [self._take(item) for item in items]}, 202)

        return app

    def _known(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), self._key.encode())

    def _take(self, item: Any) -> dict[str, Any]:
        """As the platform does: its own party's events, each once."""
        if not isinstance(item, dict) or item.get("source") != self._party or item.get("type") != ORDER_ACKNOWLEDGED:
            return {"status": "rejected"}
        if item["id"] not in self._seen:
            self._seen.add(item["id"])
            self.acknowledge(item["data"])
        return {"status": "queued", "event_id": item["id"]}


def structured(event: Event) -> dict[str, Any]:
    """An event as HTTP partners get it."""
    return {
        "specversion": "1.0", "id": event.id, "source": "opposable/conformance", "type": event.type,
        "time": "2026-01-01T00:00:00.000Z", "datacontenttype": "application/json", "data": dict(event.data),
    }  # fmt: skip


def _json(body: Any, status: int) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")


def _problem(status: int, code: str) -> Response:
    body = {"type": f"urn:opposable:problem:{code.lower()}", "title": code, "status": status, "code": code}
    return Response(orjson.dumps(body), status_code=status, media_type="application/problem+json")
