"""The witness over HTTP: `POST /add-checkpoint`, and nothing else (C2SP tlog-witness 1.0).

There is no authentication but the log's signature on the checkpoint, as the specification has it.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from services.witness.domain import MAX_REQUEST, Declined, Logs, Outcome
from services.witness.domain import Request as AddCheckpoint
from services.witness.ledger import Ledger
from shared.clock import Clock
from shared.crypto.cosignature import Cosigner

SIZE = "text/x.tlog.size"
"""Content type of the size from which a client has to start again."""
TEXT = "text/plain; charset=utf-8"
TOO_LARGE = 413


class Witness:
    """One witness: its key, the logs it follows, its memory."""

    def __init__(self, cosigner: Cosigner, logs: Logs, ledger: Ledger, clock: Clock) -> None:
        self._cosigner, self._logs, self._ledger, self._clock = cosigner, logs, ledger, clock

    def add_checkpoint(self, body: bytes) -> str:
        """The cosignature line of a checkpoint. Raises Declined. Returns only once its memory is durable."""
        request = AddCheckpoint.parse(body)
        self._logs.check(request)
        self._ledger.advance(request)
        return self._cosigner.cosign(request.text, int(self._clock.now().timestamp())).line()


def make_app(witness: Witness) -> FastAPI:
    """The application."""
    app = FastAPI(title="Opposable witness", openapi_url=None)

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_REQUEST:
                return Response("the request is too long\n", TOO_LARGE, media_type=TEXT)
        try:
            line = await run_in_threadpool(witness.add_checkpoint, bytes(body))
        except Declined as declined:
            if declined.size is not None:
                # As is: the specification names this type without a character set, and clients compare it.
                return Response(f"{declined.size}\n", declined.outcome, headers={"Content-Type": SIZE})
            return Response(f"{declined.reason}\n", declined.outcome, media_type=TEXT)
        return Response(line, Outcome.COSIGNED, media_type=TEXT)

    app.add_api_route("/add-checkpoint", add_checkpoint, methods=["POST"], response_model=None)
    return app
