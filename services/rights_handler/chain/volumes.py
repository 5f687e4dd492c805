"""What a batch of verdicts adds to the volumes of the chain. Pure.

Only the first verdict of a record counts (it is evaluated at the record's receipt): what is assessed again was counted. Volumes
are kept by partition of the topic, with the offset they are counted up to, so that a batch that is redone counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from math import ceil
from typing import Any, NamedTuple

NO_LIST = ""
"""A consent that cites no list: the collector's own prospecting, or recipients named one by one."""


class Place(NamedTuple):
    """One edge of the chain, on one partition. `list`: `<id>:<version>`."""

    partition: int
    collector: str
    list: str
    recipient: str

    @property
    def id(self) -> str:
        """Its identity in the database."""
        return f"{self.partition}|{self.collector}|{self.list}|{self.recipient}"


@dataclass(slots=True)
class Added:
    """What records add to one edge: the verdicts of each by its offset, so that those counted before can be left out."""

    by_offset: dict[int, list[str]] = field(default_factory=dict)
    last_at: str = ""

    def beyond(self, upto: int) -> Counter[str]:
        """What is added by records after an offset."""
        new = [verdicts for offset, verdicts in self.by_offset.items() if offset > upto]
        counts = Counter(chain.from_iterable(new))
        return counts + Counter(consents=len(new))

    @property
    def end(self) -> int:
        """The last offset counted."""
        return max(self.by_offset)


def added(batch: Iterable[tuple[int, int, Mapping[str, Any]]]) -> dict[Place, Added]:
    """Volumes by edge of (partition, offset, facts of a verdict)."""
    found: dict[Place, Added] = {}
    for partition, offset, facts in batch:
        if facts["evaluated_at"] != facts["received_at"]:
            continue
        cited = next((r["key"][5:] for r in facts.get("references", ()) if r["key"].startswith("list:")), NO_LIST)
        for line in facts["lines"]:
            if line["recipient"] is None:
                continue
            one = found.setdefault(Place(partition, facts["collector"], cited, line["recipient"]), Added())
            one.by_offset.setdefault(offset, []).append(line["verdict"])
            one.last_at = max(one.last_at, facts["received_at"])
    return found


def percentile(values: list[float], share: float) -> float | None:
    """The nearest-rank percentile, in the unit of the values; None where there is none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
