"""`/me/s/<session>`: the pages of a person who proved to hold a contact. Every act is a POST with the token in its path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.rights_handler.kinds import RELAYED
from services.rights_handler.portal.access import Access, Session
from services.rights_handler.portal.acting import DETAILS_LONGEST, Acting
from services.rights_handler.portal.pages import page
from services.rights_handler.portal.proofs import Proofs
from services.rights_handler.portal.reading import Reading
from services.rights_handler.portal.routing import gently, see
from services.rights_handler.portal.words import RIGHTS
from shared.contracts.types import CHANNELS
from shared.posted import first, read_form

Handler = Callable[[Request, Session], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Inside:
    """The routes behind the proof, and what they need."""

    access: Access
    acting: Acting
    reading: Reading
    proofs: Proofs

    def addsee(self, router: APIRouter) -> None:
        """All routes of a session."""
        for method, path, handler in (
            ("GET", "", self.dossier), ("GET", "/suivi", self.follow), ("POST", "/retrait", self.withdraw),
            ("GET", "/droits", self.rights), ("POST", "/droits", self.claim), ("GET", "/preuve/{record:path}", self.proof),
            ("GET", "/page/{record:path}", self.picture), ("POST", "/fin", self.leave),
        ):  # fmt: skip
            router.add_api_route(
                f"/me/s/{{token}}{path}", gently(self._inside(handler)), methods=[method], response_model=None
            )

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
        lost = (fields.get("societe") and not parties) or (fields.get("moyen") and not channels)
        if not everything and (lost or not (parties or channels)):  # never wider than what was ticked
            error = "Cochez au moins une société ou un moyen, ou utilisez le bouton « Tout retirer »."
            return page("dossier", 422, session=session, shown=shown, offered=self.proofs.offered, choice_error=error)
        asked = [await self.acting.stop(session.contact, session.contact_key, recipients=parties, channels=channels)]
        if first(fields, "effacer") == "1":
            asked.append(await self.acting.request(session.contact, session.contact_key, "erasure"))
        await self.access.note(session, asked)
        return see(f"/me/s/{session.token}/suivi")

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

    def _inside(self, handler: Handler) -> Callable[[Request, str], Awaitable[Response]]:
        """A route of a session: without one, the page that says how to have one."""

        async def route(request: Request, token: str) -> Response:
            session = await self.access.session(token)
            return page("unusable", 410) if session is None else await handler(request, session)

        return route
