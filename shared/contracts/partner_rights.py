"""What a party says on `in.<party>.rights`: stops, rights, acknowledgements and reports (contracts.md).

A stop is written down here for the documentation; it is *read* by `shared.intake.stops`, which refuses none that can be
understood at all. The others are read strictly.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from shared.contracts.partner import MAX_CONTACTS, Contact, Text
from shared.contracts.types import (
    Channel,
    Contract,
    Country,
    EventId,
    Instant,
    OrderId,
    OrderStatus,
    PartyId,
    Purpose,
    RecordId,
    Right,
    StopKind,
    StopVia,
    Word,
)

STOP_REQUESTED = "opposable.stop.requested.v1"
RIGHT_REQUESTED = "opposable.right.requested.v1"
ORDER_ACKNOWLEDGED = "opposable.order.acknowledged.v1"
NOTICE_GIVEN = "opposable.notice.given.v1"
DATA_TRANSFERRED = "opposable.data.transferred.v1"
CONTACT_ATTEMPTED = "opposable.contact.attempted.v1"

SubjectRef = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class StopRequested(Contract):
    """A withdrawal, objection, STOP or refused call. Every field may be missing: a missing scope is the widest."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stop_id: EventId | None = None
    """Default: the event's own id."""
    at: Instant | None = None
    """When the person said so; capped at receipt, which is also the default."""
    country: Country | None = None
    """For phone numbers in national form; default: the party's country."""
    contacts: tuple[Contact, ...] = ()
    kind: StopKind = "objection"
    via: StopVia = "api"
    recipients: Literal["all"] | tuple[PartyId, ...] = "all"
    channels: Literal["all"] | tuple[Channel, ...] = "all"
    purposes: Literal["all"] | tuple[Purpose, ...] = "all"
    subject_ref: SubjectRef | None = None
    collector: PartyId | None = None
    """Whose `subject_ref` it is; default: the sender."""
    record: RecordId | None = None
    operator_reference: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    """Where whoever took it down keeps it: a letter, a call, an opposition list. Sealed with the contacts, never in clear."""
    received_by: PartyId | None = None
    """Who received it, where that is not the sender: a party, for a list that is imported for it."""


class Identity(Contract):
    """Whether the party checked who asks, and how (never asked for objections)."""

    verified: bool
    method: Word | None = None


class RightRequested(Contract):
    """A person's request (RGPD 15 to 20), or the dispute "I never consented"."""

    request_id: EventId
    right: Right
    received_at: Instant
    """When the party received it: the month of RGPD 12(3) runs from here."""
    country: Country | None = None
    contacts: Annotated[tuple[Contact, ...], Field(max_length=MAX_CONTACTS)] = ()
    subject_ref: SubjectRef | None = None
    collector: PartyId | None = None
    """Whose `subject_ref` it is; default: the sender."""
    record: RecordId | None = None
    identity: Identity
    details: Annotated[str, StringConstraints(max_length=4000)] | None = None


class OrderAcknowledged(Contract):
    """A party's business answer to an order (beyond transport)."""

    order_id: OrderId
    status: OrderStatus
    applied_at: Instant | None = None
    last_send_at: Instant | None = None
    reason: Text | None = None
    signature: Annotated[str, StringConstraints(max_length=4096)] | None = None


class NoticeGiven(Contract):
    """The prospecteur gave the information of RGPD 14."""

    record: RecordId
    at: Instant
    channel: Channel


class DataTransferred(Contract):
    """Who really received what."""

    record: RecordId
    to: PartyId
    at: Instant
    fields: Annotated[tuple[Word, ...], Field(max_length=64)] = ()


class ContactAttempted(Contract):
    """One call or message, answered or not: feeds the limit of calls and the "last possible send"."""

    record: RecordId | None = None
    contacts: Annotated[tuple[Contact, ...], Field(max_length=MAX_CONTACTS)] = ()
    country: Country | None = None
    channel: Channel
    at: Instant
    campaign: Text | None = None
    outcome: Word
