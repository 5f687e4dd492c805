"""What a person decided about lines in `review`, applied to a verdict. Pure: the law first, the decision only where it leaves room.

A decision names the line and the codes that were looked at. It lets the line through only where every rule that fires now asks
for a person, each was among those looked at, and none is of those that no examination cures. It never touches a line that a rule
of effect `invalid` refuses. A decision to refuse holds whatever fires later: when in doubt the answer is no (RGPD 5(2), 7(1)).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.consent_validator.rules.model import INVALID, REVIEW
from services.consent_validator.verdict import Verdict, VerdictLine
from shared.contracts.reviews import NOT_DECIDABLE, REVIEW_REFUSED, LineKey, line_key


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """One decision, as the message that asks for the new verdict carries it."""

    id: str
    outcome: str
    """`accept` or `refuse`."""
    reason: str
    codes: frozenset[str]
    """The reasons that were looked at."""
    lines: frozenset[LineKey]
    decided_at: str

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> ReviewDecision:
        """From its wire form. Raises KeyError or TypeError where it has another form."""
        return cls(
            str(raw["id"]), str(raw["outcome"]), str(raw["reason"]), frozenset(raw["codes"]),
            frozenset(line_key(line) for line in raw["lines"]), str(raw["decided_at"]),
        )  # fmt: skip


def decided(verdict: Verdict, decisions: Sequence[ReviewDecision]) -> Verdict:
    """The verdict with these decisions applied; of several on a line the last one counts."""
    if not decisions:
        return verdict
    ordered = sorted(decisions, key=lambda one: (one.decided_at, one.id))
    lines = tuple(_settled(line, _last(line, ordered)) for line in verdict.lines)
    return replace(verdict, lines=lines, decisions=tuple(one.id for one in ordered))


def _last(line: VerdictLine, ordered: Iterable[ReviewDecision]) -> ReviewDecision | None:
    key = line_key(line.as_dict())
    return next((one for one in reversed(list(ordered)) if key in one.lines), None)


def _settled(line: VerdictLine, decision: ReviewDecision | None) -> VerdictLine:
    if decision is None or line.verdict == INVALID:
        return line
    if decision.outcome == "refuse":
        return line._replace(verdict=INVALID, reasons=(*line.reasons, REVIEW_REFUSED))
    fired = set(line.reasons)
    if line.verdict == REVIEW and fired <= decision.codes and not fired & NOT_DECIDABLE:
        return line._replace(verdict="valid", reasons=())
    return line
