"""The time machine: stored evidence judged again under the law of another day, against what was said when it was received.

A line *falls* where it was valid at its receipt and is not on that day: nobody may rely on it any longer. It *rises* where it
is the other way round. Nothing is recorded and nothing is sent; no personal data is read. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from services.consent_validator.domain import assess
from services.consent_validator.rules.book import STANDARD, RuleBook
from services.consent_validator.rules.days import start_of
from services.consent_validator.verdict import VerdictLine
from shared.contracts.types import instant
from shared.registry.view import RegistryView

COLUMNS = (
    "record", "collector", "recipient", "channel", "purpose", "sector", "before", "on_day", "basis", "reasons",
)  # fmt: skip
"""Columns of the CSV: nothing in them names a person."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line whose verdict differs on the day."""

    record: str
    collector: str
    before: str
    after: VerdictLine

    @property
    def falls(self) -> bool:
        """Whether it was valid and is not."""
        return self.before == "valid"

    def row(self) -> tuple[str, ...]:
        """Its row in the CSV."""
        line = self.after
        return (
            self.record, self.collector, line.recipient or "", line.channel, line.purpose, line.sector, self.before,
            line.verdict, line.basis, " ".join(line.reasons),
        )  # fmt: skip


@dataclass
class Replay:
    """Judges evidence on a day and counts. `live`: evidence of the running system, where lateness of arrival counts."""

    day: date
    registry: RegistryView
    book: RuleBook = STANDARD
    live: bool = False
    events: int = 0
    lines: int = 0
    sendable_before: int = 0
    sendable_on_day: int = 0
    falls: int = 0
    rises: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    by_collector: Counter[str] = field(default_factory=Counter)
    by_recipient: Counter[str] = field(default_factory=Counter)
    by_channel: Counter[str] = field(default_factory=Counter)
    at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.at = start_of(self.day)

    def take(self, facts: Mapping[str, Any]) -> Iterator[Change]:
        """Judge the facts of one `consent.recorded`; its lines that fall or rise."""
        then = assess(facts, self.registry, instant(facts["received_at"]), self.book, live=self.live).lines
        now = assess(facts, self.registry, self.at, self.book, live=self.live).lines
        self.events += 1
        for before, after in zip(then, now, strict=True):
            self.lines += 1
            was, stands = before.verdict == "valid", after.verdict == "valid"
            self.sendable_before += was
            self.sendable_on_day += stands
            if was == stands:
                continue
            change = Change(facts["record"], facts["collector"], before.verdict, after)
            if was:
                self._count(change)
            else:
                self.rises += 1
            yield change

    def _count(self, change: Change) -> None:
        self.falls += 1
        self.by_reason.update(change.after.reasons)
        self.by_collector[change.collector] += 1
        self.by_recipient[change.after.recipient or ""] += 1
        self.by_channel[change.after.channel] += 1

    def summary(self) -> dict[str, Any]:
        """The counts, the largest first."""
        return {
            "at": self.day.isoformat(),
            "ruleset": self.book.version,
            "events": self.events,
            "lines": self.lines,
            "sendable_before": self.sendable_before,
            "sendable_on_day": self.sendable_on_day,
            "falls": self.falls,
            "rises": self.rises,
            "by_reason": dict(self.by_reason.most_common()),
            "by_collector": dict(self.by_collector.most_common()),
            "by_recipient": dict(self.by_recipient.most_common()),
            "by_channel": dict(self.by_channel.most_common()),
        }
