"""What the platform tells a party: receipts, permissions, stop orders and right orders (contracts.md).

Services write these as canonical JSON; the models document them, feed the JSON Schemas and read them back in clients.
"""

from __future__ import annotations

from typing import Any, Literal

from shared.contracts.types import (
    Channel,
    Contract,
    EventId,
    Instant,
    OrderId,
    PartyId,
    Purpose,
    RecordId,
    Right,
    Sector,
    StopKind,
    Uuid,
)

RECEIPT = "opposable.receipt.v1"
PERMISSION_GRANTED = "opposable.permission.granted.v1"
PERMISSION_REFUSED = "opposable.permission.refused.v1"
PERMISSION_ENDED = "opposable.permission.ended.v1"
STOP_ORDERED = "opposable.stop.ordered.v1"
RIGHT_ORDERED = "opposable.right.ordered.v1"
LIST_CHANGED = "opposable.list.changed.v1"
AGREEMENT_EXPIRING = "opposable.agreement.expiring.v1"
REGISTRY_DECIDED = "opposable.registry.decided.v1"
SUBPROCESSOR_CHANGING = "opposable.subprocessor.changing.v1"
BREACH_NOTIFIED = "opposable.breach.notified.v1"

Basis = Literal[
    "consent", "soft_opt_in", "contract_in_course", "press_exemption", "legitimate_interest", "none"
]  # fmt: skip


class ProblemLine(Contract):
    """One reason: stable code, JSON pointer ("" = the whole input), sentence without the value."""

    code: str
    pointer: str
    message: str


class Receipt(Contract):
    """The answer to one input, whatever happened to it. Problems of an accepted input are warnings."""

    event_id: str
    consent_id: Uuid | None = None
    status: Literal["accepted", "duplicate", "conflict", "rejected"]
    problems: tuple[ProblemLine, ...] = ()
    received_at: Instant
    receipt_27560: dict[str, Any] | None = None


class MatchKey(Contract):
    """A contact under the party's own key: what that party computes over its own file."""

    type: str
    key: str


class PermissionLine(Contract):
    """What a permission speaks of."""

    record: RecordId
    consent_id: Uuid
    collector: PartyId
    source_ref: str | None = None
    match_keys: tuple[MatchKey, ...] = ()
    channel: Channel
    purpose: Purpose
    sector: Sector
    object: str | None = None
    collected_at: Instant
    ruleset: str


class PermissionGranted(PermissionLine):
    """You may, on this channel, for this purpose, until then, unless a stop says otherwise."""

    valid_until: Instant
    basis: Basis
    notice_due_at: Instant | None = None
    stop_url: str | None = None
    proof_url: str | None = None


class PermissionRefused(PermissionLine):
    """The consent names you but does not hold: do not use the lead."""

    reasons: tuple[str, ...]


class PermissionEnded(PermissionLine):
    """A permission given earlier has ended (expired, invalidated, superseded)."""

    reasons: tuple[str, ...]


class StopOrdered(Contract):
    """Stop, now; acknowledge by `ack_due_at`."""

    order_id: OrderId
    stop_id: str
    match_keys: tuple[MatchKey, ...] = ()
    consent_ids: tuple[Uuid, ...] = ()
    source_refs: tuple[str, ...] = ()
    recipients: Literal["all"] | tuple[PartyId, ...] = "all"
    """For whom the person stopped: a collector told of a stop addressed to one prospecteur keeps the others."""
    channels: Literal["all"] | tuple[Channel, ...]
    purposes: Literal["all"] | tuple[Purpose, ...]
    at: Instant
    kind: StopKind
    ack_due_at: Instant
    reminder: int = 0
    escalated: bool = False
    """Its due time has passed: the party's data protection contact and an operator are told too."""


class RightOrdered(Contract):
    """A person's request, relayed (RGPD 19): correct, erase, or suspend every use; acknowledge by `due_at` as a stop order."""

    order_id: OrderId
    request_id: EventId
    source: str | None = None
    """Where the request came in: with `request_id`, its name."""
    right: Right
    match_keys: tuple[MatchKey, ...] = ()
    consent_ids: tuple[Uuid, ...] = ()
    source_refs: tuple[str, ...] = ()
    asked_at: Instant | None = None
    due_at: Instant
    details_url: str | None = None
    """A rectification: where the recipient reads, with its key, what is to be corrected."""
    reminder: int = 0
    escalated: bool = False
    """Its due time has passed: the party's data protection contact and an operator are told too."""


class ListChanged(Contract):
    """A new version of a list names you, no longer names you, or names you for other things (then `channels` says which).

    It speaks only for persons who see that version: consents given before keep their worth, and give no new one.
    """

    collector: PartyId
    list: str
    version: int
    previous: int
    change: Literal["added", "removed", "changed"]
    channels: tuple[Channel, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    published_at: Instant
    archived_at: Instant | None = None


class AgreementExpiring(Contract):
    """An agreement of yours ends in 60, 30 or 7 days: without a new version no later consent reaches the prospecteur."""

    agreement: str
    version: int
    collector: PartyId
    prospector: PartyId
    valid_until: str
    days: int


class BreachNotified(Contract):
    """A breach of personal data that you collected or may hold (RGPD 33(2)): acknowledge it to the operator.

    Your own numbers only; `persons` is at most. `text` is the notice in French.
    """

    breach: str
    noticed_at: Instant
    began_at: Instant | None = None
    ended_at: Instant | None = None
    natures: tuple[str, ...]
    data: tuple[str, ...]
    records: int | None = None
    persons: int | None = None
    text: str


class SubProcessorChanging(Contract):
    """The operator adds, changes or no longer uses a sub-processor (RGPD 28(2)). `text` is the notice in French.

    You may object until `objections_until`, that day included, before it takes effect on `starts_on`.
    """

    subprocessor: str
    version: int
    change: Literal["listed", "added", "changed", "ended"]
    legal_name: str
    country: str
    locations: tuple[str, ...]
    service: str
    data: str
    starts_on: str
    objections_until: str | None = None
    ends_on: str | None = None
    text: str


class RegistryDecided(Contract):
    """The operator's decision on a document that you submitted for the registry."""

    submission: str
    key: str
    state: Literal["applied", "refused"]
    reason: str | None = None
