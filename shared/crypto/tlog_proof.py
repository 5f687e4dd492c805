"""Offline proofs that an entry stands in a log: `c2sp.org/tlog-proof@v1` (C2SP tlog-proof, draft).

One text: header, optional `extra <base64>`, `index <decimal>`, the inclusion proof one base64 hash a line, a blank
line, then the log's checkpoint note as it was published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shared.crypto.checkpoint import parse_decimal
from shared.crypto.encoding import b64, unb64
from shared.crypto.merkle import HASH_SIZE
from shared.errors import IntegrityError

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 64
"""A tree of 2^63 leaves is no deeper."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """`index` of the entry, its inclusion proof (32-byte hashes from the leaf up), the checkpoint note's bytes.

    `extra` is not authenticated by anything.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def marshal(self) -> bytes:
        """The proof's bytes."""
        head = [HEADER]
        if self.extra is not None:
            head.append(f"extra {b64(self.extra)}")
        head += [f"index {self.index}", *map(b64, self.hashes)]
        return "\n".join(head).encode() + b"\n\n" + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a proof. Raises IntegrityError naming the malformation; the checkpoint is not opened."""
        head, blank, checkpoint = data.partition(b"\n\n")
        if not blank:
            raise IntegrityError("the proof has no blank line before its checkpoint")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise IntegrityError("the proof's head is not ASCII") from error
        if lines.pop(0) != HEADER:
            raise IntegrityError(f"the proof does not start with {HEADER}")
        extra = unb64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index "):
            raise IntegrityError("the proof has no index")
        index = parse_decimal(lines.pop(0).removeprefix("index "))
        if len(lines) > MAX_HASHES:
            raise IntegrityError("the proof is too long")
        hashes = tuple(unb64(line) for line in lines)
        if any(len(item) != HASH_SIZE for item in hashes):
            raise IntegrityError("a hash of the proof is not 32 bytes")
        return cls(index, hashes, checkpoint, extra)
