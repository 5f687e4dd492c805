"""Bodies of HTTP requests: bounded while they are read, and described in OpenAPI where a route reads the bytes itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from pydantic import TypeAdapter

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


def described(model: Any, media: str = "application/json") -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body itself (leniently, or with problems of its own): the form it has."""
    schema = TypeAdapter(model).json_schema()
    return {"requestBody": {"required": True, "content": {media: {"schema": _inline(schema, schema.pop("$defs", {}))}}}}


def _inline(value: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema without references: those of pydantic would point beside the OpenAPI document. No model here holds itself."""
    if isinstance(value, list):
        return [_inline(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    named = value.get("$ref")
    if isinstance(named, str):
        rest = {key: item for key, item in value.items() if key != "$ref"}
        return _inline({**definitions[named.rpartition("/")[2]], **rest}, definitions)
    return {
        key: _inline(item, definitions)
        for key, item in value.items()
        if key != "discriminator" or "mapping" not in item
    }
