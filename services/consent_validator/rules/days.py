"""Legal days: dated rules, agreements and periods change at midnight in Paris."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")

CALL_PERIOD = timedelta(days=365)
"""Longest period of a consent to calls (C. conso. R.223-2)."""


def paris_day(instant: datetime) -> date:
    """The calendar day in Paris."""
    return instant.astimezone(PARIS).date()


def start_of(day: date) -> datetime:
    """Midnight in Paris at which the day starts, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The instant at which the day is over in Paris (excluded from it), in UTC."""
    return start_of(day + timedelta(days=1)) if day < date.max else datetime.max.replace(tzinfo=UTC)


def add_months(instant: datetime, months: int) -> datetime:
    """The same wall time in Paris so many months later, on the last day of a shorter month."""
    local = instant.astimezone(PARIS)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(UTC)
