"""Reads what a browser posts: bounded, from our own pages only, and never more than the fields a page has."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import Request

from shared.bodies import limited
from shared.problems import Refusal

MAX_BYTES = 32_768
MAX_FIELDS = 400
_FORM = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> Mapping[str, list[str]]:
    """The fields of a form. Raises 403 from another site, 413 when too long, 415 when it is no form.

    That other sites cannot post is a second wall beside a page's own (browsers say where a request comes from: Fetch Metadata).
    """
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise Refusal(403, "CROSS-SITE", "This form is only accepted from this site")
    body = await limited(request, MAX_BYTES, f"A form is at most {MAX_BYTES} bytes")
    if body and not request.headers.get("content-type", "").startswith(_FORM):
        raise Refusal(415, "FORM", f"A form is expected ({_FORM})")
    try:
        return parse_qs(body.decode(), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refusal(422, "FORM", "The form cannot be read") from None


def first(fields: Mapping[str, list[str]], name: str) -> str:
    """The first value of a field, trimmed; empty where there is none."""
    return fields.get(name, [""])[0].strip()
