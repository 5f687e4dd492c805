"""What the agreements promise (`proof_sla`), and the form in which measured times are kept. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.metrics import SLA_SECONDS
from shared.registry.view import RegistryView

PARIS = ZoneInfo("Europe/Paris")
"""Agreements are dated by days in Paris."""
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?)?")
"""ISO 8601, days and times only, as the registry admits."""


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Whom a time is measured for: a collector, who asks for the proof (a prospecteur, or what another asker is), a month."""

    collector: str
    party: str
    month: str


@dataclass(slots=True)
class Tally:
    """Times of one pair, in milliseconds: how many, their sum, the longest, per bucket of `SLA_SECONDS`, and the late ones."""

    count: int = 0
    total: int = 0
    worst: int = 0
    late: int = 0
    first_late: datetime | None = None
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, ms: int, promised: timedelta | None, at: datetime) -> bool:
        """Count one time, measured at `at`. Whether it is longer than promised."""
        self.count, self.total, self.worst = self.count + 1, self.total + ms, max(self.worst, ms)
        bucket = bisect_left(SLA_SECONDS, ms / 1000)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        is_late = promised is not None and ms > promised / timedelta(milliseconds=1)
        if is_late:
            self.late += 1
            self.first_late = min(self.first_late or at, at)
        return is_late


def duration(text: str) -> timedelta:
    """The length of `PT24H` or `P14D`. Raises ValueError for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise ValueError("not a duration of days and times")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def promised(registry: RegistryView, collector: str, party: str, day: date) -> timedelta | None:
    """The shortest time that the agreements between the two promise on a day in Paris; None where none does."""
    found = [
        duration(agreement.proof_sla)
        for agreement in registry.agreements(collector, party)
        if agreement.proof_sla is not None and str(agreement.valid_from) <= day.isoformat()
        and (agreement.valid_until is None or day.isoformat() <= str(agreement.valid_until))
    ]  # fmt: skip
    return min(found, default=None)


def pair_of(collector: str, party: str, at: datetime) -> Pair:
    """The pair of a measure taken at an instant."""
    return Pair(collector, party, f"{at.astimezone(PARIS):%Y-%m}")


def day_of(at: datetime) -> date:
    """The day in Paris."""
    return at.astimezone(PARIS).date()


def recipients_of(lines: Iterable[Mapping[str, Any]]) -> set[str]:
    """The prospecteurs of a verdict's lines that the person did not refuse."""
    return {line["recipient"] for line in lines if line.get("value") != "refused" and line.get("recipient")}


def quantile(buckets: Mapping[int, int], part: float) -> float | None:
    """An upper bound, in seconds, of the time that this part of all took; None where nothing was measured or none is."""
    total, seen = sum(buckets.values()), 0
    bounds: Sequence[float] = SLA_SECONDS
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= part * total:
            return bounds[bucket] if bucket < len(bounds) else None
    return None
