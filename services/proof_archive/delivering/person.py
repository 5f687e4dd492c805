"""The person's own proof: who proves to be the person of a record is entitled to all that concerns it (RGPD 15).

How a person proves it is the portal's: it gives out tickets (`shared.tickets`), which the archive reads. What another person
wrote (a stop by someone who shares a phone) and contracts between companies are not theirs, and stay withheld.
"""

from __future__ import annotations

from typing import Protocol

from services.proof_archive.bundles.manifest import Audience

PERSON = Audience(scope="person")
"""For whom a proof is made when the person asks."""


class PersonTokens(Protocol):
    """Reads what a person presents."""

    async def record_of(self, token: str) -> str | None:
        """The record (`<collector>/<consent id>`) that it opens; None where it is not ours, or no longer good."""
        ...
