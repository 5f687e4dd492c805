"""Merkle trees over SHA-256: hashes, append-only frontier, inclusion and consistency proofs.

Implements RFC 6962 §2.1 (tree shape, proof contents) and RFC 9162 §2.1.3.2 and §2.1.4.2 (proof verification). A node is
named `(level, index)`: the root of the perfect subtree over leaves `[index << level, (index + 1) << level)`. Every hash
is 32 bytes and its length is checked before anything is computed. A consistency proof from size 0 is refused: it would
prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from shared.errors import IntegrityError

HASH_SIZE = 32
"""Bytes of a SHA-256 hash."""

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 §2.1)."""

MAX_SIZE = 2**63 - 1
"""Largest tree size; beyond it an attacker only buys work."""

NodeReader = Callable[[int, int], bytes]
"""`reader(level, index)` gives the 32-byte hash of that perfect subtree."""

NodeVisitor = Callable[[int, int, bytes], None]
"""`visitor(level, index, hash)` is told of every perfect subtree as its last leaf arrives."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of an entry's exact bytes: H(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: H(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def fold_right(hashes: Sequence[bytes]) -> bytes:
    """Root of a tree whose perfect subtrees, left to right, have these roots (at least one)."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The frontier of a tree: the roots of its perfect subtrees, left to right, largest first.

    It is all that appending needs: at most 63 hashes whatever the size. Immutable: `append` and `extend` return the
    new frontier. Stored as `size` and `list(hashes)`.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise IntegrityError("a tree size lies between 0 and 2^63 - 1")
        if len(self.hashes) != self.size.bit_count():
            raise IntegrityError(f"a frontier of size {self.size} has {self.size.bit_count()} hashes")
        _check_lengths(self.hashes)

    def append(self, leaf: bytes) -> CompactRange:
        """The frontier after one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes], visit: NodeVisitor | None = None) -> CompactRange:
        """The frontier after these leaf hashes, in order; `visit` hears every node completed, leaves included."""
        stack, size = list(self.hashes), self.size
        for leaf in leaves:
            if len(leaf) != HASH_SIZE:
                raise IntegrityError("a leaf hash is 32 bytes")
            node, level, index = leaf, 0, size
            if visit:
                visit(0, index, node)
            while index & 1:
                # node_hash, written out: this is the loop that bounds how fast a log grows.
                node = sha256(b"\x01" + stack.pop() + node).digest()
                level, index = level + 1, index >> 1
                if visit:
                    visit(level, index, node)
            stack.append(node)
            size += 1
        return CompactRange(size, tuple(stack))

    def root(self) -> bytes:
        """Root hash of the whole tree."""
        return fold_right(self.hashes) if self.hashes else EMPTY_ROOT


def perfect_nodes(begin: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees that make up leaves `[begin, end)`, left to right; `begin` is aligned as in RFC 6962."""
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def inclusion_nodes(index: int, size: int) -> list[tuple[int, int]]:
    """Every `(level, index)` that `inclusion_proof` will read, so that a caller can fetch them in one query."""
    return [node for begin, end in _inclusion_ranges(index, size) for node in perfect_nodes(begin, end)]


def consistency_nodes(size1: int, size2: int) -> list[tuple[int, int]]:
    """Every `(level, index)` that `consistency_proof` will read."""
    return [node for begin, end in _consistency_ranges(size1, size2) for node in perfect_nodes(begin, end)]


def inclusion_proof(index: int, size: int, reader: NodeReader) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf's sibling to the root's child."""
    return [_range_root(begin, end, reader) for begin, end in _inclusion_ranges(index, size)]


def consistency_proof(size1: int, size2: int, reader: NodeReader) -> list[bytes]:
    """PROOF(size1, D[size2]) of RFC 6962 §2.1.2."""
    return [_range_root(begin, end, reader) for begin, end in _consistency_ranges(size1, size2)]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise IntegrityError unless `leaf` (a leaf hash) stands at `index` of the tree (RFC 9162 §2.1.3.2)."""
    _check_lengths((leaf, root, *proof))
    if not 0 <= index < size <= MAX_SIZE:
        raise IntegrityError("the index lies outside the tree")
    computed = leaf
    for sibling, on_left in _climb(index, size - 1, proof):
        # node_hash, written out: auditors check millions of these.
        computed = sha256(b"\x01" + sibling + computed if on_left else b"\x01" + computed + sibling).digest()
    if computed != root:
        raise IntegrityError("the inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Raise IntegrityError unless the first tree is a prefix of the second (RFC 9162 §2.1.4.2)."""
    _check_lengths((root1, root2, *proof))
    if not 1 <= size1 <= size2 <= MAX_SIZE:
        raise IntegrityError("a consistency proof goes from a size of at least 1 to one at least as large")
    if size1 == size2:
        if proof or root1 != root2:
            raise IntegrityError("two trees of one size have one root and need no proof")
        return
    # A first tree whose size is a power of two is itself a node of the second: the proof leaves it out.
    path = [root1, *proof] if size1.bit_count() == 1 else list(proof)
    if not path:
        raise IntegrityError("the consistency proof is empty")
    skipped = (size1 ^ (size1 - 1)).bit_length() - 1  # levels below the node the walk starts from
    first = second = path[0]
    for sibling, on_left in _climb((size1 - 1) >> skipped, (size2 - 1) >> skipped, path[1:]):
        if on_left:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
        else:
            second = node_hash(second, sibling)
    if first != root1 or second != root2:
        raise IntegrityError("the consistency proof leads to other roots")


def _climb(index: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each sibling with whether it stands on the left, from node `index` to the root; `last` is that level's last node.

    Below the level where the paths of `index` and `last` meet, the bits of `index` tell the side; above it the node is the
    last of its level and only has siblings on the left, one per bit set. Raises IntegrityError on another length.
    """
    meeting = (index ^ last).bit_length()
    length = meeting + (index >> meeting).bit_count()
    if len(proof) != length:
        raise IntegrityError(f"the proof is too {'long' if len(proof) > length else 'short'}")
    sides = [bool(index >> level & 1) for level in range(meeting)] + [True] * (length - meeting)
    return zip(proof, sides, strict=True)


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots form the audit path, from the leaf upwards."""
    if not 0 <= index < size <= MAX_SIZE:
        raise IntegrityError("the index lies outside the tree")
    begin, end, ranges = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return ranges[::-1]


def _consistency_ranges(size1: int, size2: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots form the consistency proof: SUBPROOF, unrolled."""
    if not 1 <= size1 <= size2 <= MAX_SIZE:
        raise IntegrityError("a consistency proof goes from a size of at least 1 to one at least as large")
    begin, end, ranges = 0, size2, []
    while size1 != end:
        middle = begin + _split(end - begin)
        if size1 <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    if begin:  # the verifier does not hold this subtree's root (SUBPROOF with b = false)
        ranges.append((begin, end))
    return ranges[::-1]


def _split(width: int) -> int:
    """Largest power of two smaller than `width` (at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_root(begin: int, end: int, reader: NodeReader) -> bytes:
    return fold_right([reader(level, index) for level, index in perfect_nodes(begin, end)])


def _check_lengths(hashes: Sequence[bytes]) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise IntegrityError("a hash is 32 bytes")
