"""What the services share about lines in `review`: how a line is named, the reasons of a decision, what no decision cures."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

LineKey = tuple[str | None, str, str, str, str | None]
"""Recipient, channel, purpose, sector, object: what tells the lines of one verdict apart."""

REVIEW_REFUSED = "REVIEW-REFUSED"
"""Reason of a line that a person refused after examination."""

NOT_DECIDABLE = frozenset({"PARTY-SUSPENDED", "AGREEMENT-INCOMPLETE"})
"""Reasons that no examination of the evidence cures: a suspension is lifted, an agreement is completed (RGPD 26, 28(3))."""


class Outcome(StrEnum):
    """What is decided of a line."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class DecisionReason(StrEnum):
    """Why: a closed list, since the decision is archived for ever. The words of the person who decides are sealed beside it."""

    EVIDENCE_CHECKED = "evidence_checked"
    """The pieces (page, capture, list) were examined and confirm the consent."""
    COLLECTOR_EXPLAINED = "collector_explained"
    """The collector explained the anomaly in writing, and the explanation was verified."""
    PERSON_CONFIRMED = "person_confirmed"
    """The person confirmed the choice."""
    EVIDENCE_INSUFFICIENT = "evidence_insufficient"
    """What was given does not prove the consent."""
    COLLECTOR_SILENT = "collector_silent"
    """The collector did not answer in time."""
    PERSON_DENIES = "person_denies"
    """The person says not to have consented."""
    DOUBT_REMAINS = "doubt_remains"
    """The examination did not lift the doubt."""


ACCEPTING = frozenset({
    DecisionReason.EVIDENCE_CHECKED, DecisionReason.COLLECTOR_EXPLAINED, DecisionReason.PERSON_CONFIRMED,
})  # fmt: skip
"""Reasons that can let a line through; the others refuse."""


def line_key(line: Mapping[str, Any]) -> LineKey:
    """The name of a line of a verdict. Raises KeyError where a field is missing."""
    return line["recipient"], line["channel"], line["purpose"], line["sector"], line["object"]
