"""HTTP ingress: `POST /v1/events`, CloudEvents one by one (structured or binary) or as a JSON batch.

It only writes to the caller's own `in.*` topics and answers 202 once they are stored by all in-sync replicas; what became
of each event comes as a receipt, the same as for events published by Kafka.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.collector.domain import EVENT_ID
from shared.auth import Authenticator, Caller
from shared.bodies import described, limited
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.types import EventId, Instant, PartyId
from shared.errors import InputError, Problem, Unavailable
from shared.kafka.publisher import Outgoing, Publisher
from shared.problems import MEDIA_TYPE, SCHEMA
from shared.topics import IN_CONSENTS, IN_RIGHTS

CONSENT_TYPE = "opposable.consent.collected.v1"
BATCH_MOST = 1000


class CloudEvent(BaseModel):
    """One event in structured mode. In binary mode the attributes are headers (`ce-id`…) and the body is `data` alone."""

    model_config = ConfigDict(extra="allow")
    specversion: Literal["1.0"]
    id: EventId
    source: PartyId
    """The party this key belongs to."""
    type: str
    """One of the types of the contracts (docs/contracts)."""
    time: Instant | None = None
    data: dict[str, Any]


Events = CloudEvent | Annotated[list[CloudEvent], Field(min_length=1, max_length=BATCH_MOST)]


def make_router(auth: Authenticator, publisher: Publisher, max_bytes: int) -> APIRouter:
    """The collector's routes."""
    router = APIRouter()

    refused: dict[str, Any] = {MEDIA_TYPE: {"schema": SCHEMA}, "application/json": {"schema": {}}}
    none: dict[int | str, dict[str, Any]] = {
        422: {"description": "None was queued: a problem of the whole, or of each event", "content": refused}
    }

    @router.post("/v1/events", status_code=202, openapi_extra=described(Events), responses=none)
    async def events(request: Request) -> JSONResponse:
        caller = auth.caller(request)
        caller.require("collector", "prospector")
        body = await limited(request, max_bytes, f"The body exceeds {max_bytes} bytes: send smaller batches")
        items = _items(request, body)
        results, outgoing = [], []
        for item in items:
            try:
                message, event_id = _outgoing(item, caller)
            except InputError as error:
                results.append({"status": "rejected", "problems": [p.as_dict() for p in error.problems]})
            else:
                outgoing.append(message)
                results.append({"status": "queued", "event_id": event_id})
        try:
            await publisher.send_all(outgoing)
        except KafkaError as error:
            raise Unavailable("Kafka did not confirm the events") from error
        return JSONResponse({"results": results}, status_code=202 if outgoing else 422)

    return router


def _items(request: Request, body: bytes) -> list[Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InputError([Problem("JSON", "", "the body is not JSON")]) from None
    if isinstance(parsed, list):
        if not 1 <= len(parsed) <= BATCH_MOST:
            raise InputError([Problem("BATCH", "", f"a batch holds 1 to {BATCH_MOST} events")])
        return parsed
    if "ce-id" in request.headers:  # binary mode: attributes in headers, data in the body
        attributes = {
            name: request.headers.get(f"ce-{name}") for name in ("specversion", "id", "source", "type", "time")
        }
        return [{**attributes, "data": parsed}]
    return [parsed]


def _outgoing(item: Any, caller: Caller) -> tuple[Outgoing, str]:
    """One event as a record of the caller's own topic. Only what routes it is checked here; the rest gets a receipt."""
    if not isinstance(item, dict) or "data" not in item:
        raise InputError([Problem("ENVELOPE", "", "not a CloudEvent with data (specversion, id, source, type, data)")])
    event_id, source, kind = item.get("id"), item.get("source"), item.get("type")
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id):
        raise InputError([Problem("ENVELOPE-ID", "/id", "an event id is 1 to 64 of A-Z a-z 0-9 . _ : -")])
    if not isinstance(source, str) or source != caller.party:
        raise InputError([Problem("IDENTITY", "/source", "source must be the party this key belongs to")])
    if not isinstance(kind, str) or not kind:
        raise InputError([Problem("ENVELOPE-TYPE", "/type", "an event needs a type")])
    row = IN_CONSENTS if kind == CONSENT_TYPE else IN_RIGHTS
    time = item.get("time")
    envelope = Envelope(id=event_id, source=source, type=kind, time=time if isinstance(time, str) else None)
    try:
        value = orjson.dumps(item["data"])
    except orjson.JSONEncodeError:
        raise InputError([Problem("ENVELOPE-DATA", "/data", "the data is nested beyond reason")]) from None
    return Outgoing(row.of(source), event_id.encode(), value, tuple(to_headers(envelope))), event_id
