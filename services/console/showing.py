"""How values look on pages: instants in Paris, spans, sizes, counts. Pure; what is no such value is shown as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.instants import parse_instant

PARIS = ZoneInfo("Europe/Paris")
_STEPS = ((86_400 * 2, 86_400, "d"), (3_600, 3_600, "h"), (60, 60, "min"))
_SIZES = ((1_048_576, "MB"), (1_024, "kB"))
_SHORT_S = 10


def instant(value: Any) -> datetime | None:
    """An aware datetime from a datetime or RFC 3339 text; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return parse_instant(str(value))
    except ValueError:
        return None


def when(value: Any) -> str:
    """`2026-11-27 04:31:07`, Paris."""
    at = instant(value)
    return "—" if value is None else str(value) if at is None else f"{at.astimezone(PARIS):%Y-%m-%d %H:%M:%S}"


def span(seconds: float | None) -> str:
    """`12 s`, `4 min`, `3 h`, `5 d`; fractions below ten seconds."""
    if seconds is None:
        return "—"
    for least, unit, name in _STEPS:
        if abs(seconds) >= least:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.1f} s" if 0 < abs(seconds) < _SHORT_S else f"{seconds:.0f} s"


def size(count: int | None) -> str:
    """`512 B`, `14 kB`."""
    if count is None:
        return "—"
    for least, name in _SIZES:
        if count >= least:
            return f"{count / least:.0f} {name}"
    return f"{count} B"


def number(value: float | None) -> str:
    """`12 345`, with narrow no-break spaces; one decimal below ten where it is not whole, two below one."""
    if value is None:
        return "—"
    if value != int(value) and abs(value) < _SHORT_S:
        return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
    return f"{round(value):,}".replace(",", "\u202f")


def printable(data: bytes | None) -> str:
    """Text of bytes: line ends stay, other control characters and what is no UTF-8 become escapes."""
    text = (data or b"").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def short(value: Any, most: int = 13) -> str:
    """The beginning of an id that is too long for a table."""
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


FILTERS: Mapping[str, Callable[..., str]] = {
    "when": when, "span": span, "size": size, "number": number, "printable": printable, "short": short,
}  # fmt: skip
