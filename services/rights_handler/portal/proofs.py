"""Fetches from the archive, over its own HTTP, what belongs to a person who proved to hold a contact of the record.

A proof is asked for with a ticket (`shared.tickets`) of a few minutes, which the archive takes for the person: all about the
consent and its propagation, nothing that others wrote. The picture of a form is the same for everyone; it is asked for as
this platform's own service. Answers are handed on, never kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import httpx
from fastapi.responses import Response

from services.rights_handler.portal.pages import SECURITY
from shared.tickets import Tickets

TIMEOUT_S = 30.0
GOOD_FOR = timedelta(minutes=2)
"""Of a ticket: it is used at once, and never leaves this process but to the archive."""
PICTURE_MOST = 20 * 1024 * 1024
MEDIA = {"pdf": "application/pdf", "zip": "application/zip"}
Form = Literal["pdf", "zip"]


@dataclass(frozen=True, slots=True)
class Proofs:
    """The archive, as the portal asks it. `url` empty: nothing is offered."""

    url: str
    token: str
    tickets: Tickets

    @property
    def offered(self) -> bool:
        """Whether pages show the links."""
        return bool(self.url)

    async def of(self, record: str, form: Form) -> Response | None:
        """The proof of a record, to read (PDF) or to verify (ZIP); None while the archive cannot make it."""
        ticket = self.tickets.make(record, GOOD_FOR)
        answer = await self._get(f"/v1/persons/{ticket}.{form}", {})
        if answer is None or answer.status_code != httpx.codes.OK:
            return None
        name = f"preuve-{record.rpartition('/')[2]}.{form}"
        headers = {**SECURITY, "Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(answer.content, media_type=MEDIA[form], headers=headers)

    async def picture(self, sha256: str) -> Response | None:
        """A picture by its hash; None where the archive does not have it, or it is no picture."""
        answer = await self._get(f"/v1/evidence/{sha256}", {"Authorization": f"Bearer {self.token}"})
        if answer is None or answer.status_code != httpx.codes.OK or len(answer.content) > PICTURE_MOST:
            return None
        kind = picture_kind(answer.content)
        if kind is None:
            return None
        return Response(answer.content, media_type=kind, headers={**SECURITY, "Cache-Control": "no-store"})

    async def _get(self, path: str, headers: dict[str, str]) -> httpx.Response | None:
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=TIMEOUT_S, follow_redirects=False) as client:
                return await client.get(path, headers=headers)
        except httpx.HTTPError:
            return None


def picture_kind(content: bytes) -> str | None:
    """The media type by the first bytes: what is served to a browser is never what somebody called it."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None
