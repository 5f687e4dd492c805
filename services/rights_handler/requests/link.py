"""`POST /u/<token>/erasure`: the erasure that the one-click page offers after a withdrawal (RGPD 17(1)(b)); nothing is read."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.rights_handler import pages
from services.rights_handler.requests.asking import Asking
from services.rights_handler.tokens import Tokens
from shared.errors import InputError, Unavailable


def erasure_router(tokens: Tokens, asking: Asking) -> APIRouter:
    """The one route."""
    router = APIRouter()

    @router.post("/u/{token}/erasure", response_class=HTMLResponse, responses=pages.ANSWERS)
    async def erase(token: str) -> HTMLResponse:
        try:
            await asking.by_link(tokens.read(token))
        except InputError:
            return HTMLResponse(pages.unknown(), 404, headers=pages.HEADERS)
        except Unavailable:
            return HTMLResponse(pages.later(), 503, headers=pages.HEADERS)
        return HTMLResponse(pages.asked(), 200, headers=pages.HEADERS)

    return router
