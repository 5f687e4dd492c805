"""Events of the topic `verdicts`: facts that commit to each line apart, and beside them the lines themselves.

The facts of version 2 hold one commitment for each line of the verdict. The lines travel beside them (`opened`), each with
the registry versions that it alone relies on, and with the secret from which the salt of each is derived. The log keeps the
facts; so whoever is shown one line, with its salt, learns that it is the one committed to, how many others there are, and
nothing of them (docs/decisions/0025).

    salt(n)       = HMAC-SHA256(secret, "verdict" ‖ 0x00 ‖ "/lines/<n>")
    commitment(n) = base64url(HMAC-SHA256(salt(n), "/lines/<n>" ‖ 0x00 ‖ canonical JSON of the line))

Version 1, of entries made before, holds the lines in the facts themselves.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from shared import canonical
from shared.crypto.encoding import b64, unb64
from shared.crypto.sealing import KEY_SIZE, commitment_of
from shared.errors import IntegrityError

KIND = "consent.assessed"
VERSION = 2
COMMITMENTS = "line_commitments"
"""The fact that lists the commitments, in the order of the lines."""

_LABEL = b"verdict\x00"
_FIELDS = {"secret", "lines"}


@dataclass(frozen=True, slots=True)
class Opened:
    """What the facts of a verdict commit to. `secret`: 32 bytes, drawn for this verdict alone; never handed out."""

    secret: bytes
    lines: Sequence[Mapping[str, Any]]

    def salt(self, pointer: str) -> bytes:
        """The salt of one line: what a disclosure of it hands over (32 bytes)."""
        return hmac.digest(self.secret, _LABEL + pointer.encode(), "sha256")

    def commitments(self) -> list[str]:
        """One for each line."""
        pointers = [pointer_of(index) for index in range(len(self.lines))]
        return [commitment_of(self.salt(p), p, line) for p, line in zip(pointers, self.lines, strict=True)]

    def marshal(self) -> bytes:
        """Canonical bytes, secret included: what the archive keeps beside the entry."""
        return canonical.dumps(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Its form in an event."""
        return {"secret": b64(self.secret), "lines": list(self.lines)}

    @classmethod
    def read(cls, value: Any) -> Self:
        """From its form in an event. Raises IntegrityError on any other form."""
        if not isinstance(value, dict) or value.keys() != _FIELDS or not isinstance(value["secret"], str):
            raise IntegrityError("not what a verdict commits to")
        lines, secret = value["lines"], unb64(value["secret"])
        if len(secret) != KEY_SIZE or not isinstance(lines, list) or not all(isinstance(one, dict) for one in lines):
            raise IntegrityError("not what a verdict commits to")
        return cls(secret, lines)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `marshal` wrote."""
        return cls.read(canonical.loads(data))


def pointer_of(index: int) -> str:
    """The name of a line in disclosures."""
    return f"/lines/{index}"


def event_of(facts: Mapping[str, Any], opened: Opened) -> dict[str, Any]:
    """The event of a verdict: `facts` are those that concern no line."""
    return {"facts": {**facts, "v": VERSION, COMMITMENTS: opened.commitments()}, "opened": opened.as_dict()}


def is_committed(facts: Mapping[str, Any]) -> bool:
    """Whether these are facts of a verdict that commits to its lines, rather than holding them."""
    return facts.get("kind") == KIND and facts.get("v") == VERSION


def opened_of(facts: Mapping[str, Any], value: Any) -> Opened:
    """The lines that the facts commit to, each checked. Raises IntegrityError where `value` is anything else."""
    opened = Opened.read(value)
    canonical.check(value)
    if facts.get(COMMITMENTS) != opened.commitments():
        raise IntegrityError("the lines beside a verdict are not those that it commits to")
    return opened


def relied_on(facts: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The registry versions that a verdict relied on: for all of its lines, then for these."""
    return [*facts.get("references", ()), *(one for line in lines for one in line.get("references", ()))]


def said(event: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an internal event, with all `lines` and `references` where it is a verdict, of either version.

    That the lines are those committed to is the archive's to check. Raises IntegrityError where they are missing.
    """
    facts: dict[str, Any] = event["facts"]
    if not is_committed(facts):
        return facts
    lines = Opened.read(event.get("opened")).lines
    return {**facts, "lines": lines, "references": relied_on(facts, lines)}
