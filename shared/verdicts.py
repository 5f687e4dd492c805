"""Events of the topic `verdicts`: facts that commit to each line apart, and beside them the lines themselves.

The facts of version 2 hold one commitment for each line of the verdict and for each registry version that it relied on.
What is committed to travels beside them (`opened`): the lines, the references, and the secret from which the salt of each
is derived. The log keeps the facts; so whoever is shown one line, with its salt, learns that it is the one committed to,
how many others there are, and nothing of them (docs/decisions/0025).

    salt(p)       = HMAC-SHA256(secret, "verdict" ‖ 0x00 ‖ p)         p = /lines/<n> or /references/<n>
    commitment(p) = base64url(HMAC-SHA256(salt(p), p ‖ 0x00 ‖ canonical JSON of the value))

Version 1, of entries made before, holds lines and references in the facts themselves.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from shared import canonical
from shared.crypto.encoding import b64, unb64
from shared.crypto.sealing import KEY_SIZE, commitment_of
from shared.errors import IntegrityError

KIND = "consent.assessed"
VERSION = 2
COMMITTED = {"lines": "line_commitments", "references": "reference_commitments"}
"""What is committed to, and the fact that lists its commitments in order."""

_LABEL = b"verdict\x00"
_FIELDS = {"secret", *COMMITTED}


@dataclass(frozen=True, slots=True)
class Opened:
    """What the facts of a verdict commit to. `secret`: 32 bytes, drawn for this verdict alone; never handed out."""

    secret: bytes
    lines: Sequence[Mapping[str, Any]]
    references: Sequence[Mapping[str, Any]]

    def values(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each line and each reference, by its pointer."""
        for name, items in (("lines", self.lines), ("references", self.references)):
            for index, item in enumerate(items):
                yield f"/{name}/{index}", item

    def salt(self, pointer: str) -> bytes:
        """The salt of one line or reference: what a disclosure of it hands over (32 bytes)."""
        return hmac.digest(self.secret, _LABEL + pointer.encode(), "sha256")

    def commitments(self) -> dict[str, list[str]]:
        """The facts that commit to it all."""
        found: dict[str, list[str]] = {fact: [] for fact in COMMITTED.values()}
        for pointer, value in self.values():
            commitment = commitment_of(self.salt(pointer), pointer, value)
            found[COMMITTED[pointer.split("/")[1]]].append(commitment)
        return found

    def marshal(self) -> bytes:
        """Canonical bytes, secret included: what the archive keeps beside the entry."""
        return canonical.dumps(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Its form in an event."""
        return {"secret": b64(self.secret), "lines": list(self.lines), "references": list(self.references)}

    @classmethod
    def read(cls, value: Any) -> Self:
        """From its form in an event. Raises IntegrityError on any other form."""
        if not isinstance(value, dict) or value.keys() != _FIELDS or not isinstance(value["secret"], str):
            raise IntegrityError("not what a verdict commits to")
        lines, references, secret = value["lines"], value["references"], unb64(value["secret"])
        if len(secret) != KEY_SIZE or not (_are_objects(lines) and _are_objects(references)):
            raise IntegrityError("not what a verdict commits to")
        return cls(secret, lines, references)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `marshal` wrote."""
        return cls.read(canonical.loads(data))


def event_of(facts: Mapping[str, Any], opened: Opened) -> dict[str, Any]:
    """The event of a verdict: `facts` are those that concern no line."""
    return {"facts": {**facts, "v": VERSION, **opened.commitments()}, "opened": opened.as_dict()}


def is_committed(facts: Mapping[str, Any]) -> bool:
    """Whether these are facts of a verdict that commits to its lines, rather than holding them."""
    return facts.get("kind") == KIND and facts.get("v") == VERSION


def opened_of(facts: Mapping[str, Any], value: Any) -> Opened:
    """What the facts commit to, checked against each commitment. Raises IntegrityError where it is anything else."""
    opened = Opened.read(value)
    canonical.check(value)
    if any(facts.get(fact) != found for fact, found in opened.commitments().items()):
        raise IntegrityError("the lines beside a verdict are not those that it commits to")
    return opened


def said(event: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an internal event, with `lines` and `references` where it is a verdict, of either version.

    Raises IntegrityError where a verdict's lines are not those that its facts commit to.
    """
    facts: dict[str, Any] = event["facts"]
    if not is_committed(facts):
        return facts
    opened = opened_of(facts, event.get("opened"))
    return {**facts, "lines": opened.lines, "references": opened.references}


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
