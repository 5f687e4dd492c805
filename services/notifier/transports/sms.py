"""SMS through an HTTP gateway: any provider's, behind a small adapter that speaks this (README, "SMS gateway")."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from services.notifier.domain import Failed, Outcome, Row, Sent
from shared.contracts.person_messages import Content

REFUSED = frozenset({400, 404, 410, 413, 422})
"""Answers about this message or number: trying again cannot help."""
KNOWN = 409
"""The gateway has this id already: it was taken the first time."""


@dataclass(frozen=True, slots=True)
class SmsGateway:
    """`POST <url>` `{id, to, text}`, bearer token; 2xx or 409 = taken."""

    url: str
    token: str
    timeout: float

    async def send(self, row: Row, content: Content) -> Outcome:
        """Hand over one SMS; `Idempotency-Key` is the message's id."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": row.id}
        body = {"id": row.id, "to": content.to, "text": content.text}
        try:
            async with httpx.AsyncClient(timeout=self.timeout, follow_redirects=False) as client:
                answer = await client.post(self.url, json=body, headers=headers)
        except httpx.HTTPError:
            return Failed("SMS-UNREACHABLE", permanent=False)
        if answer.is_success or answer.status_code == KNOWN:
            return Sent()
        return Failed(f"SMS-{answer.status_code}", permanent=answer.status_code in REFUSED)
