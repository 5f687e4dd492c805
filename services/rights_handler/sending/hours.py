"""When a person may be called: hours and public holidays as data, read on the person's own clock (C. conso. D.223-9).

Holidays are those of C. trav. L.3133-1 and no others; their dates come from the `holidays` library, their list from here, so
that a holiday the library would lose or rename stops the answer instead of opening a day. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from shared.errors import IntegrityError

MONDAY_TO_FRIDAY: Final = frozenset(range(5))


@dataclass(frozen=True, slots=True)
class Span:
    """Wall time on the person's clock, the end excluded."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Hours:
    """On which days of the week (Monday = 0), and when on them."""

    weekdays: frozenset[int]
    spans: tuple[Span, ...]


CALLS: Final = Hours(MONDAY_TO_FRIDAY, (Span(time(10), time(13)), Span(time(14), time(20))))
"""D.223-9, first paragraph."""

NATIONAL: Final = frozenset({
    "Jour de l'an", "Lundi de Pâques", "Fête du Travail", "Fête de la Victoire", "Ascension", "Lundi de Pentecôte",
    "Fête nationale", "Assomption", "Toussaint", "Armistice", "Noël",
})  # fmt: skip
"""C. trav. L.3133-1."""
ALSACE_MOSELLE: Final = frozenset({"Vendredi saint", "Saint-Étienne"})
"""C. trav. L.3134-13, where the setting says so."""
_ALSACE_MOSELLE_CODE = "6AE"
_BETWEEN = "; "
"""How the library joins two holidays of one day."""

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*)*")
_NO_PLACE = re.compile(r"(?i)factory|local.*|(posix|right)(/.*)?|posixrules")
"""Names under which a machine may keep its own clock: no place, and not the same everywhere."""


@lru_cache(maxsize=1024)
def zone_of(name: str | None) -> ZoneInfo | None:
    """The zone of an IANA name; None where it is missing or no such zone exists."""
    if name is None or not _ZONE.fullmatch(name) or _NO_PLACE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(at: datetime, name: str | None) -> datetime | None:
    """The instant on the person's clock; None where the zone is unknown or the calendar ends."""
    zone = zone_of(name)
    try:
        return None if zone is None else at.astimezone(zone)
    except OverflowError:
        return None


@lru_cache(maxsize=64)
def holidays_of(year: int, *, alsace_moselle: bool) -> dict[date, str]:
    """Day → name, of one year. Raises IntegrityError where the library does not know them all."""
    try:
        days = holidays.country_holidays(
            "FR", subdiv=_ALSACE_MOSELLE_CODE if alsace_moselle else None, years=year, language="fr", observed=False
        )
    except (ValueError, NotImplementedError):
        raise IntegrityError(f"the public holidays of the year {year} are not known") from None
    wanted = NATIONAL | ALSACE_MOSELLE if alsace_moselle else NATIONAL
    found = {day: [name for name in names.split(_BETWEEN) if name in wanted] for day, names in days.items()}
    if {name for names in found.values() for name in names} != wanted:
        raise IntegrityError("the library of holidays does not name those of C. trav. L.3133-1 as expected")
    return {day: " et ".join(names) for day, names in found.items() if names}


def holiday(day: date, *, alsace_moselle: bool = False) -> str | None:
    """The name of the public holiday that a day is, or None. Raises IntegrityError as `holidays_of`."""
    return holidays_of(day.year, alsace_moselle=alsace_moselle).get(day)


def span_of(moment: datetime) -> Span | None:
    """The hours a local moment falls in, holidays aside; None outside them."""
    if moment.weekday() not in CALLS.weekdays:
        return None
    clock = moment.time()
    return next((span for span in CALLS.spans if span.start <= clock < span.end), None)


def first_day(day: date, days: int) -> date:
    """The first of so many calendar days that end on this one."""
    return day - timedelta(days=days - 1)
