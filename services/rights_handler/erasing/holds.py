"""Legal holds: while one is on, what it names is restricted rather than erased (RGPD 17(3)(e)). Pure.

Each has an author (a role, never a name), a reason code and a date by which somebody must look at it again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.rights_handler.domain import Instant
from services.rights_handler.erasing.model import Fate

AUTHOR = re.compile(r"[a-z][a-z0-9-]{1,39}")
"""A role or function, such as `dpo` or `legal-2`: an archived act names no person."""


class HoldReason(StrEnum):
    """Why data must not be destroyed."""

    LITIGATION = "litigation"
    COMPLAINT = "complaint"
    AUTHORITY = "authority_request"
    AUDIT = "audit"
    INVESTIGATION = "investigation"


class ScopeKind(StrEnum):
    """What a hold may name."""

    RECORD = "record"
    CONTACT = "contact"
    PARTY = "party"


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. `scope` is what it names, in the form of `scopes_of`; a contact stands as its keyed hash."""

    id: str
    kind: ScopeKind
    scope: str
    author: str
    reason: HoldReason
    review_at: Instant
    added_at: Instant
    reviewed_at: Instant | None = None
    released_at: Instant | None = None


def scope_text(kind: ScopeKind, value: str) -> str:
    """`record:acme/…`, `contact:p1.…`, `party:acme`."""
    return f"{kind}:{value}"


def scopes_of(record: str, contact_keys: Collection[str], parties: Collection[str]) -> set[str]:
    """Every scope that names a record: itself, its contacts, its parties."""
    return {
        scope_text(ScopeKind.RECORD, record),
        *(scope_text(ScopeKind.CONTACT, key) for key in contact_keys),
        *(scope_text(ScopeKind.PARTY, party) for party in parties),
    }


def held(fate: Fate, holds: Sequence[Hold]) -> Fate:
    """The fate of what these holds name: restricted, until its own date or, where that is none, until they are released."""
    if not holds:
        return fate
    codes = (*fate.codes, *sorted(f"HOLD:{hold.id}" for hold in holds))
    return Fate("restrict", fate.until, codes)


def next_look(until: Instant | None, holds: Sequence[Hold], now: Instant, in_a_day: Instant) -> Instant | None:
    """When something restricted is looked at again; None: now is the end of it.

    While a hold is on: at its next review date, or daily once that has passed. Else at `until`.
    """
    if holds:
        return min((hold.review_at for hold in holds if hold.review_at > now), default=in_a_day)
    return until if until is not None and until > now else None
