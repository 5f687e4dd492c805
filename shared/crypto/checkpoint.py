"""Checkpoints: the text by which a log states its size and root (C2SP tlog-checkpoint 1.0).

`origin`, size in decimal, base64 of the 32-byte root, then optional extension lines, one per line. The origins of this
system read `<deployment>/<topic>/<incarnation>/p<NN>`; their notes are signed by the key named `<deployment>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from shared.crypto.encoding import b64, unb64
from shared.crypto.merkle import HASH_SIZE, MAX_SIZE
from shared.errors import IntegrityError

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_MIN_LINES = 3
_ORIGIN = re.compile(
    r"(?P<deployment>[^\s+]+)/(?P<topic>[a-z]+)/(?P<incarnation>[0-9a-f]{16})/p(?P<partition>[0-9]{2,})"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's statement: `size` entries have this `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def marshal(self) -> str:
        """The text to sign."""
        return "\n".join((self.origin, str(self.size), b64(self.root), *self.extensions)) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a checkpoint's text. Raises IntegrityError naming the malformation."""
        lines = text.removesuffix("\n").split("\n")
        if not text.endswith("\n") or len(lines) < _MIN_LINES or not all(lines):
            raise IntegrityError("a checkpoint is at least three lines, none empty, each ended by a line feed")
        origin, size, root, *extensions = lines
        checkpoint = cls(origin, parse_decimal(size), unb64(root), tuple(extensions))
        if len(checkpoint.root) != HASH_SIZE:
            raise IntegrityError("a checkpoint's root is 32 bytes")
        return checkpoint


@dataclass(frozen=True, slots=True)
class Origin:
    """The parts of an origin of this system: one log per partition of a topic's incarnation (16 hexadecimal digits)."""

    deployment: str
    topic: str
    incarnation: str
    partition: int

    def __str__(self) -> str:
        return f"{self.deployment}/{self.topic}/{self.incarnation}/p{self.partition:02d}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an origin. Raises IntegrityError on any spelling but the one `str` writes."""
        match = _ORIGIN.fullmatch(text)
        if match is None:
            raise IntegrityError("the origin is not <deployment>/<topic>/<incarnation>/p<NN>")
        origin = cls(match["deployment"], match["topic"], match["incarnation"], int(match["partition"][:9]))
        if str(origin) != text:
            raise IntegrityError("the origin's partition is not written as p<NN>")
        return origin


def parse_decimal(text: str) -> int:
    """A size or index: ASCII decimal without leading zeroes, at most 2^63 - 1."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise IntegrityError("not a decimal number from 0 to 2^63 - 1 without leading zeroes")
    return int(text)
