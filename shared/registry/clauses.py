"""Which clauses an agreement must hold, by how the parties stand to each other (RGPD 26, 28(3), 6(1)(f)). Data."""

from __future__ import annotations

from collections.abc import Mapping

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


def missing_clauses(agreement: Agreement, *, balancing: bool = False) -> frozenset[str]:
    """Clauses that the agreement needs and does not declare; empty where it declares none at all (not known)."""
    if agreement.clauses is None:
        return frozenset()
    needed = REQUIRED[agreement.qualification] | (frozenset({BALANCING}) if balancing else frozenset())
    return needed.difference(agreement.clauses)
