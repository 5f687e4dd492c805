"""Bodies of requests, bounded."""

from __future__ import annotations

from fastapi import Request

from shared.problems import Refusal

MAX_BYTES = 1_048_576


async def body_of(request: Request) -> bytes:
    """The body of a request. Raises 413 as soon as it exceeds the bound."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Refusal(413, "TOO-LARGE", f"The body exceeds {MAX_BYTES} bytes")
    return bytes(body)
