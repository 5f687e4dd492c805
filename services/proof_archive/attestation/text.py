"""What may be printed: values of others made safe for paper, and dates as a French reader expects them.

Values never reach the typesetter as markup: they are data of the document, so nothing in them is run. What remains is what
the embedded fonts cannot draw (PDF/A refuses it) and what would mislead a reader (characters that reorder or hide text):
both are written out by their number.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.instants import parse_instant

PARIS = ZoneInfo("Europe/Paris")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_DRAWN = "\u0020-\u007e\u00a0-\u00ac\u00ae-\u017f\u0391-\u03a1\u03a3-\u03c9\u0410-\u044f\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u202f\u2030\u2039\u203a\u20ac\u2122"
"""Latin, Greek, Cyrillic and French punctuation: every one is in both fonts of the page."""
_OTHER = re.compile(f"[^{_DRAWN}]")
_LONG = re.compile(r"[^\s-]{15,}")
"""A word that no space or hyphen breaks, longer than a narrow cell."""
CELL = 14
"""Characters after which a word in a table's cell may be broken."""
MOST, MOST_CELL = 900, 160
"""Characters of one value that a page shows; of one cell of a table."""
_BREAK = "\u200b"
"""Where a line may break within a word."""


def shown(text: str, every: int = 40) -> str:
    """A text as it may be printed; words longer than `every` characters may be broken."""
    most = MOST_CELL if every == CELL else MOST
    if len(text) > most:
        text = text[: most - 1] + "…"
    drawn = _OTHER.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
    return _LONG.sub(lambda found: _broken(found[0], every), drawn)


def printable(value: Any, every: int = 40) -> Any:
    """A whole document with every text in it as it may be printed: nothing reaches a page otherwise.

    Cells of tables (lists of texts) break within words of 14 characters, lines marked `mono` after 64.
    """
    if isinstance(value, str):
        return shown(value, every)
    if isinstance(value, dict):
        width = 64 if value.get("mono") is True else every
        return {key: printable(item, width) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [printable(item, CELL if isinstance(item, str) else every) for item in value]
    return value


def moment(instant: str | datetime | None) -> str:
    """`14 septembre 2026 à 10 h 31 min 07 s (heure de Paris ; 08:31:07 UTC)`; a dash for nothing."""
    if instant is None:
        return "—"
    utc = _utc(instant)
    local = utc.astimezone(PARIS)
    clock = f"{local.hour} h {local.minute:02d} min {local.second:02d} s"
    return f"{day(local.date())} à {clock} (heure de Paris ; {utc:%H:%M:%S} UTC)"


def short_moment(instant: str | None) -> str:
    """`14/09/2026 10:31:07`, heure de Paris; a dash for nothing."""
    return "—" if instant is None else f"{_utc(instant).astimezone(PARIS):%d/%m/%Y %H:%M:%S}"


def day(value: date) -> str:
    """`1er septembre 2026`."""
    return f"{'1er' if value.day == 1 else value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_day(text: str | None) -> str:
    """The day of an instant or of a date: `14/09/2026`; a dash for nothing; the text itself where it is neither."""
    if text is None:
        return "—"
    try:
        return short_moment(text)[:10] if "T" in text else f"{date.fromisoformat(text):%d/%m/%Y}"
    except ValueError:
        return text


def _utc(instant: str | datetime) -> datetime:
    return (parse_instant(instant) if isinstance(instant, str) else instant).astimezone(UTC)


def _broken(word: str, every: int) -> str:
    if len(word) <= every:
        return word
    return _BREAK.join(word[at : at + every] for at in range(0, len(word), every))
