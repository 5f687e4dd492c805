"""`/me`: the pages. GET changes nothing, ever (mail systems follow links); every act is a POST with the token in its path."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.rights_handler.portal.access import Access, TooMany
from services.rights_handler.portal.acting import Acting
from services.rights_handler.portal.contact import Typed, read_contact, read_postal
from services.rights_handler.portal.inside import Inside
from services.rights_handler.portal.pages import page, style
from services.rights_handler.portal.routing import address_of, gently, see
from shared.intake.contacts import ContactFault
from shared.posted import first, read_form

WRONG = (
    "Cette adresse électronique ou ce numéro n’a pas une forme possible. Exemples : prenom@exemple.fr, 06 12 34 56 78."
)
WRONG_POSTAL = "Écrivez l’adresse comme sur une enveloppe, de deux à sept lignes, avec le nom en premier."


@dataclass(frozen=True, slots=True)
class Portal:
    """The public routes, those behind them, and what they need. `minutes`: how long a link or code is good for, as pages say it."""

    access: Access
    acting: Acting
    inside: Inside
    minutes: int

    def router(self) -> APIRouter:
        """All routes; fixed paths come before those that hold a token."""
        router = APIRouter(include_in_schema=False)
        for method, path, endpoint in (
            ("GET", "/me", self.start), ("POST", "/me", self.ask), ("GET", "/me/style.css", self.style),
            ("GET", "/me/lettre", self.letter), ("POST", "/me/lettre", self.ask_letter),
            ("POST", "/me/lettre/code", self.letter_code), ("POST", "/me/arret", self.stop), ("POST", "/me/code/{handle}", self.code),
            ("GET", "/me/{token}", self.link), ("POST", "/me/{token}", self.enter),
        ):  # fmt: skip
            router.add_api_route(path, gently(endpoint), methods=[method], response_model=None)
        self.inside.addsee(router)
        return router

    async def start(self) -> Response:
        """The first page: see, or stop."""
        return page("start", minutes=self.minutes)

    async def style(self) -> Response:
        """The style sheet."""
        return style()

    async def ask(self, request: Request) -> Response:
        """Ask for a link or a code. Known or not, the answer is the same."""
        fields = await read_form(request)
        try:
            contact = read_contact(first(fields, "contact"))
        except ContactFault:
            return page("start", 422, minutes=self.minutes, see_error=WRONG, see_value=first(fields, "contact")[:254])
        try:
            handle = await self.access.ask(contact, address_of(request))
        except TooMany:
            return page("too_many", 429, stopping=False)
        if contact.kind == "email":
            return page("sent", minutes=self.minutes)
        return page("code", handle=handle, minutes=self.minutes)

    async def letter(self) -> Response:
        """For a postal address: ask for a code by letter, stop, or enter the code."""
        return page("letter")

    async def ask_letter(self, request: Request) -> Response:
        """Ask for a code by letter, or stop everything for a postal address. Known or not, the answer is the same."""
        fields = await read_form(request)
        text, stopping = first(fields, "adresse"), first(fields, "quoi") == "arret"
        try:
            contact = read_postal(text)
        except ContactFault:
            return page("letter", 422, address_error=WRONG_POSTAL, address=text[:400])
        try:
            if stopping:
                limits = self.access.limits
                await self.access.within(self.access.clock.now(), "stop", address_of(request), limits.stops_per_address)
                return await self._stopped(contact)
            await self.access.ask_letter(contact, address_of(request))
        except TooMany:
            return page("too_many", 429, stopping=stopping)
        return page("letter_sent")

    async def letter_code(self, request: Request) -> Response:
        """Try the code of a letter."""
        try:
            session = await self.access.by_letter(first(await read_form(request), "code"), address_of(request))
        except TooMany:
            return page("too_many", 429, stopping=False)
        if session is not None:
            return see(f"/me/s/{session}")
        return page("letter", 422, code_error="Ce code n’est pas le bon, ou il a déjà servi, ou il a plus de 21 jours.")

    async def stop(self, request: Request) -> Response:
        """Stop everything for a contact that was typed: no proof is asked for, and nothing is told (RGPD 7(3), 12(2), 21)."""
        fields = await read_form(request)
        try:
            contact = read_contact(first(fields, "contact"))
        except ContactFault:
            return page("start", 422, minutes=self.minutes, stop_error=WRONG, stop_value=first(fields, "contact")[:254])
        limits, now = self.access.limits, self.access.clock.now()
        try:
            await self.access.within(now, "stop", address_of(request), limits.stops_per_address)
        except TooMany:
            return page("too_many", 429, stopping=True)
        return await self._stopped(contact)

    async def _stopped(self, contact: Typed) -> Response:
        await self.acting.stop(contact, self.access.persons.contact_key(contact.kind, contact.value))
        return page("stopped", kind=contact.kind)

    async def link(self, token: str) -> Response:
        """The page behind a mailed link: a button, so that a mail system that opens links does not use it up."""
        return page("enter", token=token) if await self.access.usable(token) else page("unusable", 410)

    async def enter(self, request: Request, token: str) -> Response:
        """Use the link up and open the session."""
        await read_form(request)
        session = await self.access.by_link(token)
        return page("unusable", 410) if session is None else see(f"/me/s/{session}")

    async def code(self, request: Request, handle: str) -> Response:
        """Try a code."""
        code = "".join(c for c in first(await read_form(request), "code")[:20] if c.isascii() and c.isdigit())
        session = await self.access.by_code(handle, code)
        if session is not None:
            return see(f"/me/s/{session}")
        error = "Ce code n’est pas le bon, ou il ne peut plus servir. Après cinq essais, demandez-en un autre."
        return page("code", 422, handle=handle[:64], minutes=self.minutes, error=error)
