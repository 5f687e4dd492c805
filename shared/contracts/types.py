"""Words and simple forms that every contract shares: channels, identifiers, instants, hashes (contracts.md).

Checked in pydantic's compiled core wherever it can be (patterns, literals); only instants and dates cost a Python call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Channel = Literal["email", "sms", "automated_call", "call", "post", "push", "social", "tracker"]
Purpose = Literal["prospecting", "ad_tracking", "open_tracking"]
Sector = Literal["general", "press", "energy_renovation", "housing_adaptation", "cpf_training"]
Audience = Literal["consumer", "professional"]
AgeBand = Literal["adult", "15_17", "under_15", "unknown"]
DecisionValue = Literal["granted", "refused", "not_objected"]
ContactType = Literal["email", "phone", "post", "browser", "handle"]
Medium = Literal["web", "app", "paper", "oral", "crm"]
StopKind = Literal["withdrawal", "objection", "stop_reply", "call_refusal"]
StopVia = Literal["portal", "one_click", "sms", "oral", "letter", "api"]
Right = Literal["access", "erasure", "rectification", "portability", "restriction", "dispute"]
OrderStatus = Literal["applied", "unknown_person", "refused"]

CHANNELS: tuple[Channel, ...] = get_args(Channel)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
CONTACT_TYPES: tuple[ContactType, ...] = get_args(ContactType)

CONTACT_OF_CHANNEL: Mapping[str, ContactType | None] = {
    "email": "email",
    "sms": "phone",
    "call": "phone",
    "automated_call": "phone",
    "post": "post",
    "push": None,
    "social": None,
    "tracker": None,
}
"""Which contact a channel needs; None = any contact will do."""

PARTY_PATTERN = r"^[a-z0-9][a-z0-9-]{1,40}$"
EVENT_ID_PATTERN = r"^[A-Za-z0-9._:-]{1,64}$"
UUID_PATTERN = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
RECORD_PATTERN = r"^[a-z0-9][a-z0-9-]{1,40}/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
INSTANT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

MAX_VERSION = 2**31 - 1


def instant(text: str) -> datetime:
    """An aware UTC datetime of an RFC 3339 text with a zone. Raises ValueError."""
    try:
        value = datetime.fromisoformat(text)
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant outside the years 1 to 9999") from None


_INSTANT = re.compile(INSTANT_PATTERN)


def lenient_instant(value: object) -> datetime | None:
    """The instant where the value is one, else None (stops are never refused for a date)."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        return instant(value)
    except ValueError:
        return None


if TYPE_CHECKING:
    Instant = datetime
    Day = date
else:
    Instant = Annotated[
        str,
        StringConstraints(pattern=INSTANT_PATTERN),
        Field(json_schema_extra={"format": "date-time"}),
        AfterValidator(instant),
    ]
    """RFC 3339 with a zone; becomes an aware UTC datetime."""
    Day = Annotated[
        str,
        StringConstraints(pattern=DATE_PATTERN),
        Field(json_schema_extra={"format": "date"}),
        AfterValidator(date.fromisoformat),
    ]
    """A calendar day, `YYYY-MM-DD`."""

PartyId = Annotated[str, StringConstraints(pattern=PARTY_PATTERN)]
ObjectId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""Id of a form, a list, a notice or an agreement."""
EventId = Annotated[str, StringConstraints(pattern=EVENT_ID_PATTERN)]
Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN, to_lower=True)]
"""A UUID of any version, kept in lower case: two spellings must not be two consents."""
RecordId = Annotated[str, StringConstraints(pattern=RECORD_PATTERN)]
"""`<collector>/<consent_id>`."""
OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:/-]{1,200}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A short code word of the sender's own vocabulary."""
Version = Annotated[int, Field(ge=1, le=MAX_VERSION)]
NoticeVersion = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]


class Contract(BaseModel):
    """Base of every model: frozen, unknown fields refused, no coercion (a number is no text, 1 is no boolean)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)
