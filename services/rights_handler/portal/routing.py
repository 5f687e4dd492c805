"""What the portal's routes share: a page in words where an engine is away, fixed redirections, the visitor's network address."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pymongo.errors import PyMongoError

from services.rights_handler.portal.pages import HEADERS, page
from shared.errors import Unavailable

Endpoint = Callable[..., Awaitable[Response]]


def gently(endpoint: Endpoint) -> Endpoint:
    """The same route, with a page in words where an engine is away."""

    @functools.wraps(endpoint)
    async def route(*args: Any, **given: Any) -> Response:
        try:
            return await endpoint(*args, **given)
        except (Unavailable, PyMongoError):
            return page("later", 503)

    return route


def see(path: str) -> Response:
    """See other: always a path of ours, never what a request said."""
    return RedirectResponse(path, status_code=303, headers=HEADERS)


def address_of(request: Request) -> str:
    """The visitor's network address, for counting; it is never stored in clear."""
    return request.client.host if request.client is not None else "unknown"
