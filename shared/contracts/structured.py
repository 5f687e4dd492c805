"""An event as HTTP partners get it, by webhook and by feed: CloudEvents 1.0 in structured mode, `data` as it was published."""

from __future__ import annotations

import orjson

from shared.contracts.envelope import Envelope

CONTENT_TYPE = "application/cloudevents+json"


def to_structured(envelope: Envelope, data: bytes, time: str) -> bytes:
    """The event's JSON. `data`: JSON bytes, kept as they are; `time`: when the broker stored it, so that it never changes.

    Raises ValueError where `data` is no JSON: one such event would make a whole page unreadable.
    """
    orjson.loads(data)
    head = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "time": time,
        "datacontenttype": "application/json",
        "data": orjson.Fragment(data),
    }
    return orjson.dumps(head)
