"""What a rule of the sending phase is, and what it looks at: one question about one person at one instant.

Everything the rules need is worked out before and given here: scopes are matched, stops are those that cover the question,
attempts are calls. So a rule compares instants and nothing else, and the same rules serve the service and a file of cases.
Instants are aware datetimes. Catalogue: docs/law.md, sending phase.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

Confidence = Literal["primary", "reported", "unconfirmed"]
"""Primary text read · reported by a secondary source · not confirmed (kept behind a setting)."""

GDPR = date(2018, 5, 25)
"""Day from which the RGPD applies."""
CALL_HOURS = date(2023, 3, 1)
"""Day from which C. conso. D.223-9 applies (décret 2022-1313, art. 2)."""

ANSWER_VALID = timedelta(minutes=15)
"""How long an answer may be relied upon; older ones are `PERMISSION-STALE`."""
MOST_CALLS = 4
"""Calls and attempts of one professional to one person in `CALL_PERIOD_DAYS` (D.223-9)."""
CALL_PERIOD_DAYS = 30
"""Calendar days, the day of the check included."""


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """What the law leaves open or nobody has confirmed, with the cautious default."""

    automated_calls_keep_hours: bool = True
    """Whether automated calls keep the hours and the number of calls of D.223-9."""
    alsace_moselle: bool = False
    """Whether Good Friday and 26 December count as holidays (C. trav. L.3134-13): no zone tells who lives there."""
    appointment_tolerance: timedelta = timedelta(minutes=30)
    """How far from an appointment expressly given a call may fall, outside the hours."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What the recipient owes the person under RGPD 14: it did not collect the data itself."""

    obtained_at: datetime
    """When it got the data: by the permission, or by a transfer reported earlier."""
    notice_at: datetime | None = None
    """When it gave the information, as reported."""
    contacted_at: datetime | None = None
    """When it first reached the person with these data."""
    disclosed_at: datetime | None = None
    """When it first passed the data on."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One valid line for exactly this recipient, channel, purpose and sector."""

    collected_at: datetime
    """Included."""
    valid_until: datetime | None
    """Excluded; None has no end."""
    confirmed: bool | None = None
    """Whether a double opt-in or a signature confirmed it; None where that is not known."""
    stops_from: datetime | None = None
    """From when a stop covers it: `collected_at`, or its receipt where that is earlier (no party's clock decides alone)."""
    stops: tuple[datetime, ...] = ()
    """Stops about its person whose scope covers the question, whenever they were."""
    duty: Duty | None = None
    """None: the recipient collected the data itself, or nothing is known of it (a file of cases)."""
    record: str | None = None

    @property
    def covered_from(self) -> datetime:
        """The instant from which a stop covers it."""
        return self.collected_at if self.stops_from is None else self.stops_from

    def given(self, at: datetime) -> bool:
        """Whether it was given by then (it may have ended)."""
        return self.collected_at <= at

    def standing(self, at: datetime) -> bool:
        """Whether it was given by then and has not ended."""
        return self.given(at) and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class Check:
    """One question, with everything needed to answer it."""

    channel: str
    at: datetime
    zone: str | None = None
    """The person's IANA zone; None where it is not known. A number in +33 tells no place."""
    permissions: tuple[Permission, ...] = ()
    stops: tuple[datetime, ...] = ()
    """Stops about the contact itself whose scope covers the question: they count where there is no permission."""
    attempts: tuple[datetime, ...] = ()
    """Earlier calls and attempts of the recipient to the person, answered or not."""
    appointment: datetime | None = None
    """The instant the person expressly gave."""
    answered_at: datetime | None = None
    """When the answer was given that a send now relies on; None where it is asked now."""
    unreachable: bool = False
    """Whether something needed to know cannot be read, or lags."""
    settings: SendingSettings = field(default_factory=SendingSettings)


Fires = Callable[[Check, Permission | None], str | None]
"""Why the rule fires, in French, with the facts that make it fire; None where it does not."""


@dataclass(frozen=True, slots=True)
class SendingRule:
    """One rule of the sending phase; any that fires forbids the send.

    `applies_from` included, `applies_until` excluded, both days in Paris, of the send; None = always. `of_permission`: it is
    asked of each permission, and fires only where no permission is free of every such rule.
    """

    code: str
    source: str
    confidence: Confidence
    title_fr: str
    title_en: str
    cure_fr: str
    cure_en: str
    fires: Fires
    applies_from: date | None = None
    applies_until: date | None = None
    of_permission: bool = False
    phase: str = "sending"
    effect: str = "refused"

    def in_force(self, day: date) -> bool:
        """Whether it is applied on that day."""
        return (self.applies_from is None or self.applies_from <= day) and (
            self.applies_until is None or day < self.applies_until
        )
