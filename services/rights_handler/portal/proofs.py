"""Fetches from the archive, over its own HTTP, what belongs to a person who proved to hold a contact of the record.

The archive is asked as this platform's own service; it makes the bundle for the person (`for=person`): everything about the
consent and its propagation. The picture of a form is the same for everyone. Answers are streamed through, never kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from fastapi.responses import Response

from services.rights_handler.portal.pages import SECURITY

TIMEOUT_S = 20.0
PICTURES = ("image/png", "image/jpeg", "image/webp")
PICTURE_MOST = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Proofs:
    """The archive, as the portal asks it. `url` empty: nothing is offered."""

    url: str
    token: str

    @property
    def offered(self) -> bool:
        """Whether pages show the links."""
        return bool(self.url)

    async def of(self, record: str) -> Response | None:
        """The bundle of a record as a ZIP; None while the archive cannot make it."""
        answer = await self._get(f"/v1/proofs/{record}.zip?for=person")
        if answer is None or answer.status_code != httpx.codes.OK:
            return None
        name = f"preuve-{record.rpartition('/')[2]}.zip"
        headers = {**SECURITY, "Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(answer.content, media_type="application/zip", headers=headers)

    async def picture(self, sha256: str) -> Response | None:
        """A picture by its hash; None where the archive does not have it."""
        answer = await self._get(f"/v1/evidence/{sha256}")
        if answer is None or answer.status_code != httpx.codes.OK or len(answer.content) > PICTURE_MOST:
            return None
        kind = picture_kind(answer.content)
        if kind is None:
            return None
        return Response(answer.content, media_type=kind, headers={**SECURITY, "Cache-Control": "no-store"})

    async def _get(self, path: str) -> httpx.Response | None:
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=TIMEOUT_S, follow_redirects=False) as client:
                return await client.get(path, headers={"Authorization": f"Bearer {self.token}"})
        except httpx.HTTPError:
            return None


def picture_kind(content: bytes) -> str | None:
    """The media type by the first bytes: what is served to a browser is never what somebody called it."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PICTURES[0]
    if content.startswith(b"\xff\xd8\xff"):
        return PICTURES[1]
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PICTURES[2]
    return None
