"""Days and instants as a person reads them in French, whatever the locale of the machine. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def paris_day(at: datetime) -> date:
    """The day in Paris of an instant; the last day of the calendar at its very end."""
    return in_paris(at).date()


def in_paris(at: datetime) -> datetime:
    """An instant on the clock of Paris; of UTC at the very ends of the calendar."""
    try:
        return at.astimezone(PARIS)
    except OverflowError:
        return at.astimezone(UTC)


def day(value: date) -> str:
    """`samedi 19 septembre 2026`, `jeudi 1er octobre 2026`."""
    number = "1er" if value.day == 1 else str(value.day)
    return f"{WEEKDAYS[value.weekday()]} {number} {MONTHS[value.month - 1]} {value.year}"


def moment(local: datetime) -> str:
    """`samedi 19 septembre 2026 à 11 h 05`, of a local moment."""
    return f"{day(local.date())} à {clock(local)}"


def clock(local: datetime) -> str:
    """`11 h 05`, with the seconds where there are any."""
    seconds = f" min {local.second:02d} s" if local.second else ""
    return f"{local.hour} h {local.minute:02d}{seconds}"


def in_paris_text(at: datetime) -> str:
    """`samedi 19 septembre 2026 à 11 h 05 (heure de Paris)`."""
    return f"{moment(in_paris(at))} (heure de Paris)"
