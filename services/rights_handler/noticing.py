"""The notice that goes with a yes: the facts of a ruling and of the registry, put into the French text of RGPD 14."""

from __future__ import annotations

from dataclasses import dataclass

from services.rights_handler.permissions import Question, Ruling
from services.rights_handler.sending.notice import Company, Notice, NoticeFacts, notice_fr
from services.rights_handler.teller import Registry
from services.rights_handler.tokens import Reference, Tokens
from shared.instants import parse_instant


@dataclass(frozen=True, slots=True)
class Noticing:
    """Writes notices. `public_url`: base address of one-click links."""

    registry: Registry
    tokens: Tokens
    public_url: str

    def of(self, question: Question, ruling: Ruling) -> Notice | None:
        """The information to attach, where it is owed."""
        grant, line, permission = ruling.grant, ruling.line, ruling.answer.permission
        if grant is None or line is None or permission is None or not ruling.answer.attach_notice:
            return None
        token = self.tokens.make(Reference(grant.record, question.recipient))
        return notice_fr(
            NoticeFacts(
                recipient=self._company(question.recipient),
                collector=self._company(grant.collector),
                via=tuple(self._company(party).legal_name for party in grant.via),
                channel=question.channel,
                purpose=question.purpose,
                basis=line.basis,
                collected_at=parse_instant(grant.collected_at),
                valid_until=permission.valid_until,
                stop_url=f"{self.public_url.rstrip('/')}/u/{token}",
            )
        )

    def _company(self, party: str) -> Company:
        known = self.registry.view.party(party)
        if known is None:
            return Company(party)
        return Company(known.legal_name, known.siren, known.contact_dpo, known.privacy_url)
