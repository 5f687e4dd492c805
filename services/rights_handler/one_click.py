"""`/u/<token>`: the one-click link of every permission (RFC 8058). GET asks, POST acts; nothing is read to do either.

A click stops the sender, on all its channels; the page that says so offers, with one more button (`/u/<token>/all`), to stop
everyone who holds these contacts. Never the other way round: a mail system that posts by itself speaks for one sender.

A mail system that follows links on its own only ever gets the question. The address names a record and a party, encrypted;
no cookie, no account, no identity is asked (RGPD 12(2), 21: objecting must be easy).
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.rights_handler import pages
from services.rights_handler.requesting import Requesting
from services.rights_handler.teller import Registry
from services.rights_handler.tokens import Reference, Tokens
from shared.errors import InputError, Unavailable


def make_router(tokens: Tokens, registry: Registry, requesting: Requesting) -> APIRouter:
    """The routes of the link."""
    router = APIRouter()

    def company(reference: Reference) -> str:
        party = registry.view.party(reference.party)
        return party.legal_name if party is not None else reference.party

    @router.get("/u/{token}", response_class=HTMLResponse, responses=pages.ANSWERS)
    async def ask(token: str) -> HTMLResponse:
        try:
            return _answer(pages.ask(company(tokens.read(token))))
        except InputError:
            return _answer(pages.unknown(), 404)

    @router.post("/u/{token}", response_class=HTMLResponse, responses=pages.ANSWERS)
    async def act(token: str) -> HTMLResponse:
        try:
            reference = tokens.read(token)
            await requesting.by_link(reference)
        except InputError:
            return _answer(pages.unknown(), 404)
        except Unavailable:
            return _answer(pages.later(), 503)
        return _answer(pages.done(company(reference), f"{token}/all", f"{token}/erasure"))

    @router.post("/u/{token}/all", response_class=HTMLResponse, responses=pages.ANSWERS)
    async def act_for_all(token: str) -> HTMLResponse:
        try:
            await requesting.by_link(tokens.read(token), everyone=True)
        except InputError:
            return _answer(pages.unknown(), 404)
        except Unavailable:
            return _answer(pages.later(), 503)
        return _answer(pages.done_for_all())

    return router


def _answer(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status_code=status, headers=pages.HEADERS)
