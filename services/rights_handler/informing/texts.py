"""The notice of RGPD 14, in French, ready for the first message: one for each use that a record permits a recipient.

Source by its legal name, purpose, basis, categories of data, period, rights, the CNIL; the right to object first and apart, as
21(4) asks (`sending.notice`). Nothing is invented: what the registry does not say is named as lacking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.rights_handler.domain import Decision, Grant
from services.rights_handler.permissions import end_of
from services.rights_handler.sending.notice import Company, Notice, NoticeFacts, notice_fr
from services.rights_handler.teller import Registry
from services.rights_handler.tokens import Reference, Tokens
from shared.instants import parse_instant


@dataclass(frozen=True, slots=True)
class NoticeOf:
    """A notice and the use that it goes with."""

    channel: str
    purpose: str
    sector: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class NoticeTexts:
    """Writes notices. `public_url`: base address of one-click links."""

    registry: Registry
    tokens: Tokens
    public_url: str

    def of(self, grant: Grant, recipient: str, decisions: Sequence[Decision]) -> list[NoticeOf]:
        """The notices of what is permitted to this recipient now; none where nothing is, or where it collected itself."""
        if recipient == grant.collector:
            return []
        link = f"{self.public_url.rstrip('/')}/u/{self.tokens.make(Reference(grant.record, recipient))}"
        permitted = [d.line for d in decisions if d.granted and d.line.recipient == recipient]
        return [
            NoticeOf(
                line.channel, line.purpose, line.sector,
                notice_fr(
                    NoticeFacts(
                        recipient=self._company(recipient), collector=self._company(grant.collector),
                        via=tuple(self._company(party).legal_name for party in grant.via), channel=line.channel,
                        purpose=line.purpose, basis=line.basis, collected_at=parse_instant(grant.collected_at),
                        valid_until=end_of(line), stop_url=link,
                    )
                ),
            )
            for line in permitted
        ]  # fmt: skip

    def _company(self, party: str) -> Company:
        known = self.registry.view.party(party)
        if known is None:
            return Company(party)
        return Company(known.legal_name, known.siren, known.contact_dpo, known.privacy_url)
