"""How long to wait before starting a process that died once more. Pure."""

from __future__ import annotations

FIRST_S = 0.5
MOST_S = 30.0
STEADY_S = 30.0
"""A process that lived this long was well: its next death counts as the first."""
_MAX_DOUBLINGS = 16


def count_deaths(before: int, lived_s: float) -> int:
    """Deaths in a row, this one included."""
    return 1 if lived_s >= STEADY_S else before + 1


def delay_s(deaths: int) -> float:
    """0.5, 1, 2, 4 … seconds, 30 at most, after `deaths` deaths in a row (at least 1)."""
    return min(MOST_S, FIRST_S * (1 << min(deaths - 1, _MAX_DOUBLINGS)))
