"""Which clauses an agreement must hold, by how the parties stand to each other (RGPD 26, 28(3), 6(1)(f)). Data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from shared.registry.models import Agreement

REQUIRED: Mapping[str, frozenset[str]] = {
    "independent": frozenset(),
    "joint": frozenset({"responsibilities", "essence_available"}),
    "processor": frozenset({
        "instructions", "confidentiality", "security", "sub_processors", "rights_assistance", "compliance_assistance",
        "deletion", "audit",
    }),
}  # fmt: skip
"""Joint controllers: RGPD 26(1) and 26(2). Processor: RGPD 28(3)(a) to (h), one code each."""
BALANCING = "balancing_test"
"""Where legitimate interest is relied on: the written balancing of interests (RGPD 6(1)(f))."""

MEANING: Mapping[str, str] = {
    "responsibilities": "RGPD 26(1): who answers for what",
    "essence_available": "RGPD 26(2): the essence of the arrangement is made available to persons",
    "instructions": "RGPD 28(3)(a)",
    "confidentiality": "RGPD 28(3)(b)",
    "security": "RGPD 28(3)(c)",
    "sub_processors": "RGPD 28(3)(d)",
    "rights_assistance": "RGPD 28(3)(e)",
    "compliance_assistance": "RGPD 28(3)(f)",
    "deletion": "RGPD 28(3)(g)",
    "audit": "RGPD 28(3)(h)",
    BALANCING: "RGPD 6(1)(f): the written balancing of interests",
}
WARNED_BEFORE = (60, 30, 7)
"""Days before the end of an agreement at which it is told."""


def days_left(agreement: Agreement, versions: Sequence[Agreement], today: date) -> int | None:
    """Days until an agreement's last day (0 = today, negative = over); None where it has no end or a later version takes over."""
    end = agreement.valid_until
    if end is None:
        return None
    renewed = any(
        later.id == agreement.id and later.version > agreement.version and later.valid_from <= end + timedelta(days=1)
        for later in versions
    )
    return None if renewed else (end - today).days


def missing_clauses(agreement: Agreement, *, balancing: bool = False) -> frozenset[str]:
    """Clauses that the agreement needs and does not declare; empty where it declares none at all (not known)."""
    if agreement.clauses is None:
        return frozenset()
    needed = REQUIRED[agreement.qualification] | (frozenset({BALANCING}) if balancing else frozenset())
    return needed.difference(agreement.clauses)
