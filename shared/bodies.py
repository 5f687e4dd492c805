"""Bodies of HTTP requests, bounded while they are read."""

from __future__ import annotations

from fastapi import Request

from shared.problems import Refusal

MOST = 1_048_576
"""Bytes of a body where nothing else is said."""


async def limited(request: Request, most: int = MOST, refused: str | None = None) -> bytes:
    """The body. Raises 413 as soon as it exceeds `most` bytes, with the sentence `refused` where there is a better one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refusal(413, "TOO-LARGE", refused or f"The body exceeds {most} bytes")
    return bytes(body)
