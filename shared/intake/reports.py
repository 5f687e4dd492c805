"""Accepts what else a party says on `in.<party>.rights`: requests of persons, acknowledgements, reports (contracts.md).

Free text and contacts go into the sealed part; the rest becomes facts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from shared.contracts.envelope import Envelope
from shared.contracts.partner_rights import (
    ContactAttempted,
    DataTransferred,
    NoticeGiven,
    OrderAcknowledged,
    RightRequested,
)
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.accepted import Accepted, contacts_of, content_of, instant_text, pointers_of, read, types_of
from shared.intake.signatures import ack_text, signed_by
from shared.registry.view import RegistryView

_REQUEST = TypeAdapter(RightRequested)
_ACKNOWLEDGED = TypeAdapter(OrderAcknowledged)
_NOTICE = TypeAdapter(NoticeGiven)
_TRANSFERRED = TypeAdapter(DataTransferred)
_ATTEMPTED = TypeAdapter(ContactAttempted)


def accept_request(envelope: Envelope, data: bytes, received_at: datetime, registry: RegistryView) -> Accepted:
    """A person's request. `asked_at` (capped at receipt) starts the month of RGPD 12(3)."""
    model = read(_REQUEST, data)
    warnings: list[Problem] = []
    contacts = contacts_of(model.contacts, model.country or _country(envelope, registry), warnings)
    if not (contacts or model.subject_ref or model.record):
        raise _nobody()
    sealed: dict[str, Any] = {"contacts": contacts} if contacts else {}
    if model.subject_ref:
        sealed |= {"subject_ref": model.subject_ref, "collector_ref": model.collector or envelope.source}
    if model.details:
        sealed["details"] = model.details
    facts = _head("request.received", envelope, received_at) | {
        "request": f"{envelope.source}/{model.request_id}",
        "request_id": model.request_id,
        "right": model.right,
        "asked_at": format_instant(min(model.received_at, received_at)),
        "record": model.record,
        "contact_types": types_of(contacts),
        "identity": {"verified": model.identity.verified, "method": model.identity.method},
    }
    record_id = f"request/{envelope.source}/{model.request_id}"
    return _accepted(record_id, facts, sealed, data, warnings)


def accept_acknowledgement(envelope: Envelope, data: bytes, received_at: datetime, registry: RegistryView) -> Accepted:
    """A party's answer to an order. Where it is signed, the signature must hold (`shared.intake.signatures`)."""
    model = read(_ACKNOWLEDGED, data)
    party = registry.party(envelope.source)
    text = ack_text(model.order_id, model.status, instant_text(model.applied_at), instant_text(model.last_send_at))
    key = None if model.signature is None else signed_by(model.signature, text, party.public_keys if party else ())
    facts = _head("order.acknowledged", envelope, received_at) | {
        "order": model.order_id,
        "status": model.status,
        "applied_at": instant_text(model.applied_at),
        "last_send_at": instant_text(model.last_send_at),
        "signature": model.signature,
        "signed_by": key,
    }
    return _report(envelope, facts, {"reason": model.reason} if model.reason else {}, data)


def accept_notice(envelope: Envelope, data: bytes, received_at: datetime, _: RegistryView) -> Accepted:
    """The prospecteur gave the information of RGPD 14."""
    model = read(_NOTICE, data)
    facts = _head("notice.given", envelope, received_at) | {
        "record": model.record,
        "at": format_instant(model.at),
        "channel": model.channel,
    }
    return _report(envelope, facts, {}, data)


def accept_transfer(envelope: Envelope, data: bytes, received_at: datetime, _: RegistryView) -> Accepted:
    """Who really received what."""
    model = read(_TRANSFERRED, data)
    facts = _head("data.transferred", envelope, received_at) | {
        "record": model.record,
        "to": model.to,
        "at": format_instant(model.at),
        "fields": list(model.fields),
    }
    return _report(envelope, facts, {}, data)


def accept_attempt(envelope: Envelope, data: bytes, received_at: datetime, registry: RegistryView) -> Accepted:
    """One call or message."""
    model = read(_ATTEMPTED, data)
    warnings: list[Problem] = []
    contacts = contacts_of(model.contacts, model.country or _country(envelope, registry), warnings)
    if not (contacts or model.record):
        raise _nobody()
    sealed: dict[str, Any] = {"contacts": contacts} if contacts else {}
    if model.campaign:
        sealed["campaign"] = model.campaign
    facts = _head("contact.attempted", envelope, received_at) | {
        "record": model.record,
        "channel": model.channel,
        "at": format_instant(model.at),
        "outcome": model.outcome,
        "contact_types": types_of(contacts),
    }
    return _accepted(f"report/{envelope.source}/{envelope.id}", facts, sealed, data, warnings)


def _report(envelope: Envelope, facts: dict[str, Any], sealed: dict[str, Any], data: bytes) -> Accepted:
    return _accepted(f"report/{envelope.source}/{envelope.id}", facts, sealed, data, [])


def _accepted(
    record_id: str, facts: dict[str, Any], sealed: dict[str, Any], data: bytes, warnings: list[Problem]
) -> Accepted:
    return Accepted(
        facts["kind"], record_id, facts, sealed, pointers_of(sealed), content_of(data), warnings=warnings
    )  # fmt: skip


def _head(kind: str, envelope: Envelope, received_at: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "v": 1,
        "source": envelope.source,
        "event_id": envelope.id,
        "received_at": format_instant(received_at),
    }


def _country(envelope: Envelope, registry: RegistryView) -> str | None:
    party = registry.party(envelope.source)
    return party.country if party is not None else None


def _nobody() -> InputError:
    return InputError([Problem("REQUEST-NOBODY", "/contacts", "give a contact, a subject_ref or a record")])
