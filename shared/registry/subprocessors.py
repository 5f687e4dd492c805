"""The operator's own sub-processors (RGPD 28(2), 28(4)): who else handles the parties' data, what for, where, since when.

Each version says the whole; the newest counts. A change is announced before it takes effect, so that a controller can object:
the version's archived time is the proof of when it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.contracts.types import Country, Day, ObjectId, Version
from shared.registry.shown import Named, Text

EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905 - a list of 30
)
"""Where no guarantee of chapter V is needed (RGPD 44; EEA Joint Committee decision 154/2018)."""
Change = Literal["listed", "added", "changed", "ended"]


class SubProcessor(Named):
    """One version. `service`, `data`: in French, for the parties' own registers. Days are of Paris, included."""

    kind: Literal["subprocessor"]
    id: ObjectId
    version: Version
    country: Country
    locations: Annotated[tuple[Country, ...], Field(min_length=1)]
    """Where the data is processed, access from afar included."""
    service: Text
    data: Text
    transfer_guarantee: Text | None = None
    """What RGPD 45 or 46 asks where a location lies outside the EEA: a decision, clauses."""
    starts_on: Day
    """When this version takes effect."""
    objections_until: Day | None = None
    """None: it served already when it was listed, or it ends; nothing to object to."""
    ends_on: Day | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _coherent(self) -> SubProcessor:
        if self.transfer_guarantee is None and not EEA.issuperset({self.country, *self.locations}):
            raise ValueError("outside the EEA a guarantee is named (RGPD 45, 46)")
        if self.objections_until is not None and self.objections_until >= self.starts_on:
            raise ValueError("objections end before the change takes effect")
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise ValueError("it ends after it starts")
        return self


def newest(versions: Iterable[SubProcessor], at_most: int | None = None) -> dict[str, SubProcessor]:
    """The newest version of each, by id; `at_most`: none above it."""
    found: dict[str, SubProcessor] = {}
    for one in versions:
        known = found.get(one.id)
        if (at_most is None or one.version <= at_most) and (known is None or known.version < one.version):
            found[one.id] = one
    return found


def change_of(one: SubProcessor, before: SubProcessor | None) -> Change:
    """What a version says that the one before did not."""
    if one.ends_on is not None:
        return "ended"
    if one.objections_until is None:
        return "listed"
    return "added" if before is None else "changed"


def serving(one: SubProcessor, day: date) -> bool:
    """Whether it handles data on a day."""
    return one.starts_on <= day and (one.ends_on is None or day <= one.ends_on)


def earliest_start(today: date, notice_days: int) -> date:
    """The first day on which a change announced today may take effect: the days of notice lie between."""
    return today + timedelta(days=notice_days + 1)
