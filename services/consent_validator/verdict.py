"""What an assessment says: a verdict, one line per recipient × channel × purpose, and its form in facts. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from services.consent_validator.rules.model import Basis
from shared.instants import format_instant
from shared.registry.view import Reference
from shared.verdicts import KIND, Opened, event_of

CONFIRMED_BY = frozenset({"double_opt_in", "signature"})
"""Acts that confirm a consent, so that a later one may re-open after a stop (architecture.md)."""


class VerdictLine(NamedTuple):
    """What one recipient may rely on. Instants in wire form; `valid_until` is excluded."""

    recipient: str | None
    channel: str
    purpose: str
    sector: str
    object: str | None
    value: str
    verdict: str
    basis: Basis
    valid_from: str
    valid_until: str
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The line as it stands in facts."""
        return {
            "recipient": self.recipient,
            "channel": self.channel,
            "purpose": self.purpose,
            "sector": self.sector,
            "object": self.object,
            "value": self.value,
            "verdict": self.verdict,
            "basis": self.basis,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one event: under which rules, at which registry offset, evaluated at which instant, relying on what.

    `references`: for all lines; `relied`: for each line, what no other recipient's relies on.
    """

    ruleset: str
    ruleset_seq: int
    registry_offset: int
    evaluated_at: datetime
    references: tuple[Reference, ...]
    lines: tuple[VerdictLine, ...]
    relied: tuple[tuple[Reference, ...], ...]
    decisions: tuple[str, ...] = ()
    """Ids of what persons decided about lines in review (`deciding`): each stands in the log itself, for whom it concerns."""

    def as_event(self, consent: Mapping[str, Any], secret: bytes) -> dict[str, Any]:
        """The event of `consent.assessed` for the consent with these facts: facts that commit to each line apart, and the lines.

        `secret`: 32 random bytes, for this verdict alone: what hides the lines from whoever is shown another one.
        """
        lines = [
            {**line.as_dict(), "references": [one.facts for one in relied]}
            for line, relied in zip(self.lines, self.relied, strict=True)
        ]
        return event_of(self._facts(consent), Opened(secret, lines))

    def _facts(self, consent: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "kind": KIND,
            "record": consent["record"],
            "collector": consent["collector"],
            "consent_id": consent["consent_id"],
            "collected_at": consent["collected_at"],
            "received_at": consent["received_at"],
            "confirmed": is_confirmed(consent),
            "via": consent["via"],
            "ruleset": self.ruleset,
            "ruleset_seq": self.ruleset_seq,
            "registry_offset": self.registry_offset,
            "evaluated_at": format_instant(self.evaluated_at),
            "references": [reference.facts for reference in self.references],
            **({"decisions": list(self.decisions)} if self.decisions else {}),
        }


def is_confirmed(consent: Mapping[str, Any]) -> bool:
    """Whether the person confirmed the choice apart (double opt-in or signature)."""
    action = consent["action"]
    return action["confirmed_by"] in CONFIRMED_BY or action["type"] in CONFIRMED_BY
