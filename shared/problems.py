"""Errors as RFC 9457 problem details, on every HTTP edge, without personal data."""

from __future__ import annotations

import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException

from shared.errors import InputError, OpposableError, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:opposable:problem:"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "stable; what a program compares"},
        "detail": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "pointer", "message"],
                "properties": {name: {"type": "string"} for name in ("code", "pointer", "message")},
            },
        },
    },
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Refused, or not done (503 says when to try again): problem details (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": SCHEMA}},
    }
}
"""In the OpenAPI of every route."""


def problem(status: int, title: str, *, code: str, detail: str = "", **more: Any) -> JSONResponse:
    """One problem answer. `code` is ours and stable; `title` is a sentence."""
    body = {"type": f"urn:opposable:problem:{code.lower()}", "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else None
    return JSONResponse({**body, **more}, status_code=status, media_type=MEDIA_TYPE, headers=headers)


class Refusal(OpposableError):  # noqa: N818 - an HTTP refusal is an answer, not a fault
    """Raised by routes to answer with a status of their own."""

    def __init__(self, status: int, code: str, title: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(title)
        self.status, self.refusal_code, self.retry_after_s = status, code, retry_after_s


def install(app: FastAPI, log: Any) -> None:
    """Map every error to a problem answer."""

    @app.exception_handler(Refusal)
    async def refused(_request: Request, error: Refusal) -> JSONResponse:
        answer = problem(error.status, str(error), code=error.refusal_code)
        if error.retry_after_s is not None:
            answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
        return answer

    @app.exception_handler(InputError)
    async def bad_input(_request: Request, error: InputError) -> JSONResponse:
        return problem(422, "The input is refused", code="INPUT", problems=[p.as_dict() for p in error.problems])

    @app.exception_handler(RequestValidationError)
    async def bad_request(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Only places and kinds: the values may be personal data.
        found = [
            {"code": "SCHEMA", "pointer": "/" + "/".join(str(p) for p in e["loc"][1:]), "message": str(e["type"])}
            for e in error.errors()
        ]
        return problem(422, "The request does not have the documented form", code="INPUT", problems=found)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), code=f"HTTP-{error.status_code}")

    async def away(_request: Request, error: Exception) -> JSONResponse:
        log.warning("answered 503: an engine is away", exc_info=error)
        return problem(503, "An engine is away; nothing was decided, try again", code="UNAVAILABLE")

    app.add_exception_handler(Unavailable, away)
    app.add_exception_handler(PyMongoError, away)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        route = request.scope.get("route")
        log.error("unexpected error", path=getattr(route, "path", ""), method=request.method, exc_info=error)
        return problem(500, "An unexpected error; it has been logged", code="INTERNAL")
