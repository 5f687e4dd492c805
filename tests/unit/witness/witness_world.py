"""A log that grows, its key, and requests to cosign it."""

from dataclasses import dataclass, field

from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.cosignature import Cosigner
from shared.crypto.encoding import b64
from shared.crypto.merkle import CompactRange, consistency_proof, leaf_hash
from shared.crypto.note import Signer

LOG = Signer("opposable.test", b"l" * 32)
OTHER_LOG = Signer("other.test", b"o" * 32)
WITNESS = Cosigner("witness.test/w1", b"w" * 32)
ORIGIN = "opposable.test/consents/00112233445566ff/p00"


@dataclass
class GrowingLog:
    """A log of `size` entries; `fork` makes another history from its first entry on."""

    origin: str = ORIGIN
    signer: Signer = LOG
    fork: str = ""
    leaves: list[bytes] = field(default_factory=list)

    def grow(self, size: int) -> "GrowingLog":
        self.leaves += [leaf_hash(f"{self.fork}{number}".encode()) for number in range(len(self.leaves), size)]
        return self

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(self.origin, size, CompactRange().extend(self.grow(size).leaves[:size]).root())

    def note(self, size: int) -> bytes:
        return note.sign(self.checkpoint(size).marshal(), [self.signer])

    def proof(self, old: int, size: int) -> list[bytes]:
        if not old:
            return []
        nodes: dict[tuple[int, int], bytes] = {}
        CompactRange().extend(
            self.grow(size).leaves[:size], lambda level, at, node: nodes.__setitem__((level, at), node)
        )
        return consistency_proof(old, size, lambda level, at: nodes[level, at])

    def request(self, old: int, size: int, *, proof: list[bytes] | None = None) -> bytes:
        return body(old, self.proof(old, size) if proof is None and old <= size else proof or [], self.note(size))


def body(old: int | str, proof: list[bytes], signed: bytes) -> bytes:
    return "".join([f"old {old}\n", *(f"{b64(item)}\n" for item in proof), "\n"]).encode() + signed
