"""The proof that a disputed consent is owed (RGPD 7(1)): asked of its collector within its agreement's `proof_sla`, and given.

The archive makes it; the collector owes what the archive does not hold. Both are the collector's obligation until answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import httpx

from services.rights_handler.domain import Instant
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.moments import duration
from services.rights_handler.ports import Obligation
from services.rights_handler.requests.gathering import Dossier, Found
from services.rights_handler.requests.letters import MOST_ATTACHED, Attachment
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.ports import Proofs
from services.rights_handler.teller import Registry
from shared.errors import Unavailable
from shared.instants import format_instant, parse_instant

DEFAULT_SLA = timedelta(hours=24)
"""Where no agreement says how soon a proof is had."""
TIMEOUT_S = 20.0
ZIP = "application/zip"


class ArchiveProofs:
    """`ports.Proofs` over the archive's HTTP. `token`: the operator's, so that the proof is whole."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url.rstrip("/"), {"Authorization": f"Bearer {token}"}

    async def bundle(self, record: str) -> bytes | None:
        """`GET /v1/proofs/{record}.zip`; None where the archive has none, or not under a checkpoint yet."""
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, headers=self._headers, trust_env=False) as client:
                answer = await client.get(f"{self._url}/v1/proofs/{record}.zip")
        except httpx.HTTPError as error:
            raise Unavailable("the archive does not answer") from error
        if answer.is_server_error:
            raise Unavailable("the archive gives no proof now")
        return answer.content if answer.status_code == HTTPStatus.OK else None


@dataclass(frozen=True, slots=True)
class Proving:
    """Asks for proofs, and attaches them."""

    proofs: Proofs
    registry: Registry
    ledger: MongoLedger
    proof_url: str

    async def demand(self, request: Request, dossier: Dossier) -> None:
        """One obligation of each collector and record, due within the shortest `proof_sla` of its agreements."""
        await self.ledger.open_obligations([self._owed(request, one) for one in dossier.found])

    async def close(self, request: Request, dossier: Dossier, now: Instant) -> None:
        """The person has been answered."""
        await self.ledger.close_obligations([f"{_prefix(request)}{record}" for record in dossier.records], now)

    async def bundles(self, dossier: Dossier) -> tuple[Attachment, ...]:
        """The proofs of these records, as many as one message carries; the answer names the others by their links."""
        attached: list[Attachment] = []
        size = 0
        for one in dossier.found:
            content = await self.proofs.bundle(one.grant.record)
            if content is not None and size + len(content) <= MOST_ATTACHED:
                attached.append((f"preuve-{one.grant.record.replace('/', '-')}.zip", ZIP, content))
                size += len(content)
        return tuple(attached)

    def within(self, one: Found) -> timedelta:
        """How soon the proof of a record is had."""
        parties = {line.recipient for line in one.grant.lines if line.recipient is not None}
        agreed = [
            duration(agreement.proof_sla)
            for party in sorted(parties)
            for agreement in self.registry.view.agreements(one.grant.collector, party)
            if agreement.proof_sla is not None
        ]
        return min(agreed, default=DEFAULT_SLA)

    def _owed(self, request: Request, one: Found) -> Obligation:
        due = format_instant(parse_instant(request.received_at) + self.within(one))
        return Obligation(
            id=f"{_prefix(request)}{one.grant.record}",
            kind="proof",
            owner=one.grant.collector,
            cause=f"the person says it never consented: the proof is due ({self.proof_url}/v1/proofs/{one.grant.record})",
            opened_at=request.received_at,
            due_at=due,
            next_at=due,
            refs=(("request", request.id), ("party", one.grant.collector), ("record", one.grant.record)),
        )


def _prefix(request: Request) -> str:
    return f"proof/{request.id}/"
