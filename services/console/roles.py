"""Who may do what: one table of roles and abilities. Every route names the ability it needs; nothing else decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What an account is for."""

    VIEWER = "viewer"
    """Looks at the system, at no person."""
    OPERATOR = "operator"
    """Keeps it running."""
    DPO = "dpo"
    """Answers for the processing (RGPD 37 to 39): sees persons' records and what was done with them."""


class Ability(StrEnum):
    """What a route needs."""

    SEE = "see"
    """How the system stands: no personal data."""
    PERSON = "person"
    """Search a person and read the history of a record."""
    PROOF = "proof"
    """Download a proof, with the personal data it discloses."""
    LETTERS = "letters"
    """Open, replay and drop dead letters: clear personal data."""
    ACT = "act"
    """Move what is stuck: resolve, retry, answer a review."""
    DECIDE = "decide"
    """What only the DPO decides: disputes, breaches."""
    AUDIT = "audit"
    """Read what was done in the console."""


_ALL = frozenset(Ability)
TABLE: Mapping[Role, frozenset[Ability]] = {
    Role.VIEWER: frozenset({Ability.SEE}),
    Role.OPERATOR: _ALL - {Ability.DECIDE},
    Role.DPO: _ALL - {Ability.LETTERS, Ability.ACT},
}


def allows(role: Role, ability: Ability) -> bool:
    """Whether a role has an ability."""
    return ability in TABLE[role]
