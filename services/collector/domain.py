"""What the collector decides, without I/O: which records an input becomes, and what its sender is told.

An input ends in exactly one of: an internal event and `accepted`; `duplicate` (no effect); `conflict` (refused, archived);
`rejected` (its exact bytes in `dead`). Contracts: facts and sealed, receipts (contracts.md).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared import canonical
from shared.crypto.sealing import RecordKey, commitments, seal
from shared.errors import Problem
from shared.intake.accept import Accepted
from shared.topics import CONSENTS, REPORTS, REQUESTS, STOPS, TopicRow

EVENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")

TOPIC_OF_KIND: Mapping[str, TopicRow] = {
    "consent.recorded": CONSENTS,
    "stop.recorded": STOPS,
    "request.received": REQUESTS,
    "order.acknowledged": REPORTS,
    "notice.given": REPORTS,
    "data.transferred": REPORTS,
    "contact.attempted": REPORTS,
}

KEY_FIELDS = ("order", "record", "stop", "request")
"""Which fact names the Kafka key, first one present; a report about contacts only is keyed by its own id."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where an input stood."""

    topic: str
    partition: int
    offset: int

    def as_facts(self) -> dict[str, Any]:
        """Its form in facts."""
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset}

    @classmethod
    def parse(cls, coordinate: str) -> Position:
        """Read `topic/partition/offset`."""
        topic, partition, offset = coordinate.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))


def event_id_or_position(claimed: str | None, at: Position) -> str:
    """The sender's event id where it is usable, else an id made of where the input stood, so that it can be found."""
    if claimed is not None and EVENT_ID.fullmatch(claimed):
        return claimed
    return f"{at.topic}:{at.partition}:{at.offset}"


def internal_event(accepted: Accepted, key: RecordKey, at: Position) -> tuple[TopicRow, bytes, bytes]:
    """(topic, Kafka key, value) of the internal event: facts with commitments, and what is personal under the record key."""
    facts = {**accepted.facts, "source_position": at.as_facts()}
    body: dict[str, Any] = {"facts": facts}
    if accepted.sealed:
        facts["commitments"] = commitments(key, accepted.sealed, accepted.pointers)
        body["sealed"] = base64.b64encode(seal(key, accepted.kind, accepted.record_id, accepted.sealed)).decode()
    row = TOPIC_OF_KIND[accepted.kind]
    return row, _key(accepted), canonical.dumps(body)


def conflict_event(
    accepted: Accepted, key: RecordKey | None, owner: str, first: str, at: Position, event_id: str
) -> tuple[TopicRow, bytes, bytes]:
    """The archived trace of a refused conflict: who tried to say something else under the same id, sealed like the first.

    Without `key` (the first was erased) nothing personal is kept of the attempt either.
    """
    kind = accepted.kind.partition(".")[0] + ".conflict"
    facts: dict[str, Any] = {
        "kind": kind,
        "v": 1,
        "record": accepted.record_id,
        "kept": owner,
        "collector": accepted.facts.get("collector") or accepted.facts.get("source"),
        "event_id": event_id,
        "received_at": accepted.facts["received_at"],
        "first": Position.parse(first).as_facts(),
        "source_position": at.as_facts(),
    }
    body: dict[str, Any] = {"facts": facts}
    if accepted.sealed and key is not None:
        # No commitments: they would share each field's salt with the record kept (docs/decisions/0004).
        body["sealed"] = base64.b64encode(seal(key, kind, owner, accepted.sealed)).decode()
    return TOPIC_OF_KIND[accepted.kind], _key(accepted), canonical.dumps(body)


def _key(accepted: Accepted) -> bytes:
    facts = accepted.facts
    return str(next((facts[name] for name in KEY_FIELDS if facts.get(name)), accepted.record_id)).encode()


def receipt(
    event_id: str, status: str, received_at: str, *, consent_id: str | None = None, problems: Sequence[Problem] = ()
) -> bytes:
    """The answer to one input (`opposable.receipt.v1`). `problems` of an accepted input are warnings."""
    body: dict[str, Any] = {
        "event_id": event_id,
        "status": status,
        "problems": [p.as_dict() for p in problems],
        "received_at": received_at,
    }
    if consent_id is not None:
        body["consent_id"] = consent_id
    return canonical.dumps(body)
