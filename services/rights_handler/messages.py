"""The events we publish to parties and to the archive, built from stored values only: publishing twice gives the same bytes.

Contracts: `opposable.stop.ordered.v1`, `opposable.permission.granted|refused|ended.v1`, and the internal kinds
`delivery.ordered|reminded|acknowledged|escalated`; orders of rights (RGPD 19): `right_orders`. Event ids derive from what caused them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Decision, Grant
from services.rights_handler.kinds import request_of
from services.rights_handler.persons import Person
from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.kafka.publisher import Headers, Outgoing
from shared.topics import DELIVERIES, OUT_PERMISSIONS, OUT_WITHDRAWALS

SOURCE = "opposable/rights_handler"
ORDERED = "opposable.stop.ordered.v1"
GRANTED = "opposable.permission.granted.v1"
REFUSED = "opposable.permission.refused.v1"
ENDED = "opposable.permission.ended.v1"

MatchKeys = Sequence[dict[str, str]]


def event_id(*cause: str) -> str:
    """40 hex digits of SHA-256 over the cause: the same cause always gives the same event."""
    return hashlib.sha256("\0".join(cause).encode()).hexdigest()[:40]


def order(row: Delivery, grant: Grant, person: Person | None, match_keys: MatchKeys) -> Outgoing:
    """The order of a delivery for its party. Without `person` (erased since) it still names the consent and the order."""
    body = {
        "order_id": row.order,
        "stop_id": row.stop,
        "match_keys": match_keys,
        "consent_ids": [grant.consent_id],
        "source_refs": [person.subject_ref] if person is not None and person.subject_ref is not None else [],
        "recipients": _recipients_shown(row, grant),
        "channels": row.channels,
        "purposes": row.purposes,
        "at": row.at,
        "kind": row.kind,
        "ack_due_at": row.ack_due_at,
        "reminder": row.reminders,
    }
    if row.state == "escalated":
        body["escalated"] = True  # the party's data protection contact and an operator are told too
    headers = headers_of(event_id("order", row.order, str(row.reminders)), ORDERED)
    return Outgoing(OUT_WITHDRAWALS.of(row.party), row.order.encode(), canonical.dumps(body), headers)


def granted(grant: Grant, decision: Decision, index: int | str, *, person: Person, match_keys: MatchKeys, stop_url: str,
            proof_url: str, notice_due_at: str | None) -> Outgoing:  # fmt: skip
    """Say "you may": one line of one record. `index`: the line's place in the verdict."""
    line = decision.line
    body = {
        **_about(grant, decision),
        "source_ref": person.subject_ref,
        "match_keys": match_keys,
        "object": line.object,
        "valid_until": line.valid_until,
        "basis": line.basis,
        "notice_due_at": notice_due_at,
        "stop_url": stop_url,
        "proof_url": proof_url,
    }
    return _permission(GRANTED, grant, decision, index, body)


def refused(grant: Grant, decision: Decision, index: int) -> Outgoing:
    """Say "you may not": the consent names this party but does not hold for it; the lead must not be used.

    Neither contacts nor references: a party that may not use a person's data is given nothing to find the person by.
    """
    return _permission(REFUSED, grant, decision, index, {**_about(grant, decision), "reasons": list(decision.reasons)})


def ended(grant: Grant, decision: Decision, index: int | str) -> Outgoing:
    """Say "you may no longer": whatever was granted before for this line."""
    return _permission(ENDED, grant, decision, index, {**_about(grant, decision), "reasons": list(decision.reasons)})


def fact(kind: str, row: Delivery, *, event: str, **more: Any) -> Outgoing:
    """An internal event about a delivery, for the archive: the propagation proof. No personal data, no pseudonym."""
    request = request_of(row.stop)
    facts = {
        "kind": kind,
        "v": 1,
        "order": row.order,
        **({"stop": row.stop} if request is None else {"request": request, "right": row.kind}),
        "party": row.party,
        "record": row.record,
        **more,
    }
    headers = headers_of(event_id(kind, row.order, event), f"opposable.{kind}.v1")
    return Outgoing(DELIVERIES.name, row.order.encode(), canonical.dumps({"facts": facts}), headers)


def ordered_fact(row: Delivery) -> Outgoing:
    """`delivery.ordered`, or `delivery.reminded` for a repetition."""
    return fact(
        "delivery.reminded" if row.reminders else "delivery.ordered", row, event=str(row.reminders),
        recipients=row.recipients, channels=row.channels, purposes=row.purposes, at=row.at, ack_due_at=row.ack_due_at,
        reminder=row.reminders,
    )  # fmt: skip


def _recipients_shown(row: Delivery, grant: Grant) -> str | tuple[str, ...]:
    """Whom the stop names, as far as this party may know: those who passed the data on see all, a recipient only itself."""
    if row.recipients == "all" or row.party == grant.collector or row.party in grant.via:
        return row.recipients
    return (row.party,)


def _about(grant: Grant, decision: Decision) -> dict[str, Any]:
    line = decision.line
    return {
        "record": grant.record,
        "consent_id": grant.consent_id,
        "collector": grant.collector,
        "channel": line.channel,
        "purpose": line.purpose,
        "sector": line.sector,
        "collected_at": grant.collected_at,
        "ruleset": grant.ruleset,
    }


def _permission(kind: str, grant: Grant, decision: Decision, index: int | str, body: dict[str, Any]) -> Outgoing:
    recipient = str(decision.line.recipient)
    headers = headers_of(event_id(kind, grant.record, grant.vid, str(index)), kind)
    return Outgoing(OUT_PERMISSIONS.of(recipient), grant.record.encode(), canonical.dumps(body), headers)


def headers_of(identity: str, kind: str) -> Headers:
    """The envelope of an event of ours."""
    return (("ce_id", identity.encode()), *_headers_but_id(kind))


@cache
def _headers_but_id(kind: str) -> Headers:
    """What every event of a type has in common: made once, since bulk imports publish thousands a second."""
    envelope = Envelope(id="-", source=SOURCE, type=kind, time=None)
    return tuple(header for header in to_headers(envelope) if header[0] != "ce_id")
