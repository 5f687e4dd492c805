"""What one Kafka record becomes in a log. Pure: the same record gives the same bytes, for ever.

An entry is the public-profile JSON (RFC 8785 on its profile) of `{facts, offset, partition, topic, ts, v}`: no wall
clock, no randomness, no personal data. It is stored and hashed as exact bytes, never serialised again to verify.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from services.proof_archive.evidence.citations import Citation, citations_of
from shared import canonical
from shared.crypto.checkpoint import Origin
from shared.errors import IntegrityError
from shared.kafka.record import Record
from shared.topics import CONSENTS, ERASURES, REGISTRY, REQUESTS, STOPS, VERDICTS
from shared.verdicts import is_committed, opened_of

VERSION = 1
"""Format of an entry."""

INLINE_MOST = 48 * 1024
"""Bytes of facts that an entry holds itself; longer ones stand beside it, named by their SHA-256 (an entry is at most 65 535 B)."""

UNREADABLE = "unreadable"
"""Kind of an entry whose record holds no facts in the public profile: only its hash and length are kept."""

LINES_LOST = "LINES-DIFFER"
"""Flaw of a verdict beside which what it commits to is missing, or is something else: nobody can ever be shown its lines."""

NOT_PUBLIC = ("api_keys", "delivery")
"""Fields of a registry object that no log shows."""

REFERENCES = ("record", "stop", "order", "request", "proof_of", "operation")
"""Facts that name what an entry is about: each gives a reference `<name>:<value>`."""

_OWNING = {
    CONSENTS.name: ("consent.recorded", "record"),
    STOPS.name: ("stop.recorded", "stop"),
    REQUESTS.name: ("request.received", "request"),
}
"""By topic: the kind whose personal data is kept, and the fact that names its key."""

_REGISTRY_KEY = re.compile(rb"[a-z]+:[A-Za-z0-9._:-]{1,160}")
_REFERENCE_MOST = 256


@dataclass(frozen=True, slots=True)
class Sealed:
    """The personal data of a record, encrypted under its own key. `owner` is the key's name in the vault."""

    owner: str
    kind: str
    blob: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, ready to be sequenced. `body` is set where the facts stand beside the entry; `flaw` is a stable code."""

    offset: int
    data: bytes
    refs: tuple[str, ...] = ()
    body: bytes | None = None
    sealed: Sealed | None = None
    flaw: str | None = None
    erased: tuple[str, ...] = ()
    """Owners whose personal data this record says is erased (topic `erasures`)."""
    restricted: tuple[str, ...] = ()
    """Owners whose personal data this record says is kept for legal claims only."""
    ts: int = 0
    """When the broker took the record, in milliseconds."""
    cited: tuple[Citation, ...] = ()
    """The files it names by their hash."""
    aside: bytes | None = None
    """What a verdict commits to, kept beside the entry: no log shows it."""


def origin(deployment: str, topic: str, incarnation: str, partition: int) -> str:
    """Name of the log of one partition: `<deployment>/<topic>/<incarnation>/p<NN>`."""
    return str(Origin(deployment, topic, incarnation, partition))


def entry_of(record: Record) -> Entry:
    """The entry of a record: a function of the record alone. Never raises on content."""
    try:
        value = canonical.loads(record.value or b"")
        facts = _facts_of(record.topic, value)
        canonical.check(facts)
        facts_bytes = canonical.dumps(facts)
    except (ValueError, TypeError, IntegrityError):  # not JSON, not an object, nested too deep, outside the profile
        return _unreadable(record)
    body = None
    if len(facts_bytes) > INLINE_MOST:
        body = facts_bytes
        facts_bytes = canonical.dumps({"bytes": len(body), "sha256": canonical.sha256_hex(body)})
    sealed, flaw = _sealed_of(record.topic, facts, value.get("sealed"))
    aside = None
    if record.topic == VERDICTS.name and is_committed(facts):
        try:
            aside = opened_of(facts, value.get("opened")).marshal()
        except (ValueError, TypeError, IntegrityError):
            flaw = LINES_LOST
    return Entry(
        record.offset,
        _entry_bytes(record, facts_bytes),
        _refs_of(record, facts),
        body,
        sealed,
        flaw,
        erased=_said_by(record.topic, facts, ("erased", "shredded")),
        restricted=_said_by(record.topic, facts, ("restricted",)),
        ts=record.timestamp,
        cited=citations_of(record.topic, facts),
        aside=aside,
    )


def owner_of(topic: str, facts: dict[str, Any]) -> str | None:
    """Name in the vault of the key that sealed a record's personal data, where the archive keeps such data.

    Only of what was accepted: what a refused conflict says is sealed under the same key, and must not take its place.
    """
    kind, name = _OWNING.get(topic, ("", ""))
    value = facts.get(name)
    if facts.get("kind") != kind or not isinstance(value, str):
        return None
    return value if name == "record" else f"{name}/{value}"


def _facts_of(topic: str, value: Any) -> dict[str, Any]:
    if topic == REGISTRY.name:  # the object itself, without envelope
        facts = {name: item for name, item in value.items() if name not in NOT_PUBLIC} if _is_object(value) else None
    else:
        facts = value.get("facts") if _is_object(value) else None
    if not isinstance(facts, dict):
        raise IntegrityError("no facts")
    return facts


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _entry_bytes(record: Record, facts: bytes) -> bytes:
    # The canonical object written out: its keys in order, the facts already canonical (twice as fast as one more dump).
    return b'{"facts":%b,"offset":%d,"partition":%d,"topic":%b,"ts":%d,"v":%d}' % (
        facts,
        record.offset,
        record.partition,
        canonical.dumps(record.topic),
        record.timestamp,
        VERSION,
    )


def _unreadable(record: Record) -> Entry:
    value = record.value or b""
    facts = canonical.dumps({"bytes": len(value), "kind": UNREADABLE, "sha256": canonical.sha256_hex(value)})
    return Entry(record.offset, _entry_bytes(record, facts), flaw="UNREADABLE")


def _refs_of(record: Record, facts: dict[str, Any]) -> tuple[str, ...]:
    if record.topic == REGISTRY.name:
        key = record.key or b""
        return (f"registry:{key.decode()}",) if _REGISTRY_KEY.fullmatch(key) else ()
    found = ((name, facts.get(name)) for name in REFERENCES)
    return tuple(f"{name}:{value}" for name, value in found if isinstance(value, str) and len(value) <= _REFERENCE_MOST)


def _sealed_of(topic: str, facts: dict[str, Any], encoded: Any) -> tuple[Sealed | None, str | None]:
    owner, kind = owner_of(topic, facts), facts.get("kind")
    if encoded is None or owner is None:
        return None, None
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None, "SEALED-UNREADABLE"
    return Sealed(owner, str(kind), blob), None


def _said_by(topic: str, facts: dict[str, Any], endings: tuple[str, ...]) -> tuple[str, ...]:
    """The owners of an entry of `erasures` whose kind ends so: its record, and those that go with it (`also`)."""
    record, kind, also = facts.get("record"), facts.get("kind"), facts.get("also", [])
    if topic != ERASURES.name or not isinstance(kind, str) or not kind.endswith(endings) or not isinstance(record, str):
        return ()
    more = [owner for owner in also if isinstance(owner, str)] if isinstance(also, list) else []
    return (record, *more)
