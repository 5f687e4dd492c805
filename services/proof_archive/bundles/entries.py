"""Log entries as a bundle holds them: exact bytes, hashed as they are.

They are read only where they are canonical JSON of the public profile, which the archive always writes: one text, one
meaning, in whatever language a verifier is written (no repeated key, no number that readers round, no half of a pair).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from services.proof_archive.bundles.fact_types import Facts
from services.proof_archive.bundles.facts import instant_of, is_erasure, read_facts
from services.proof_archive.bundles.manifest import Count, Hash, Name, Reference, Strict
from services.proof_archive.verifying.codes import Refused
from shared import canonical
from shared.crypto.checkpoint import Origin
from shared.errors import IntegrityError

_LAST_MILLIS = 253_402_300_799_999  # 9999-12-31: the last day that an instant can name


class _Entry(Strict):
    """The form of an entry: the facts of one Kafka record and where it stood."""

    v: Literal[1]
    topic: Name
    partition: Count
    offset: Count
    ts: int = Field(ge=0, le=_LAST_MILLIS)
    facts: dict[str, Any]


class _Beside(Strict):
    """What stands for facts that are too long for an entry."""

    bytes: Count
    sha256: Hash


_BODY = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """An entry, read: its place in its log, when it was archived (`at`, the broker's clock), and its facts."""

    origin: str
    index: int
    topic: str
    partition: int
    offset: int
    at: str
    facts: Facts

    @property
    def kind(self) -> str:
        """What the entry is."""
        return self.facts.kind

    @property
    def is_erasure(self) -> bool:
        """Whether it states an erasure."""
        return is_erasure(self.topic, self.kind)

    def reference(self) -> Reference:
        """How a manifest lists it."""
        return Reference(origin=self.origin, index=self.index, topic=self.topic, kind=self.kind)


def read_entry(origin: str, index: int, data: bytes, body: bytes | None, where: str = "") -> ReadEntry:
    """Read an entry with the facts that stand beside it, if any. Raises Refused naming the member `where`."""
    try:
        entry = _Entry.model_validate(_canonical(data))
        canonical.check(entry.facts)
        facts = _facts(entry.facts, body, where)
        read = read_facts(entry.topic, facts)
    except (ValidationError, IntegrityError, ValueError, TypeError) as error:
        raise Refused("ENTRY-MALFORMED", where) from error
    return ReadEntry(origin, index, entry.topic, entry.partition, entry.offset, instant_of(entry.ts), read)


def check_place(entry: ReadEntry, deployment: str, where: str) -> None:
    """Raise Refused unless the entry says the same topic and partition as the log that holds it, of this deployment."""
    try:
        origin = Origin.parse(entry.origin)
    except IntegrityError as error:
        raise Refused("CHECKPOINT-DIFFERS", where) from error
    if (origin.deployment, origin.topic, origin.partition) != (deployment, entry.topic, entry.partition):
        raise Refused("CHECKPOINT-DIFFERS", where)


def _canonical(data: bytes) -> Any:
    """The value of these bytes. Raises ValueError, TypeError or IntegrityError unless the profile writes it so."""
    value = canonical.loads(data)
    if canonical.dumps(value) != data:
        raise IntegrityError("not canonical JSON")
    return value


def _facts(facts: dict[str, Any], body: bytes | None, where: str) -> dict[str, Any]:
    if facts.keys() != {"bytes", "sha256"}:
        if body is not None:
            raise Refused("ENTRY-BODY", where)
        return facts
    beside = _Beside.model_validate(facts)
    if body is None or len(body) != beside.bytes or canonical.sha256_hex(body) != beside.sha256:
        raise Refused("ENTRY-BODY", where)
    read = _canonical(body)
    canonical.check(read)
    return _BODY.validate_python(read, strict=True)
