"""Reads what a service's `/metrics` says, and keeps counters that only grow, whatever is started again. Pure."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

Series = tuple[str, str]
"""A metric's name and the value of its one label of interest."""
WANTED: Mapping[str, str] = {
    "opposable_receipts_total": "status",
    "opposable_records_total": "group",
    "opposable_verdict_lines_total": "verdict",
    "opposable_verdict_reasons_total": "reason",
    "opposable_dead_total": "code",
    "opposable_log_entries_total": "topic",
    "opposable_orders_total": "reminder",
}
"""Counters that pages show, by the label they are told apart by."""
PROOF = "opposable_proof_sla_seconds_bucket"
"""Its label `le`, where `what` is `available`."""
KEPT = 400
"""Samples remembered."""


def read(text: str) -> dict[Series, float]:
    """The counters of interest of one process. Raises ValueError where the text is no exposition."""
    found: dict[Series, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            label = WANTED.get(sample.name)
            if label is not None:
                found[sample.name, sample.labels.get(label, "")] = sample.value
            elif sample.name == PROOF and sample.labels.get("what") == "available":
                found[PROOF, sample.labels["le"]] = sample.value
    return found


@dataclass(slots=True)
class Counters:
    """Sums over all processes. A process that starts again counts on from where its last life ended."""

    last: dict[str, dict[Series, float]] = field(default_factory=dict)
    grown: dict[Series, float] = field(default_factory=dict)
    samples: deque[tuple[float, dict[Series, float]]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def take(self, at: float, processes: Mapping[str, Mapping[Series, float]]) -> None:
        """Add a look at the processes that answered; `at` in seconds of a clock that never goes back."""
        for process, now in processes.items():
            before = self.last.get(process)
            for series, value in now.items():
                known = value if before is None else before.get(series, 0.0)
                self.grown[series] = self.grown.get(series, 0.0) + (value - known if value >= known else value)
            self.last[process] = dict(now)
        self.samples.append((at, dict(self.grown)))

    def totals(self, name: str) -> dict[str, float]:
        """What the processes of now have counted since each was started, by label."""
        found: dict[str, float] = {}
        for now in self.last.values():
            for (metric, label), value in now.items():
                if metric == name:
                    found[label] = found.get(label, 0.0) + value
        return found

    def growth(self, name: str, seconds: float) -> dict[str, float]:
        """How much each label has grown over the last so many seconds."""
        if not self.samples:
            return {}
        end, now = self.samples[-1]
        start = next(grown for at, grown in self.samples if at >= end - seconds)
        return {
            label: value - start.get((metric, label), 0.0) for (metric, label), value in now.items() if metric == name
        }

    def rate(self, name: str, seconds: float) -> float | None:
        """Per second, all labels together; None before there are two looks."""
        inside = [at for at, _ in self.samples if at >= self.samples[-1][0] - seconds]
        if len(inside) < 2 or inside[-1] <= inside[0]:  # noqa: PLR2004 - a rate needs two
            return None
        return sum(self.growth(name, seconds).values()) / (inside[-1] - inside[0])

    def curve(self, name: str, points: int) -> list[float]:
        """Rates between the looks remembered, the oldest first, at most so many."""
        sums = [(at, sum(v for (metric, _), v in grown.items() if metric == name)) for at, grown in self.samples]
        found = [
            (after - before) / (end - start)
            for (start, before), (end, after) in itertools.pairwise(sums) if end > start
        ]  # fmt: skip
        return found[-points:]


def quantile(buckets: Mapping[str, float], part: float) -> float | None:
    """An upper bound, in seconds, of what this part of all took; None where nothing was measured, or it is beyond all buckets."""
    ordered = sorted((float(le), count) for le, count in buckets.items())
    total = ordered[-1][1] if ordered else 0.0
    if total <= 0:
        return None
    bound = next(le for le, count in ordered if count >= part * total)
    return None if bound == float("inf") else bound


def highest(counts: Mapping[str, float], most: int) -> list[tuple[str, float]]:
    """The labels with the largest counts, none without any."""
    found: Iterable[tuple[str, float]] = ((label, count) for label, count in counts.items() if count > 0)
    return sorted(found, key=lambda one: (-one[1], one[0]))[:most]
