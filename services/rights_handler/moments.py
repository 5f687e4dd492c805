"""Deadlines counted in months and durations written in agreements: pure calendar arithmetic.

RGPD 12(3) and 14(3)(a) count one month; a month that lacks the day ends on its last one (règlement 1182/71, art. 3).
"""

from __future__ import annotations

import calendar
import re
from datetime import timedelta

from shared.errors import InputError, Problem
from shared.instants import format_instant, parse_instant

_DURATION = re.compile(r"P(?=.)(\d+W)?(\d+D)?(T(\d+[HMS])+)?")
_PART = re.compile(r"(\d+)([WDHMS])")
_UNITS = {
    "W": timedelta(weeks=1),
    "D": timedelta(days=1),
    "H": timedelta(hours=1),
    "M": timedelta(minutes=1),
    "S": timedelta(seconds=1),
}


def one_month_after(instant: str) -> str:
    """The same day and hour of the next month, or the last day of that month."""
    return months_after(instant, 1)


def months_after(instant: str, months: int) -> str:
    """The same day and hour so many months later, or the last day of that month."""
    start = parse_instant(instant)
    year, month = start.year + (start.month - 1 + months) // 12, (start.month - 1 + months) % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return format_instant(start.replace(year=year, month=month, day=day))


def duration(text: str) -> timedelta:
    """An ISO 8601 duration without years or months, such as `PT24H` or `P14D`. Raises InputError."""
    if _DURATION.fullmatch(text) is None:
        raise InputError([Problem("DURATION", "", "a duration is written like PT24H or P14D")])
    return sum((int(count) * _UNITS[unit] for count, unit in _PART.findall(text)), timedelta())
