"""One line of a file of sending cases, read strictly, and its answer (`opposable check`, contracts.md). Pure.

`{"name", "recipient", "check": {"channel", "purpose", "sector", "at", "zone", "attempts", "grant", "stops", "appointment"}}`,
out `{"name", "allowed", "reasons"}`. What the sending format does not need (`why`, `expect`) is ignored beside `check`; inside
it an unknown field is an error, because a misspelt `stops` would permit. Stops alone are read leniently: a scope that is
missing or not understood is the widest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema
from pydantic.functional_validators import BeforeValidator

from services.rights_handler.domain import Scope, within
from services.rights_handler.sending.book import Answer, judge
from services.rights_handler.sending.model import Check, Duty, Permission, SendingSettings
from services.rights_handler.sending.words import PARIS
from shared.contracts.types import (
    CHANNELS,
    DATE_PATTERN,
    PARTY_PATTERN,
    PURPOSES,
    Channel,
    Contract,
    Instant,
    PartyId,
    Purpose,
    Sector,
)
from shared.errors import InputError, Problem
from shared.intake.schema import problems_of
from shared.intake.stops import ALIASES

_PARTY = re.compile(PARTY_PATTERN)
_DAY_LENGTH = len("2027-09-13")


def _scope(known: Collection[str]) -> Callable[[Any], Scope]:
    """A list of known words narrows; anything else is the widest (contracts.md)."""

    def read_scope(value: Any) -> Scope:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            return "all"
        words = {ALIASES.get(word.strip().lower(), word.strip().lower()) for word in value}
        return frozenset(words) if words and words <= set(known) else "all"

    return read_scope


def _recipients(value: Any) -> Scope:
    """A list of parties narrows; a word that cannot be a party's id widens."""
    if not isinstance(value, list) or not value or not all(isinstance(w, str) and _PARTY.fullmatch(w) for w in value):
        return "all"
    return "all" if "all" in value else frozenset(value)


def _end(value: Any) -> datetime | None:
    """An instant, or a day that counts whole in Paris."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("an instant or a day is expected here")  # noqa: TRY004 - pydantic wants a ValueError
    if len(value) == _DAY_LENGTH:
        return end_of_day(date.fromisoformat(value))
    return _INSTANT.validate_python(value)


def end_of_day(day: date) -> datetime | None:
    """The first instant that is no longer that day in Paris; None at the end of the calendar."""
    if day == date.max:
        return None
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=PARIS)


_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
Channels = Annotated[Any, BeforeValidator(_scope(CHANNELS))]
Purposes = Annotated[Any, BeforeValidator(_scope(PURPOSES))]
Recipients = Annotated[Any, BeforeValidator(_recipients)]
EndField = Annotated[Any, BeforeValidator(_end), WithJsonSchema({"type": "string", "pattern": DATE_PATTERN})]


class GrantLine(Contract):
    """The valid line: from `collected_at` included to `valid_until` excluded. The last four are what RGPD 14 asks."""

    collected_at: Instant
    valid_until: EndField = None
    confirmed: bool | None = None
    obtained_at: Instant | None = None
    notice_at: Instant | None = None
    contacted_at: Instant | None = None
    disclosed_at: Instant | None = None


class StopLine(Contract):
    """A stop; whatever else it says is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: Instant
    channels: Channels = "all"
    recipients: Recipients = "all"
    purposes: Purposes = "all"


class CheckBody(Contract):
    """The question. `answered_at`: when the answer was given that the send relies on."""

    channel: Channel
    purpose: Purpose = "prospecting"
    sector: Sector | None = None
    at: Instant
    zone: str | None = None
    attempts: tuple[Instant, ...] = ()
    grant: GrantLine | None = None
    stops: tuple[StopLine, ...] = ()
    appointment: Instant | None = None
    answered_at: Instant | None = None
    unreachable: bool = False


class CheckLine(Contract):
    """One line of the file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(max_length=1000)] | None = None
    recipient: PartyId
    check: CheckBody


_LINE = TypeAdapter(CheckLine)
_STANDARD = SendingSettings()


def read(line: bytes) -> CheckLine:
    """The line. Raises InputError with each fault and its pointer."""
    try:
        return _LINE.validate_json(line)
    except ValidationError as error:
        try:
            parsed = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise InputError([Problem("JSON", "", "the line is not JSON in UTF-8")]) from None
        raise InputError(problems_of(error, parsed)) from None


def answer(line: CheckLine, settings: SendingSettings = _STANDARD) -> Answer:
    """What the rules say of it."""
    asked = line.check
    stops = tuple(
        stop.at
        for stop in asked.stops
        if within(stop.channels, asked.channel)
        and within(stop.recipients, line.recipient)
        and within(stop.purposes, asked.purpose)
    )
    return judge(
        Check(
            channel=asked.channel, at=asked.at, zone=asked.zone, stops=stops, attempts=asked.attempts,
            permissions=() if asked.grant is None else (_permission(asked.grant, stops),),
            appointment=asked.appointment, answered_at=asked.answered_at, unreachable=asked.unreachable, settings=settings,
        )
    )  # fmt: skip


def _permission(grant: GrantLine, stops: tuple[datetime, ...]) -> Permission:
    duty = None
    if grant.obtained_at is not None:
        duty = Duty(grant.obtained_at, grant.notice_at, grant.contacted_at, grant.disclosed_at)
    return Permission(grant.collected_at, grant.valid_until, grant.confirmed, None, stops, duty)
