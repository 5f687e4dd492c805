"""What a partner says of one person's choice: `opposable.consent.collected.v1` (contracts.md).

Every fact that the event lacks is taken from the registered form version, never guessed; so what a form version settles
(default state, notice) is optional here, and what identifies and dates the act is not.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.types import (
    AgeBand,
    Audience,
    Channel,
    ContactType,
    Contract,
    Country,
    Day,
    DecisionValue,
    Instant,
    Language,
    Medium,
    NoticeVersion,
    ObjectId,
    PartyId,
    Purpose,
    Sector,
    Sha256,
    Uuid,
    Version,
    Word,
)

CONSENT_COLLECTED = "opposable.consent.collected.v1"

MAX_RECIPIENTS = 500
MAX_DECISIONS = 64
MAX_CONTACTS = 16

Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class PostInformation(Contract):
    """What a person was told before a postal address was passed on (CNIL)."""

    transfer_told: bool
    objection_offered: bool


class Contact(Contract):
    """One address of the person, as the partner wrote it; it is normalised at intake."""

    type: ContactType
    value: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    post_information: PostInformation | None = None


class FormReference(Contract):
    """Which registered form version was filled in, and the SHA-256 of what was shown."""

    id: ObjectId
    version: Version
    sha256: Sha256


class NoticeReference(Contract):
    """Which information notice was given. Without `id`: the form's notice."""

    id: ObjectId | None = None
    version: NoticeVersion
    sha256: Sha256
    language: Language | None = None


class ListReference(Contract):
    """Which version of the recipient list the person could see, and when it was displayed."""

    id: ObjectId
    version: Version
    sha256: Sha256
    displayed_at: Instant | None = None


class Action(Contract):
    """The person's act. `confirmed_by`: how the person confirmed it apart (`double_opt_in`, `signature`), or null."""

    type: Literal["checkbox", "button", "signature", "oral_recorded", "double_opt_in"]
    default_state: Literal["off", "on", "none"] | None = None
    confirmed_by: Word | None = None


class Decision(Contract):
    """One choice: channel and purpose, for all listed recipients or some named ones."""

    channel: Channel
    purpose: Purpose
    value: DecisionValue
    recipients: Literal["all_listed"] | Annotated[tuple[PartyId, ...], Field(min_length=1, max_length=MAX_RECIPIENTS)]
    sector: Sector | None = None
    object: Annotated[str, StringConstraints(max_length=300)] | None = None
    valid_until: Day | None = None
    related_to_profession: bool | None = None
    post_information: PostInformation | None = None


class Relationship(Contract):
    """An existing relation that an exception to consent rests on (CPCE L.34-5 al. 4, C. conso. L.223-1)."""

    with_: PartyId = Field(alias="with")
    kind: Literal["customer", "contract_in_course", "account"]
    since: Instant | None = None
    until: Instant | None = None
    details_from_person: bool | None = None
    collected_during: Literal["sale", "service", "account", "other"] | None = None
    analogous: bool | None = None
    opt_out_offered: bool | None = None


class Context(Contract):
    """Circumstances; all personal, all optional (collect no more than needed)."""

    source_url: Text | None = None
    ip: Text | None = None
    user_agent: Text | None = None
    session: Text | None = None


class Attachment(Contract):
    """A piece of evidence stored apart, by its hash."""

    kind: Word
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0, le=2**40)]


class ConsentCollected(Contract):
    """Data of `opposable.consent.collected.v1`."""

    consent_id: Uuid
    collected_at: Instant
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    country: Country
    subject_ref: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    audience: Audience
    age_band: AgeBand = "unknown"
    parental_consent: bool | None = None
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1, max_length=MAX_CONTACTS)]
    form: FormReference
    notice: NoticeReference | None = None
    """Explicit null = no notice was given; left out = the form version's own notice."""
    recipient_list: ListReference | None = None
    action: Action
    decisions: Annotated[tuple[Decision, ...], Field(min_length=1, max_length=MAX_DECISIONS)]
    relationship: Relationship | None = None
    medium: Medium = "web"
    via: Annotated[tuple[PartyId, ...], Field(max_length=16)] = ()
    context: Context | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=32)] = ()
