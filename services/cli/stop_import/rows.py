"""From a line of a list to a row of `POST /v1/stops/import`: what its words mean. Pure; contacts are normalised by the service.

A date without an hour is its whole day in Paris, so that the day's own consents are covered: in doubt the objection wins.
Unlike a stop by a person, nothing here is read as "everyone" by mistake: an unknown word rejects its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from services.cli.stop_import.layout import CONTACT_COLUMNS, Layout, plain_words
from shared.contracts.types import CHANNELS, PURPOSES, lenient_instant
from shared.errors import InputError, Problem
from shared.instants import format_instant

PARIS = ZoneInfo("Europe/Paris")
END_OF_DAY = time(23, 59, 59, 999_000)
LOST = "\ufffd"
"""Stands where a byte is no character of the file's encoding."""

_ALL = frozenset({"", "all", "tous", "toutes", "tout"})
_CHANNELS: Mapping[str, str] = {
    **{plain_words(channel): channel for channel in CHANNELS},
    "courriel": "email", "e mail": "email", "mail": "email", "texto": "sms", "appel": "call", "appels": "call",
    "telephone": "call", "phone": "call", "automate": "automated_call", "automate d appel": "automated_call",
    "courrier": "post", "postal": "post", "poste": "post", "letter": "post", "traceur": "tracker", "traceurs": "tracker",
}  # fmt: skip
_PURPOSES: Mapping[str, str] = {
    **{plain_words(purpose): purpose for purpose in PURPOSES},
    "prospection": "prospecting", "publicite": "ad_tracking", "suivi publicitaire": "ad_tracking",
    "suivi des ouvertures": "open_tracking",
}  # fmt: skip
_PHONE = re.compile(r"\+?[\d\s().\-/\u00a0]{6,}")
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[ T](?P<H>\d{1,2})[:h](?P<M>\d{2})(?::(?P<S>\d{2}))?)?"),
    re.compile(
        r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})(?:[ T](?P<H>\d{1,2})[:h](?P<M>\d{2})(?::(?P<S>\d{2}))?)?"
    ),
)
"""Year first, or as it is written in France; an hour is that of Paris."""


def row_of(cells: Sequence[str], layout: Layout) -> dict[str, Any]:
    """The row of one line. Raises InputError naming every column that is not understood."""
    problems: list[Problem] = []

    def cell(field: str) -> str:
        place = layout.places.get(field)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    if LOST in "".join(cells):
        problems.append(Problem("ENCODING", "", "a byte of this line is no character: save the file as “CSV UTF-8”"))
    contacts = [found for field in CONTACT_COLUMNS if (found := contact_of(field, cell(field))) is not None]
    if not contacts:
        problems.append(Problem("CONTACT-EMPTY", "/contact", "no contact on this line"))
    if any(contact["type"] == "" for contact in contacts):
        problems.append(
            Problem("CONTACT-UNCLEAR", "/contact", "neither an e-mail address, a number nor a postal address")
        )
    row: dict[str, Any] = {"contacts": contacts}
    try:
        row["at"] = date_of(cell("date"))
    except ValueError:
        problems.append(Problem("DATE", "/date", "no date: write 2024-03-01, 01/03/2024 or an RFC 3339 instant"))
    for field, words in (("channels", _CHANNELS), ("purposes", _PURPOSES), ("recipients", None)):
        try:
            row[field] = scope_of(cell(field), words)
        except KeyError:
            problems.append(Problem("VALUE-UNKNOWN", f"/{field}", "a word of this column is not known"))
    for field in ("source", "party"):
        row[field] = cell(field) or None
    row["country"] = cell("country").upper() or None
    if problems:
        raise InputError(problems)
    return {name: value for name, value in row.items() if value is not None}


def contact_of(field: str, text: str) -> dict[str, str] | None:
    """The contact of a cell, None where it is empty. In a column of any contact the type is what it looks like, or ""."""
    if not text:
        return None
    kind = field
    if field == "contact":
        block = "\n" in text or "|" in text or re.search(r"\b\d{5}\b", text) is not None
        kind = "email" if "@" in text else "phone" if _PHONE.fullmatch(text) else "post" if block else ""
    if kind == "post":
        text = "\n".join(part.strip() for part in text.split("|"))
    return {"type": kind, "value": text}


def date_of(text: str) -> str | None:
    """The instant of a date, None where there is none. Raises ValueError where it is no date."""
    if not text:
        return None
    instant = lenient_instant(text)
    if instant is not None:
        return format_instant(instant)
    found = next((match for pattern in _DATES if (match := pattern.fullmatch(text))), None)
    if found is None:
        raise ValueError("no date")
    parts = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    hour = time(parts["H"], parts["M"], parts.get("S", 0)) if "H" in parts else END_OF_DAY
    local = datetime(parts["y"], parts["m"], parts["d"], hour.hour, hour.minute, hour.second, hour.microsecond, PARIS)
    return format_instant(local.astimezone(UTC))


def scope_of(text: str, words: Mapping[str, str] | None) -> list[str] | None:
    """The words of a scope, None for all. Raises KeyError for one that is not known. `words` None: party ids, as they are."""
    if plain_words(text) in _ALL:
        return None
    given = [part for part in re.split(r"[,;|+/]", text) if part.strip()]
    if words is None:
        return sorted({part.strip() for part in given})
    return sorted({words[plain_words(part)] for part in given})
