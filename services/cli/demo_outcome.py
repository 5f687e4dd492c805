"""What a demonstration found, gathered in one place, and its form for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.cli.demo_log import Archive
from services.cli.demo_picture import Picture
from services.cli.demo_promises import Promise
from services.cli.demo_reach import Follow


@dataclass(slots=True)
class Outcome:
    """All that a demonstration found."""

    seen: Picture
    archive: Archive
    follow: Mapping[str, Follow]
    behaviours: Mapping[str, str]
    names: Mapping[str, str]
    prospectors: Sequence[str]
    statuses: Mapping[str, int]
    promises: list[Promise] = field(default_factory=list)
    proof: Path | None = None
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        """Were all promises kept?"""
        return all(one.kept for one in self.promises)

    @property
    def late(self) -> list[str]:
        """Parties that still owe an answer."""
        return sorted(self.names.get(party, party) for party, one in self.follow.items() if one.open)


def quantile(values: Sequence[int], share: float) -> int | None:
    """Nearest-rank quantile, None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def permissions_by_party(outcome: Outcome) -> dict[str, Counter[str]]:
    """Prospecteur → granted by channel, and `refused` in all."""
    counts = {party: Counter[str]() for party in outcome.prospectors}
    for (party, _, channel, _), told in outcome.seen.permissions.items():
        counts.setdefault(party, Counter())[channel if told[0][0] == "granted" else "refused"] += 1
    return counts


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The same for programs."""
    lines = [line for facts in outcome.seen.verdicts.values() for line in facts["lines"]]
    told = [ms for one in outcome.follow.values() for ms in one.told_ms]
    return {
        "kept": outcome.kept,
        "seconds": round(outcome.seconds, 1),
        "inputs": dict(outcome.statuses),
        "verdicts": Counter(line["verdict"] for line in lines),
        "reasons": Counter(code for line in lines for code in line["reasons"]),
        "permissions": permissions_by_party(outcome),
        "withdrawals": {
            "orders": len(outcome.seen.orders),
            "told_ms": {"p50": quantile(told, 0.5), "p99": quantile(told, 0.99)},
            "late": outcome.late,
            "parties": {
                party: {"orders": one.orders, "open": one.open, "reminders": one.reminders, "answers": one.answers}
                for party, one in outcome.follow.items()
            },
        },
        "log": [
            {"origin": log.origin, "size": log.size, "checkpoints": log.checkpoints} for log in outcome.archive.logs
        ],
        "promises": [
            {"promise": one.key, "kept": one.kept, **one.detail, "faults": list(one.faults)} for one in outcome.promises
        ],
        "proof": str(outcome.proof) if outcome.proof else None,
    }
