"""`/me`: the pages. GET changes nothing, ever (mail systems follow links); every act is a POST with the token in its path."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pymongo.errors import PyMongoError

from services.rights_handler.kinds import RELAYED
from services.rights_handler.portal.access import Access, Session, TooMany
from services.rights_handler.portal.acting import DETAILS_LONGEST, Acting
from services.rights_handler.portal.contact import Typed, read_contact, read_postal
from services.rights_handler.portal.forms import first, read_form
from services.rights_handler.portal.pages import HEADERS, page, style
from services.rights_handler.portal.proofs import Proofs
from services.rights_handler.portal.reading import Reading
from services.rights_handler.portal.words import RIGHTS
from shared.contracts.types import CHANNELS
from shared.errors import Unavailable
from shared.intake.contacts import ContactFault

Handler = Callable[[Request, Session], Awaitable[Response]]
WRONG = (
    "Cette adresse électronique ou ce numéro n’a pas une forme possible. Exemples : prenom@exemple.fr, 06 12 34 56 78."
)


WRONG_POSTAL = "Écrivez l’adresse comme sur une enveloppe, de deux à sept lignes, avec le nom en premier."


@dataclass(frozen=True, slots=True)
class Portal:
    """The routes and what they need. `minutes`: how long a link or code is good for, as pages say it."""

    access: Access
    acting: Acting
    reading: Reading
    proofs: Proofs
    minutes: int

    def router(self) -> APIRouter:
        """All routes; fixed paths come before those that hold a token."""
        router = APIRouter(include_in_schema=False)
        for method, path, endpoint in (
            ("GET", "/me", self.start), ("POST", "/me", self.ask), ("GET", "/me/style.css", self.style),
            ("GET", "/me/lettre", self.letter), ("POST", "/me/lettre", self.ask_letter),
            ("POST", "/me/lettre/code", self.letter_code), ("POST", "/me/arret", self.stop), ("POST", "/me/code/{handle}", self.code),
            ("GET", "/me/s/{token}", self.inside(self.dossier)), ("GET", "/me/s/{token}/suivi", self.inside(self.follow)),
            ("POST", "/me/s/{token}/retrait", self.inside(self.withdraw)),
            ("GET", "/me/s/{token}/droits", self.inside(self.rights)),
            ("POST", "/me/s/{token}/droits", self.inside(self.claim)),
            ("GET", "/me/s/{token}/preuve/{record:path}", self.inside(self.proof)),
            ("GET", "/me/s/{token}/page/{record:path}", self.inside(self.picture)),
            ("POST", "/me/s/{token}/fin", self.inside(self.leave)),
            ("GET", "/me/{token}", self.link), ("POST", "/me/{token}", self.enter),
        ):  # fmt: skip
            router.add_api_route(path, _gently(endpoint), methods=[method], response_model=None)
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
            handle = await self.access.ask(contact, _address(request))
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
                await self.access.within(self.access.clock.now(), "stop", _address(request), limits.stops_per_address)
                return await self._stopped(contact)
            await self.access.ask_letter(contact, _address(request))
        except TooMany:
            return page("too_many", 429, stopping=stopping)
        return page("letter_sent")

    async def letter_code(self, request: Request) -> Response:
        """Try the code of a letter."""
        try:
            session = await self.access.by_letter(first(await read_form(request), "code"), _address(request))
        except TooMany:
            return page("too_many", 429, stopping=False)
        if session is not None:
            return _to(f"/me/s/{session}")
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
            await self.access.within(now, "stop", _address(request), limits.stops_per_address)
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
        return page("unusable", 410) if session is None else _to(f"/me/s/{session}")

    async def code(self, request: Request, handle: str) -> Response:
        """Try a code."""
        code = "".join(c for c in first(await read_form(request), "code")[:20] if c.isascii() and c.isdigit())
        session = await self.access.by_code(handle, code)
        if session is not None:
            return _to(f"/me/s/{session}")
        error = "Ce code n’est pas le bon, ou il ne peut plus servir. Après cinq essais, demandez-en un autre."
        return page("code", 422, handle=handle[:64], minutes=self.minutes, error=error)

    async def dossier(self, _request: Request, session: Session) -> Response:
        """What is known, who has it, and the way to stop it."""
        return page("dossier", session=session, shown=await self.reading.page(session), offered=self.proofs.offered)

    async def follow(self, _request: Request, session: Session) -> Response:
        """Every withdrawal, party by party."""
        return page("follow", session=session, withdrawals=await self.reading.withdrawals(session))

    async def withdraw(self, request: Request, session: Session) -> Response:
        """Withdraw everything, or from chosen companies or means; with erasure where it was ticked."""
        fields = await read_form(request)
        everything = first(fields, "tout") == "1"
        shown = await self.reading.page(session)
        known = {company.party for company in shown.companies}
        parties = [] if everything else [p for p in fields.get("societe", []) if p in known]
        channels = [] if everything else [c for c in fields.get("moyen", []) if c in CHANNELS]
        if not (everything or parties or channels):
            error = "Cochez au moins une société ou un moyen, ou utilisez le bouton « Tout retirer »."
            return page("dossier", 422, session=session, shown=shown, offered=self.proofs.offered, choice_error=error)
        try:
            asked = [
                await self.acting.stop(session.contact, session.contact_key, recipients=parties, channels=channels)
            ]
            if first(fields, "effacer") == "1":
                asked.append(await self.acting.request(session.contact, session.contact_key, "erasure"))
        except Unavailable:
            return page("later", 503)
        await self.access.note(session, asked)
        return _to(f"/me/s/{session.token}/suivi")

    async def rights(self, _request: Request, session: Session) -> Response:
        """The rights that can be asked for."""
        return page("rights", session=session, rights=RIGHTS)

    async def claim(self, request: Request, session: Session) -> Response:
        """Ask for a right; the person is already proven, so nothing more is asked (RGPD 12(6))."""
        fields = await read_form(request)
        right, details = first(fields, "droit"), first(fields, "precisions")
        errors = {}
        if right not in RIGHTS:
            errors["right"] = "Choisissez une demande dans la liste."
        if len(details) > DETAILS_LONGEST:
            errors["details"] = f"Ce texte est trop long : {DETAILS_LONGEST} caractères au plus."
        if right == "rectification" and not details:
            errors["details"] = "Dites ce qui est faux et ce qu’il faut écrire à la place."
        if errors:
            return page("rights", 422, session=session, rights=RIGHTS, errors=errors, chosen=right, details=details)
        asked = await self.acting.request(session.contact, session.contact_key, right, details)
        if right in RELAYED:  # these are followed party by party; the others are answered to the person
            await self.access.note(session, [asked])
        return page("claimed", session=session, what=RIGHTS[right][0])

    async def proof(self, request: Request, session: Session) -> Response:
        """The proof of one of the person's own records, as the archive makes it: `.pdf` to read, `.zip` to verify."""
        record, _, form = str(request.path_params["record"]).rpartition(".")
        grant = await self.reading.record(session, record) if form in ("pdf", "zip") else None
        if grant is None:
            return page("unusable", 404)
        found = await self.proofs.of(grant.record, "pdf" if form == "pdf" else "zip")
        return found if found is not None else page("no_proof", 503, session=session)

    async def picture(self, request: Request, session: Session) -> Response:
        """The picture of the page that a consent was given on, where the archive has it."""
        grant = await self.reading.record(session, str(request.path_params["record"]))
        sha256 = None if grant is None else self.reading.picture_of(grant)
        found = None if sha256 is None else await self.proofs.picture(sha256)
        return found if found is not None else page("no_picture", 404, session=session)

    async def leave(self, request: Request, session: Session) -> Response:
        """End the session at once (a shared computer)."""
        await read_form(request)
        await self.access.leave(session)
        return page("left")

    def inside(self, handler: Handler) -> Callable[[Request, str], Awaitable[Response]]:
        """A route of a session: without one, the page that says how to have one."""

        async def route(request: Request, token: str) -> Response:
            session = await self.access.session(token)
            return page("unusable", 410) if session is None else await handler(request, session)

        return route


def _gently(endpoint: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    """The same route, with a page in words where an engine is away."""

    @functools.wraps(endpoint)
    async def route(*args: Any, **given: Any) -> Response:
        try:
            return await endpoint(*args, **given)
        except (Unavailable, PyMongoError):
            return page("later", 503)

    return route


def _to(path: str) -> Response:
    """See other: always a path of ours, never what a request said."""
    return RedirectResponse(path, status_code=303, headers=HEADERS)


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"
