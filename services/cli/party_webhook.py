"""A partner's endpoint: verifies the signature, counts each event once, acknowledges orders in its answer.

`POST /hook` takes Standard Webhooks; `POST /check` answers the conformance kit's question, as documented in docs/partners.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

from services.cli.party_fold import Question
from services.cli.party_system import Acknowledgement, Manner, PartySystem
from shared.webhooks import SignatureError, verify

SLOW_S = 10.0
FLAP_S = 5.0
Report = Callable[[Sequence[Acknowledgement]], Awaitable[None]]
"""Sends acknowledgements that the answer does not carry."""


@dataclass(slots=True)
class Endpoint:
    """What an endpoint is made of. `secrets`: every version that is accepted now; `slow_s` and `flap_s` for those manners."""

    system: PartySystem
    secrets: Sequence[bytes]
    manner: Manner = Manner.HONEST
    slow_s: float = SLOW_S
    flap_s: float = FLAP_S
    unreadable: int = 0
    refused: int = 0


def make_app(endpoint: Endpoint, report: Report | None = None) -> FastAPI:
    """The endpoint as an application."""
    app = FastAPI(title="A partner", docs_url=None, redoc_url=None)
    started = time.monotonic()

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        body = await request.body()
        if endpoint.manner is Manner.FLAPPING and int((time.monotonic() - started) / endpoint.flap_s) % 2:
            return Response(status_code=503)
        if endpoint.manner is Manner.SLOW:
            await asyncio.sleep(endpoint.slow_s)
        try:
            message = verify(dict(request.headers), body, now=time.time(), secrets=endpoint.secrets)
        except SignatureError as error:
            endpoint.refused += 1
            return _json({"error": error.reason}, 401)
        try:
            event = orjson.loads(body)
            found = endpoint.system.receive(message, event["type"], event["data"], datetime.now(UTC))
        except (ValueError, KeyError, TypeError, AttributeError):
            endpoint.unreadable += 1
            return _json({"error": "unreadable"}, 400)
        if len(found) > 1 and report is not None:
            await report(found[1:])
        return _json(found[0].data(), 200) if found else Response(status_code=204)

    @app.post("/check")
    async def check(request: Request) -> Response:
        asked = orjson.loads(await request.body())
        key = asked.get("match_key") or {}
        question = Question(asked["channel"], asked["purpose"], asked.get("consent_id"), key.get("key"))
        return _json({"allowed": endpoint.system.may(question, datetime.now(UTC))}, 200)

    return app


def _json(body: Any, status: int) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")


class _Server(uvicorn.Server):
    """Leaves signals to the command."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve an application while the context is open; its base address. Raises OSError where the port is taken."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    server = _Server(config)
    # With its protocol named, asyncio sends each answer at once; without, its body waits 40 ms for an acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task
        listening.close()
