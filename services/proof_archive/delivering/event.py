"""`proof.delivered`: a proof was handed over — of which record, to whom, in which format, which bytes. Pure; nothing personal.

The record stands under `proof_of`, not `record`: the event is found by its own reference (`proof_of:<record>`), so that
handing a proof over does not make the next proof of the same record longer.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.proof_archive.bundles.manifest import Audience
from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.instants import format_instant
from shared.kafka.publisher import Outgoing
from shared.topics import DELIVERIES

KIND = "proof.delivered"
SOURCE = "opposable/proof_archive"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A proof that was handed over. `id` is drawn once per delivery; `sha256` and `size` are those of the bytes given."""

    id: str
    record: str
    audience: Audience
    format: str
    sha256: str
    size: int
    at: datetime

    @classmethod
    def now(cls, record: str, audience: Audience, format_: str, content: bytes, at: datetime) -> Delivered:
        """The delivery of these bytes."""
        return cls(uuid.uuid4().hex, record, audience, format_, canonical.sha256_hex(content), len(content), at)

    def facts(self) -> dict[str, Any]:
        """What the log keeps."""
        return {
            "kind": KIND, "v": 1, "delivery": self.id, "proof_of": self.record, "scope": self.audience.scope,
            "party": self.audience.party, "format": self.format, "sha256": self.sha256, "bytes": self.size,
            "at": format_instant(self.at),
        }  # fmt: skip


def outgoing(facts: Mapping[str, Any]) -> Outgoing:
    """The event. Keyed by the record: all deliveries of one record stand in one log, in order."""
    envelope = Envelope(id=facts["delivery"], source=SOURCE, type=f"opposable.{KIND}.v1", time=None)
    value = canonical.dumps({"facts": dict(facts)})
    return Outgoing(DELIVERIES.name, facts["proof_of"].encode(), value, tuple(to_headers(envelope)))
