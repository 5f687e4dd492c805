"""How long a consent is kept, as data: one row per channel and basis, each with its source and how sure that is. Pure.

Two questions. *Asked to erase* (RGPD 17): is anything kept in spite of it, for the legal obligation or the claims of 17(3)(b)
and (e)? Then it is restricted until a date. *Ended* (withdrawn, expired, refused): when is it no longer needed (RGPD 5(1)(e))?
A record with several lines takes the longest. Confidence: `read` primary text read; `reported` by a secondary source;
`setting` not confirmed by a text: a default that the operator changes (OPPOSABLE_RIGHTS_RETENTION_YEARS).
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.rights_handler.domain import Grant, Instant, Line, Stop, covers
from services.rights_handler.erasing.model import Fate
from services.rights_handler.former import Name, name_of
from services.rights_handler.kinds import REVERSIBLE
from services.rights_handler.sending.lines import end_of_day
from shared.instants import format_instant, parse_instant

ANY = "*"
LIFE_YEARS = 3
"""A line without an end of its own ends three years after its collection (rule EXPIRED)."""
STOP_YEARS = 3
"""How long the text of a stop is kept as proof that it was said (délib. CNIL 2021-131, reported: an opposition is kept three
years at least; its keyed hashes stay and go on blocking)."""
REQUEST_YEARS = 5
"""How long what a person wrote in a request, and the letters that answered it, are kept once it is closed, as proof of the answer
(C. civ. art. 2224, RGPD 5(2), 17(3)(e)): then its own key is destroyed; what was done, and when, remains."""
_DAY_LENGTH = len("2027-09-13")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Years; `despite`: kept, restricted, that long after the collection though erasure was asked (0: erased)."""

    code: str
    channel: str
    basis: str
    despite: int
    from_collection: int
    """Kept at least that long after the collection."""
    from_end: int | None
    """Kept that long after it ended; None: the operator's setting."""
    source: str
    confidence: Literal["read", "reported", "setting"]
    text_fr: str
    text_en: str


TABLE: tuple[Row, ...] = (
    Row(
        "PHONE-PROOF", "call", "consent", 3, 3, 0,
        "C. conso. art. R.223-3, RGPD 17(3)(b), 17(3)(e), 18(2)", "reported",
        "preuve du consentement au démarchage téléphonique, conservée trois ans à compter du recueil, pour la seule "
        "défense de droits en justice et le contrôle",
        "proof of consent to telephone prospecting, kept three years from its collection, for legal claims and inspections only",
    ),
    Row(
        "CONSENT", ANY, "consent", 0, 0, None, "RGPD 5(1)(e), 7(1), délib. CNIL 2021-131 (par analogie)", "setting",
        "preuve d’un consentement, après sa fin", "proof of a consent, after its end",
    ),
    Row(
        "SOFT-OPT-IN", ANY, "soft_opt_in", 0, 0, None, "RGPD 5(1)(e), CPCE art. L.34-5, délib. CNIL 2021-131", "setting",
        "données d’un client démarché pour des produits analogues, après la fin",
        "data of a customer approached for analogous products, after the end",
    ),
    Row(
        "OTHER", ANY, ANY, 0, 0, None, "RGPD 5(1)(e), délib. CNIL 2021-131", "setting",
        "données d’un prospect, après la fin", "data of a prospect, after the end",
    ),
)  # fmt: skip
"""The first row that matches a line is its row."""


def row_for(channel: str, basis: str) -> Row:
    """The row of a line."""
    return next(row for row in TABLE if row.channel in (channel, ANY) and row.basis in (basis, ANY))


def on_request(grant: Grant, once: Collection[Name], now: Instant) -> Fate:
    """What becomes of a record that is to be erased, holds aside: only what ever permitted something is proof of it.

    `once`: lines that an earlier verdict held valid. A line of theirs that is gone was valid on the basis of its channel's
    first row (a call: consent).
    """
    rows = {row_for(line.channel, line.basis) for line in grant.lines if _ever_valid(line, once)}
    there = {name_of(line) for line in grant.lines}
    rows |= {row_for(name[1], "consent") for name in once if name not in there}
    kept = {row.code: years_after(grant.collected_at, row.despite) for row in rows if row.despite}
    until = max(kept.values(), default="")
    if until <= now:
        return Fate("erase")
    return Fate("restrict", until, tuple(sorted(code for code, end in kept.items() if end > now)))


def kept_until(grant: Grant, stops: Sequence[Stop], once: Collection[Name], years: int) -> Instant:
    """Until when a record is kept at all when nobody asks anything. `years`: the operator's setting."""
    moments = [grant.collected_at]
    for line in grant.lines:
        row = row_for(line.channel, line.basis)
        ended = ends_at(grant, line, stops, once)
        after = row.from_end if row.from_end is not None else years
        moments += [years_after(ended, after), years_after(grant.collected_at, row.from_collection)]
    return max(moments)


def ends_at(grant: Grant, line: Line, stops: Sequence[Stop], once: Collection[Name]) -> Instant:
    """When a line ends: at its collection where it never permitted anything, else at its last day or the first stop."""
    if not _ever_valid(line, once):
        return grant.collected_at
    natural = years_after(grant.collected_at, LIFE_YEARS)
    if line.valid_until is not None:
        natural = min(natural, _end_of(line.valid_until))
    stopped = [s.at for s in stops if s.kind not in REVERSIBLE and covers(s, grant, line)]
    return max(min([natural, *stopped]), grant.collected_at)


def first_look(now: Instant, years: int) -> Instant:
    """Records collected after this cannot have come to their end yet: none is kept shorter than this table's least."""
    least = min([years, *(row.from_end for row in TABLE if row.from_end), *(r.despite for r in TABLE if r.despite)])
    return years_after(now, -least)


def years_after(instant: Instant, years: int) -> Instant:
    """The same day and hour some years later; 29 February becomes the 28th (règlement 1182/71, art. 3)."""
    start = parse_instant(instant)
    year = min(max(start.year + years, 1), 9999)
    day = min(start.day, calendar.monthrange(year, start.month)[1])
    return format_instant(start.replace(year=year, day=day))


def _ever_valid(line: Line, once: Collection[Name]) -> bool:
    return line.verdict == "valid" or name_of(line) in once


def _end_of(valid_until: str) -> Instant:
    if len(valid_until) != _DAY_LENGTH:
        return format_instant(parse_instant(valid_until))
    end = end_of_day(date.fromisoformat(valid_until))
    return "9999-12-31T23:59:59.999Z" if end is None else format_instant(end)
