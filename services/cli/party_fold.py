"""How a party folds what it is told: permission is a function of two sets, never of the order in which they arrive.

`out.<party>.permissions` and `.withdrawals` are two topics, so a stop may come before the permission it covers: it is kept
and compared by date. A line may be used at `t` iff its latest word is a grant with `collected_at ≤ t < valid_until` and no
stop at or after `collected_at` covers it; ties go to the stop. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.platform import PERMISSION_ENDED, PERMISSION_GRANTED, PERMISSION_REFUSED
from shared.instants import parse_instant

LineId = tuple[str, str, str, str]
"""Record, channel, purpose, sector."""


@dataclass(frozen=True, slots=True)
class Line:
    """The latest word on one line. `valid_until` is None where it is no grant."""

    consent: str
    contacts: frozenset[str]
    channel: str
    purpose: str
    collected_at: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Halt:
    """One stop order, reminders folded into it. `channels`, `purposes`: None = all."""

    consents: frozenset[str]
    contacts: frozenset[str]
    channels: frozenset[str] | None
    purposes: frozenset[str] | None
    at: datetime

    def covers(self, line: Line) -> bool:
        """Whether the order forbids the line."""
        concerned = line.consent in self.consents or bool(line.contacts & self.contacts)
        in_scope = (self.channels is None or line.channel in self.channels) and (
            self.purposes is None or line.purpose in self.purposes
        )
        return concerned and in_scope and self.at >= line.collected_at


@dataclass(frozen=True, slots=True)
class Question:
    """May this person be contacted: by consent or by match key, on one channel, for one purpose."""

    channel: str
    purpose: str
    consent: str | None = None
    contact: str | None = None

    def about(self, line: Line) -> bool:
        """Whether a line answers it."""
        named = line.consent == self.consent if self.consent is not None else self.contact in line.contacts
        return named and (line.channel, line.purpose) == (self.channel, self.purpose)


class PartyFold:
    """Everything one party was told."""

    def __init__(self) -> None:
        self._lines: dict[LineId, Line] = {}
        self._halts: dict[str, Halt] = {}
        self.refused = 0
        """Lines whose latest word is no grant."""

    def permission(self, event_type: str, data: Mapping[str, Any]) -> None:
        """Fold an event of `out.<party>.permissions`. They arrive in order per record; the last word on a line counts."""
        if event_type not in {PERMISSION_GRANTED, PERMISSION_REFUSED, PERMISSION_ENDED}:
            return
        granted = event_type == PERMISSION_GRANTED
        key = (data["record"], data["channel"], data["purpose"], data["sector"])
        before = self._lines.get(key)
        self._lines[key] = Line(
            consent=data["consent_id"],
            contacts=_keys(data),
            channel=data["channel"],
            purpose=data["purpose"],
            collected_at=parse_instant(data["collected_at"]),
            valid_until=parse_instant(data["valid_until"]) if granted else None,
        )
        self.refused += int(not granted) - int(before is not None and before.valid_until is None)

    def order(self, data: Mapping[str, Any]) -> bool:
        """Fold an event of `out.<party>.withdrawals`. True when the order is new (a reminder repeats it)."""
        new = data["order_id"] not in self._halts
        self._halts[data["order_id"]] = Halt(
            consents=frozenset(data.get("consent_ids", ())),
            contacts=_keys(data),
            channels=_scope(data["channels"]),
            purposes=_scope(data["purposes"]),
            at=parse_instant(data["at"]),
        )
        return new

    @property
    def orders(self) -> int:
        """Stop orders known."""
        return len(self._halts)

    def granted(self, now: datetime) -> int:
        """Lines granted and in force at `now`, stops left aside."""
        return len(self._in_force(now))

    def allowed(self, now: datetime) -> int:
        """Lines that may be used at `now`."""
        halts = list(self._halts.values())
        return sum(1 for line in self._in_force(now) if not any(halt.covers(line) for halt in halts))

    def may(self, question: Question, now: datetime) -> bool:
        """Whether a line in force at `now` answers the question and no stop covers it."""
        halts = list(self._halts.values())
        lines = [line for line in self._in_force(now) if question.about(line)]
        return any(not any(halt.covers(line) for halt in halts) for line in lines)

    def knows(self, data: Mapping[str, Any]) -> bool:
        """Whether an order concerns a line that was ever told."""
        consents, contacts = frozenset(data.get("consent_ids", ())), _keys(data)
        return any(line.consent in consents or bool(line.contacts & contacts) for line in self._lines.values())

    def _in_force(self, now: datetime) -> list[Line]:
        return [
            line
            for line in self._lines.values()
            if line.valid_until is not None and line.collected_at <= now < line.valid_until
        ]


def _keys(data: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(key["key"] for key in data.get("match_keys", ()))


def _scope(value: Any) -> frozenset[str] | None:
    return None if value == "all" else frozenset(value)
