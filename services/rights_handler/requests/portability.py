"""The answer to a request of portability (RGPD 20): what the person provided, as JSON and as CSV, both machine-readable. Pure.

Provided: contacts, choices, and what was observed of the act (EDPB, WP 242). What was worked out (verdicts) is no part of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from services.rights_handler.requests.gathering import Found

COLUMNS = ("record", "collected_at", "field", "value")


def provided(found: Sequence[Found]) -> dict[str, Any]:
    """What the person provided, record by record; erased records have nothing left to give."""
    return {
        "format": "opposable.portability.v1",
        "records": [
            {
                "record": one.grant.record,
                "collector": one.grant.collector,
                "collected_at": one.grant.collected_at,
                "contacts": list(one.document.get("contacts") or ()),
                "context": dict(one.document.get("context") or {}),
                "choices": [
                    {
                        "recipient": line.recipient, "channel": line.channel, "purpose": line.purpose, "sector": line.sector,
                        "object": line.object, "value": line.value,
                    }
                    for line in one.grant.lines
                ],
            }
            for one in found
            if one.document is not None
        ],
    }  # fmt: skip


def as_csv(document: dict[str, Any]) -> bytes:
    """The same as CSV (RFC 4180, UTF-8), one row a value, every value quoted."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for record in document["records"]:
        for field, value in _values(record):
            writer.writerow([record["record"], record["collected_at"], field, value])
    return text.getvalue().encode()


def _values(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for contact in record["contacts"]:
        yield f"contact.{contact['type']}", contact["value"]
    for name, value in sorted(record["context"].items()):
        if value is not None:
            yield f"context.{name}", str(value)
    for choice in record["choices"]:
        about = (choice["recipient"] or "-", choice["channel"], choice["purpose"], choice["sector"])
        yield f"choice.{'.'.join(about)}", choice["value"]
