"""Who answers a person: the controllers that the agreements in force at collection name (RGPD 4(7), 26, 28). Pure.

Independent: each answers for its own use. Joint: the person may turn to either (26(3)). Processor: its principal answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.rights_handler.erasing.model import Planned
from services.rights_handler.requests.gathering import Dossier
from services.rights_handler.teller import Registry
from shared.instants import parse_instant
from shared.registry.models import Agreement

ROLES = {
    "collector": "a recueilli vos données et en répond",
    "independent": "a reçu vos données et répond de l’usage qu’elle en fait",
    "joint": "répond, conjointement avec la société qui a recueilli vos données, de leur usage",
    "processor": "agit pour le compte de la société qui a recueilli vos données, laquelle en répond",
    "unknown": "a reçu vos données ; aucun contrat en vigueur n’a été trouvé",
}


@dataclass(frozen=True, slots=True)
class Controller:
    """A company and the part it has."""

    party: str
    legal_name: str
    siren: str | None
    contact: str | None
    role: str
    """`collector`, `independent`, `joint`, `processor`, `unknown`."""

    @property
    def role_fr(self) -> str:
        """In words."""
        return ROLES[self.role]


def controllers(dossier: Dossier, registry: Registry) -> list[Controller]:
    """Everyone who collected or received the person's data, the collectors first."""
    collectors = {one.grant.record: one.grant for one in dossier.found}
    roles: dict[str, str] = {grant.collector: "collector" for grant in collectors.values()}
    for one in dossier.received:
        grant = collectors[one.record]
        if one.party not in roles:
            agreements = registry.view.agreements(grant.collector, one.party)
            roles[one.party] = qualification(agreements, grant.collected_at)
    order = sorted(roles.items(), key=lambda item: (item[1] != "collector", item[0]))
    return [_company(party, role, registry) for party, role in order]


def of_planned(planned: Sequence[Planned], registry: Registry) -> list[Controller]:
    """The same where the records are erased already: whom each concerned is all that is left of them."""
    roles = {
        party: "collector" if one.record.startswith(f"{party}/") else "independent"
        for one in planned
        for party in one.parties
    }
    order = sorted(roles.items(), key=lambda item: (item[1] != "collector", item[0]))
    return [_company(party, role, registry) for party, role in order]


def may_answer(party: str, named: Sequence[Controller]) -> bool:
    """Whether this company may answer for everyone found: the sole collector of the records, or a joint controller of them.

    Where several collected the person's data, none may decide what the others hold: the operator answers.
    """
    roles = {one.party: one.role for one in named}
    sole = list(roles.values()).count("collector") == 1
    return sole and roles.get(party) in ("collector", "joint")


def qualification(agreements: Sequence[Agreement], at: str) -> str:
    """What the agreement in force then says; of several the one that binds most (joint, processor, independent)."""
    day = parse_instant(at).date()
    said = {
        a.qualification for a in agreements if a.valid_from <= day and (a.valid_until is None or day <= a.valid_until)
    }
    return next((one for one in ("joint", "processor", "independent") if one in said), "unknown")


def _company(party: str, role: str, registry: Registry) -> Controller:
    known = registry.view.party(party)
    if known is None:
        return Controller(party, party, None, None, role)
    return Controller(party, known.legal_name, known.siren, known.contact_dpo, role)
