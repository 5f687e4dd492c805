"""Which legal basis a line attempts, as data: the first row that fits (rules.md, "Which basis is possible").

The basis is the one *attempted*, on invalid lines too. Post, a professional's call or named e-mail, and calls for the
press rest on their exception whatever the act; elsewhere `granted` means consent, and `not_objected` claims the exception
that the relationship gives, else consent (and ACT-NONE fires). Exceptions exist for prospecting, not for tracking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.consent_validator.rules.evidence import Line
from services.consent_validator.rules.model import CALL_CONSENT, Basis
from shared.contracts.types import CHANNELS

MAIL_LIKE = frozenset({"email", "sms", "push", "social"})
"""Channels that know a soft opt-in (CPCE L.34-5 al. 4)."""


@dataclass(frozen=True, slots=True)
class BasisRow:
    """One row. None = any. `until`: the row holds only for what is collected *and* used before that day in Paris."""

    basis: Basis
    channels: frozenset[str]
    source: str
    audience: str | None = None
    sector: str | None = None
    value: str | None = None
    claim: str | None = None
    """`generic_mailbox`, `contract_in_course` or `relationship`: what must be there for the row to fit."""
    tracking: bool = False
    """Whether the row also fits purposes other than prospecting."""
    until: date | None = None


CALL = frozenset({"call"})
BASIS_TABLE: tuple[BasisRow, ...] = (
    BasisRow("legitimate_interest", frozenset({"post"}), "RGPD 6(1)(f); CNIL", tracking=True),
    BasisRow("none", frozenset({"email"}), "CNIL", audience="professional", claim="generic_mailbox"),
    BasisRow("legitimate_interest", frozenset({"email"}), "CNIL", audience="professional"),
    BasisRow("legitimate_interest", CALL, "RGPD 6(1)(f)", audience="professional"),
    BasisRow("legitimate_interest", CALL, "C. conso. L.223-1 before 2026-08-11", until=CALL_CONSENT),
    BasisRow("press_exemption", CALL, "C. conso. L.223-5", sector="press"),
    BasisRow("contract_in_course", CALL, "C. conso. L.223-1", value="not_objected", claim="contract_in_course"),
    BasisRow("soft_opt_in", MAIL_LIKE, "CPCE L.34-5 al. 4", value="not_objected", claim="relationship"),
)
"""Where no row fits: consent (RGPD 6(1)(a); CPCE L.34-5; C. conso. L.223-1; loi Informatique et Libertés art. 82)."""


_BY_CHANNEL: Mapping[str, tuple[BasisRow, ...]] = {
    channel: tuple(row for row in BASIS_TABLE if channel in row.channels) for channel in CHANNELS
}


def row_of(line: Line) -> BasisRow | None:
    """The row that a line fits, or None: it needs consent."""
    for row in _BY_CHANNEL[line.channel]:
        if _fits(row, line):
            return row
    return None


def _fits(row: BasisRow, line: Line) -> bool:
    case = line.case
    return (
        (row.tracking or line.purpose == "prospecting")
        and (row.audience is None or row.audience == case.facts["audience"])
        and (row.sector is None or row.sector == line.sector)
        and (row.value is None or row.value == line.value)
        and (row.until is None or (case.collected_day < row.until and case.used_day < row.until))
        and (row.claim is None or _claimed(row.claim, line))
    )


def _claimed(claim: str, line: Line) -> bool:
    case = line.case
    if claim == "generic_mailbox":
        return bool(case.facts["generic_mailbox"])
    if claim == "contract_in_course":
        return case.contract_in_course(line.recipient)
    return case.relationship is not None
