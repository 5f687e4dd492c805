"""What a rule is: a code, the days it is law, its source, whom it concerns, and a pure check.

A rule is a dated object, never a constant: the consent to calls replaced the opt-out on 2026-08-11, and replaying stored
evidence under another date shows what becomes unsendable (rules.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from shared.registry.balance import INVALID_FROM, REVIEW_FROM

if TYPE_CHECKING:
    from services.consent_validator.rules.evidence import Line

Effect = Literal["invalid", "review"]
Basis = Literal["consent", "soft_opt_in", "contract_in_course", "press_exemption", "legitimate_interest", "none"]
Confidence = Literal["primary", "reported", "unconfirmed"]
"""Primary text read · reported by a secondary source · not confirmed (kept behind a setting)."""

Reads = Literal["place", "event", "line"]
"""`place`: only the registered documents of the line's page and place, its basis, closed words (audience, value, default state,
contact types) and the settings, so that one answer holds for every event there. `event`: only the event and what it cites: one
answer for all its lines. `line`: anything."""

INVALID: Effect = "invalid"
REVIEW: Effect = "review"

CONSENT_ONLY: frozenset[Basis] = frozenset({"consent"})
NOT_NONE: frozenset[Basis] = frozenset(
    {"consent", "soft_opt_in", "contract_in_course", "press_exemption", "legitimate_interest"}
)

GDPR = date(2018, 5, 25)
"""Day from which the RGPD applies."""
LCEN = date(2004, 6, 22)
"""Day from which prospecting by e-mail and automated calls needs consent (CPCE L.34-5)."""
CALL_CONSENT = date(2026, 8, 11)
"""Day from which calls to consumers need consent (C. conso. L.223-1)."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of receipt a collector's clock may be."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the collection phase.

    `effect`: what it does when it fires (`check` may answer the milder or the harder one where the catalogue grades it).
    `applies_from` included, `applies_until` excluded, both days in Paris. `bases`, `channels`, `audience`, `third_party`:
    whom it concerns (None = all). `reads`: what its answer depends on, so that it is asked no oftener than needed.
    """

    code: str
    effect: Effect
    source: str
    confidence: Confidence
    title_fr: str
    title_en: str
    cure_fr: str
    cure_en: str
    check: Callable[[Line], Effect | None]
    applies_from: date = GDPR
    applies_until: date | None = None
    phase: str = "collection"
    bases: frozenset[Basis] | None = None
    channels: frozenset[str] | None = None
    audience: str | None = None
    third_party: bool = False
    reads: Reads = "line"

    def in_force(self, day: date) -> bool:
        """Whether it is law on that day."""
        return self.applies_from <= day and (self.applies_until is None or day < self.applies_until)

    def concerns(self, basis: Basis, channel: str, audience: str, *, third_party: bool) -> bool:
        """Whether it concerns such a line."""
        return (
            (self.bases is None or basis in self.bases)
            and (self.channels is None or channel in self.channels)
            and (self.audience is None or audience == self.audience)
            and (third_party or not self.third_party)
        )


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """What the law leaves open or nobody has confirmed, with the cautious default."""

    free_account_is_sale: bool = False
    """Soft opt-in after a free account alone (C-654/23 is read narrowly)."""
    tracker_months: int = 6
    """How long a choice on trackers holds (CNIL recommends six months)."""
    retention_months: int = 36
    """How long any consent holds after collection (délib. 2021-131 reports three years)."""
    housing_calls_banned_from: date = CALL_CONSENT
    """Calls about adapting a home; a secondary source says 2025-07-01."""
    late_after: timedelta = timedelta(hours=24)
    """Evidence that arrives later than this after collection is looked at by a person."""
    unbalanced_review: int = REVIEW_FROM
    unbalanced_invalid: int = INVALID_FROM
    """Scores (0 to 100) from which FORM-UNBALANCED asks for a person, and refuses."""
