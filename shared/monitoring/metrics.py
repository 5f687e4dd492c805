"""The closed list of metrics as data: name, kind, labels, meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Described:
    """One metric of the list. `series`: the names under which it is scraped."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def series(self) -> tuple[str, ...]:
        """Names of its time series."""
        if self.kind == "histogram":
            return tuple(f"{self.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
        return (f"{self.name}_total",) if self.kind == "counter" else (self.name,)


def catalogue() -> tuple[Described, ...]:
    """Every metric, by name."""
    collectors: dict[Any, list[str]] = Metrics().registry._collector_to_names  # noqa: SLF001 - no public list with labels
    found = [
        Described(one._name, one._type, tuple(one._labelnames), one._documentation)  # noqa: SLF001
        for one in collectors
    ]
    return tuple(sorted(found, key=lambda metric: metric.name))
