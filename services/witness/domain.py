"""What a witness decides of one request to cosign a checkpoint: pure (C2SP tlog-witness 1.0, `add-checkpoint`).

A request is `old <size>`, the consistency proof one base64 hash a line, an empty line, then the checkpoint's note. The answer
is cosigned only where the checkpoint is signed by a log that the witness trusts and grows from the very tree it saw last.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint, Origin, parse_decimal
from shared.crypto.encoding import unb64
from shared.crypto.merkle import EMPTY_ROOT, verify_consistency
from shared.crypto.note import ED25519, Verifier
from shared.crypto.policy import BUNDLE_SUFFIX
from shared.errors import IntegrityError

MAX_REQUEST = 256 * 1024
"""Bytes of the longest request read: 63 hashes and a hundred signatures take a tenth of it."""

MAX_HASHES = 63
"""Most consistency proof lines that a client may send."""


class Outcome(IntEnum):
    """What comes of a request; the values are the HTTP statuses that the specification gives them."""

    COSIGNED = 200
    MALFORMED = 400
    NOT_SIGNED = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    INCONSISTENT = 422


class Declined(Exception):  # noqa: N818 - the request is declined; nothing failed
    """The checkpoint is not cosigned. `size`: what the witness holds, where the client has to start from there."""

    def __init__(self, outcome: Outcome, reason: str, size: int | None = None) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.size = outcome, reason, size


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest tree of a log that the witness cosigned; size 0 where it cosigned none."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Request:
    """A request, read: the size it starts from, the proof (32-byte hashes), the checkpoint and its note."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: bytes
    text: str

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request's body. Raises Declined (400) naming the malformation."""
        head, blank, signed = body.partition(b"\n\n")
        try:
            old, proof = _read_head(head)
            text = signed.rpartition(b"\n\n")[0].decode("utf-8") + "\n"  # its signatures are read when they are checked
            checkpoint = Checkpoint.parse(text)
        except (IntegrityError, UnicodeDecodeError) as error:
            raise Declined(Outcome.MALFORMED, f"malformed request: {error}") from error
        if not blank:
            raise Declined(Outcome.MALFORMED, "malformed request: no empty line stands before the checkpoint")
        return cls(old, proof, checkpoint, signed, text)


def _read_head(head: bytes) -> tuple[int, tuple[bytes, ...]]:
    """The old size and the consistency proof."""
    first, *hashes = head.decode("ascii").split("\n")
    if not first.startswith("old "):
        raise IntegrityError("the first line is not `old <size>`")
    if len(hashes) > MAX_HASHES:
        raise IntegrityError(f"more than {MAX_HASHES} consistency proof lines")
    return parse_decimal(first.removeprefix("old ")), tuple(unb64(line) for line in hashes)


class Logs:
    """The logs that a witness follows, by the keys that sign them.

    A key of the name `D` signs the log `D`, and the logs `D/<topic>/<incarnation>/p<NN>` of a deployment called so.
    """

    def __init__(self, keys: Iterable[Verifier]) -> None:
        self._keys = tuple(keys)
        for key in self._keys:
            if key.algorithm != ED25519 or key.name.endswith(BUNDLE_SUFFIX):
                raise IntegrityError(f"{key.name} is no key that signs checkpoints")

    def keys_of(self, origin: str) -> list[Verifier]:
        """The keys that may sign a log's checkpoints; none where the log is not followed."""
        names = {origin}
        with suppress(IntegrityError):  # a log of another shape: the key bears its name
            names.add(Origin.parse(origin).deployment)
        return [key for key in self._keys if key.name in names]

    def check(self, request: Request) -> None:
        """Raise Declined unless a log that is followed signed the checkpoint (404, 403)."""
        keys = self.keys_of(request.checkpoint.origin)
        if not keys:
            raise Declined(Outcome.UNKNOWN_LOG, "this log is not followed")
        try:
            note.open_note(request.note, keys)
        except IntegrityError as error:
            raise Declined(Outcome.NOT_SIGNED, f"invalid signature: {error}") from error
        if request.old > request.checkpoint.size:
            raise Declined(Outcome.MALFORMED, "the old size is above the checkpoint's")


def check_growth(request: Request, seen: Seen) -> None:
    """Raise Declined unless the checkpoint grows from what was seen last (409, 422). Decide and keep in one transaction."""
    if request.old != seen.size:
        raise Declined(Outcome.CONFLICT, f"the last checkpoint cosigned has {seen.size} entries", seen.size)
    if contradicts(request, seen):
        raise Declined(Outcome.CONFLICT, "two different trees of one size", seen.size)
    if not request.old:
        if request.proof:
            raise Declined(Outcome.INCONSISTENT, "a proof from size 0 is empty")
        return
    checkpoint = request.checkpoint
    try:
        verify_consistency(request.old, checkpoint.size, request.proof, seen.root, checkpoint.root)
    except IntegrityError as error:
        raise Declined(Outcome.INCONSISTENT, f"the consistency proof does not verify: {error}") from error


def contradicts(request: Request, seen: Seen) -> bool:
    """Whether the log signed another tree of the size that was seen: proof, by its own signatures, of two histories."""
    return request.checkpoint.size == seen.size and request.checkpoint.root != seen.root
