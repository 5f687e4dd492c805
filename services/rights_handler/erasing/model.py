"""Values of an erasure: why, what becomes of the data, where the work stands. Pure.

Instants are the text `YYYY-MM-DDTHH:MM:SS.mmmZ`, as everywhere in this service.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from services.rights_handler.domain import Instant


class Cause(StrEnum):
    """Why a record is erased: a ground of RGPD 17(1), or the end of its retention (RGPD 5(1)(e))."""

    PERSON_REQUEST = "person_request"
    WITHDRAWN = "consent_withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    NOT_NEEDED = "not_needed"
    LEGAL_OBLIGATION = "legal_obligation"
    CHILD = "child"
    RETENTION = "retention"


SOURCES = {
    Cause.PERSON_REQUEST: "RGPD 17(1)",
    Cause.NOT_NEEDED: "RGPD 17(1)(a)",
    Cause.WITHDRAWN: "RGPD 17(1)(b)",
    Cause.OBJECTION: "RGPD 17(1)(c)",
    Cause.UNLAWFUL: "RGPD 17(1)(d)",
    Cause.LEGAL_OBLIGATION: "RGPD 17(1)(e)",
    Cause.CHILD: "RGPD 17(1)(f)",
    Cause.RETENTION: "RGPD 5(1)(e)",
}

Outcome = Literal["erase", "restrict"]
State = Literal["objecting", "deciding", "decided", "published", "restricted", "erased", "done"]
"""Where the work stands: the stop travels; all were told; what becomes of it is settled; it is said on `erasures`; the index
is gone and the data kept for claims only; the index is gone and the key goes; the key is destroyed."""

UNFINISHED: tuple[State, ...] = ("objecting", "deciding", "decided", "published", "erased")
"""States that are passed in seconds: an erasure that stays in one is an operator's matter."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a record's personal data. `until`: restricted to legal claims until then, then erased."""

    outcome: Outcome
    until: Instant | None = None
    """None with `restrict`: until a hold is released."""
    codes: tuple[str, ...] = ()
    """Rows of the retention table, and `HOLD:<id>`, that keep it."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One record's erasure. `rev` counts changes: whoever saves from an older one loses and looks again."""

    record: str
    cause: Cause
    requested_at: Instant
    state: State
    stop: str | None = None
    """The stop that told everyone; None until it is known, or where nobody had to be told."""
    owners: tuple[str, ...] = ()
    """Other keys of the vault that go with it: the stops, reports and requests of the same person."""
    fate: Fate | None = None
    contact_keys: tuple[str, ...] = ()
    """Keyed hashes kept while it is restricted, so that the person, or a hold, finds it again; none once erased."""
    subject_key: str | None = None
    parties: tuple[str, ...] = ()
    """Its collector, the hands it passed through, and every party named: whom a hold on a party is about."""
    received_at: Instant | None = None
    next_at: Instant | None = None
    """When it is looked at again; None when it waits for no clock."""
    published_at: Instant | None = None
    rev: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """What `erase` answers for one record: what is done, or would be. `state` None: nothing stood in its way to begin."""

    record: str
    fate: Fate
    state: State | None
    parties: tuple[str, ...] = ()
    received_at: Instant | None = None
