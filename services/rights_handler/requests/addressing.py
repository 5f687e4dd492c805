"""Whom an answer is sent to, and whether what it holds may go there (RGPD 12(6), 32)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.rights_handler.domain import Instant
from services.rights_handler.persons import Persons
from services.rights_handler.requests.gathering import Dossier, Gathering
from services.rights_handler.requests.letters import Addressee, Letters, Written, addressee
from services.rights_handler.requests.model import Letter, Request
from shared.errors import InputError, Problem

_KINDS = {"email": "email", "letter": "post", "sms": "phone"}


@dataclass(frozen=True, slots=True)
class Addressing:
    """Finds addressees and seals letters to them."""

    gathering: Gathering
    letters: Letters
    persons: Persons

    async def target(self, request: Request, dossier: Dossier, to: Addressee | None) -> Addressee:
        """Whom to write to: as told, else the contacts of the request, else those of its records."""
        person: Mapping[str, Any] = await self.gathering.person(request)
        known = [one.document.get("contacts") or () for one in dossier.found if one.document is not None]
        target = to or addressee(person.get("contacts") or (), *known)
        if target is None:
            raise InputError([Problem("REQUEST-ADDRESS", "/to", "nobody can be written to: give an address")])
        return target

    def must_be_the_person(self, request: Request, dossier: Dossier, target: Addressee) -> None:
        """Data goes, or is destroyed, only for a checked identity, or for who reads an address that stands in the records."""
        key = self.persons.contact_key(_KINDS[target.channel], target.to)
        known = {key for one in dossier.found for key in one.grant.contact_keys}
        if dossier.found and not request.verified and key not in known:
            message = "the identity is not checked and this address stands in no record: ask for the identity first"
            raise InputError([Problem("REQUEST-IDENTITY", "/to", message)])

    async def letter(
        self, request: Request, dossier: Dossier, written: Written, to: Addressee | None, now: Instant
    ) -> Letter:
        """A letter to whom it must go, sealed."""
        return await self.letters.seal(request, written, await self.target(request, dossier, to), now)
