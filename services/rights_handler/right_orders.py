"""`opposable.right.ordered.v1`: what each recipient is told of a person's request (RGPD 19), from stored values only.

A rectification is told where to read what is to be corrected: personal data stays out of topics (contracts.md).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Grant
from services.rights_handler.kinds import request_of
from services.rights_handler.messages import MatchKeys, event_id, headers_of
from services.rights_handler.persons import Person
from shared import canonical
from shared.contracts.platform import RIGHT_ORDERED
from shared.kafka.publisher import Outgoing
from shared.topics import OUT_REQUESTS


def is_right(row: Delivery) -> bool:
    """Whether an order relays a request, and no stop."""
    return request_of(row.stop) is not None


def right_order(row: Delivery, grant: Grant, person: Person | None, match_keys: MatchKeys, public_url: str) -> Outgoing:
    """The order of a delivery for its party. Without `person` (erased since) it still names the consent."""
    request = request_of(row.stop) or ""
    source, _, request_id = request.partition("/")
    body: dict[str, Any] = {
        "order_id": row.order,
        "request_id": request_id,
        "source": source,
        "right": row.kind,
        "match_keys": match_keys,
        "consent_ids": [grant.consent_id],
        "source_refs": [person.subject_ref] if person is not None and person.subject_ref is not None else [],
        "asked_at": row.at,
        "due_at": row.ack_due_at,
        "details_url": f"{public_url}/v1/requests/{quote(request)}/details" if row.kind == "rectification" else None,
        "reminder": row.reminders,
    }
    if row.state == "escalated":
        body["escalated"] = True  # the party's data protection contact and an operator are told too
    headers = headers_of(event_id("order", row.order, str(row.reminders)), RIGHT_ORDERED)
    return Outgoing(OUT_REQUESTS.of(row.party), request_id.encode(), canonical.dumps(body), headers)
