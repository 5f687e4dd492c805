"""A decision about lines in `review`, and the rules it must keep. Pure.

A decision concerns one record and one recipient, so that its entry in the log is shown to whom it concerns and nobody else. What
the person who decides writes is sealed under the record's key, as all that may name somebody; the log holds a commitment to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.rights_handler import messages
from services.rights_handler.domain import Grant, Instant, Line
from services.rights_handler.former import NAMED_BY, Name, name_of
from shared import canonical
from shared.contracts.reviews import ACCEPTING, NOT_DECIDABLE, DecisionReason, Outcome
from shared.kafka.publisher import Outgoing
from shared.problems import Refusal
from shared.topics import DELIVERIES

KIND = "review.decided"
NOTE = "/note"
ANSWERED_WITHIN = timedelta(hours=1)
"""Within this the new verdict must be there; else it is an operator's matter."""


@dataclass(frozen=True, slots=True)
class Made:
    """One decision. `commitment`: of the sealed note, None where nothing was written."""

    id: str
    record: str
    recipient: str | None
    lines: tuple[Name, ...]
    outcome: Outcome
    reason: DecisionReason
    author: str
    """A role or function, such as `dpo`: an archived act names no person."""
    codes: tuple[str, ...]
    decided_at: Instant
    commitment: str | None = None

    @property
    def wire(self) -> dict[str, Any]:
        """What the question for a new verdict carries."""
        return {
            "id": self.id, "outcome": self.outcome.value, "reason": self.reason.value, "codes": list(self.codes),
            "lines": [dict(zip(NAMED_BY, name, strict=True)) for name in self.lines], "decided_at": self.decided_at,
        }  # fmt: skip


def decisions_on(
    grant: Grant, wanted: Collection[Name], outcome: Outcome, reason: DecisionReason, author: str, now: Instant
) -> list[Made]:
    """The decisions, one for each recipient. `wanted` empty: every line in review.

    Raises Refusal 409 where a line is not in review, or where no examination can let it through; 422 where the reason does
    not go with the outcome.
    """
    if (outcome is Outcome.ACCEPT) != (reason in ACCEPTING):
        raise Refusal(422, "REVIEW-REASON", "This reason does not go with this outcome")
    waiting = {name_of(line): line for line in grant.lines if line.verdict == "review"}
    if not waiting or not set(wanted) <= waiting.keys():
        raise Refusal(409, "REVIEW-NOT-OPEN", "These lines are not in review (any more): look again")
    chosen = [line for name, line in waiting.items() if not wanted or name in wanted]
    stuck = sorted({code for line in chosen for code in line.reasons} & NOT_DECIDABLE)
    if outcome is Outcome.ACCEPT and stuck:
        raise Refusal(
            409, "REVIEW-NOT-DECIDABLE", f"No examination cures {', '.join(stuck)}: lift the suspension, or complete the agreement"
        )  # fmt: skip
    by_recipient: dict[str | None, list[Line]] = {}
    for line in chosen:
        by_recipient.setdefault(line.recipient, []).append(line)
    return [_made(grant, recipient, lines, outcome, reason, author, now) for recipient, lines in by_recipient.items()]


def _made(
    grant: Grant, recipient: str | None, lines: Sequence[Line], outcome: Outcome, reason: DecisionReason, author: str,
    now: Instant,
) -> Made:  # fmt: skip
    names = tuple(sorted((name_of(line) for line in lines), key=str))
    cause = canonical.dumps([grant.record, grant.vid, outcome.value, [list(name) for name in names]])
    identity = hashlib.sha256(b"review\0" + cause).hexdigest()[:40]  # deciding the same of one verdict twice is once
    codes = tuple(sorted({code for line in lines for code in line.reasons}))
    return Made(identity, grant.record, recipient, names, outcome, reason, author, codes, now)


def fact(made: Made) -> Outgoing:
    """The entry that archives a decision: shown to the recipient it concerns, the collector, auditors and the operator."""
    facts: dict[str, Any] = {
        "kind": KIND, "v": 1, "record": made.record, "party": made.recipient, "decision": made.id,
        "outcome": made.outcome.value, "reason": made.reason.value, "author": made.author, "codes": list(made.codes),
        "lines": made.wire["lines"], "decided_at": made.decided_at,
    }  # fmt: skip
    if made.commitment is not None:
        facts["commitments"] = {NOTE: made.commitment}
    headers = messages.headers_of(messages.event_id(KIND, made.id), f"opposable.{KIND}.v1")
    return Outgoing(DELIVERIES.name, made.record.encode(), canonical.dumps({"facts": facts}), headers)
