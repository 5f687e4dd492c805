import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import b64, b64_list, load

from shared.crypto import merkle
from shared.crypto.merkle import CompactRange
from shared.errors import IntegrityError

INCLUSION = load("merkle/inclusion.json")
CONSISTENCY = load("merkle/consistency.json")
TREE8 = load("merkle/tree8.json")

# Must succeed upstream, but its roots are 12 bytes: we refuse any hash that is not 32 bytes.
KNOWN_DEVIATION = "testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"


def test_every_published_case_is_here():
    assert len(INCLUSION) + len(CONSISTENCY) == 196


@pytest.mark.parametrize("case", INCLUSION, ids=lambda case: case["path"].removeprefix("testdata/inclusion/"))
def test_inclusion_vector(case):
    def verify():
        proof = b64_list(case["proof"])
        merkle.verify_inclusion(case["leafIdx"], case["treeSize"], b64(case["leafHash"]), proof, b64(case["root"]))

    expect(verify, refused=case["wantErr"])


@pytest.mark.parametrize("case", CONSISTENCY, ids=lambda case: case["path"].removeprefix("testdata/consistency/"))
def test_consistency_vector(case):
    def verify():
        proof = b64_list(case["proof"])
        merkle.verify_consistency(case["size1"], case["size2"], proof, b64(case["root1"]), b64(case["root2"]))

    expect(verify, refused=case["wantErr"] or case["path"] == KNOWN_DEVIATION)


def expect(verify, *, refused):
    if refused:
        with pytest.raises(IntegrityError):
            verify()
    else:
        verify()


def test_tree8_nodes_and_roots():
    nodes = {}
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in TREE8["leaf_inputs_hex"]]
    frontier = CompactRange()
    assert frontier.root().hex() == TREE8["roots_hex_by_size_0_to_8"][0]
    for size, leaf in enumerate(leaves, start=1):
        frontier = frontier.extend([leaf], lambda level, index, value: nodes.__setitem__((level, index), value))
        assert frontier.root().hex() == TREE8["roots_hex_by_size_0_to_8"][size]
    for level, hashes in enumerate(TREE8["node_hashes_hex_by_level"]):
        assert [nodes[level, index].hex() for index in range(len(hashes))] == hashes
    assert len(nodes) == sum(map(len, TREE8["node_hashes_hex_by_level"]))


def direct_root(leaves: tuple[bytes, ...]) -> bytes:
    """MTH of RFC 6962 §2.1, written as the recursion that the text gives: the oracle of the tests below."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + direct_root(leaves[:split]) + direct_root(leaves[split:])).digest()


@cache
def leaf(index: int) -> bytes:
    return merkle.leaf_hash(b"entry %d" % index)


def leaves(size: int) -> tuple[bytes, ...]:
    return tuple(map(leaf, range(size)))


def reader(level: int, index: int) -> bytes:
    return direct_root(tuple(leaf(at) for at in range(index << level, (index + 1) << level)))


sizes = st.integers(1, 300)


@given(sizes, st.data())
def test_frontier_equals_the_recursion_however_it_is_fed(size, data):
    cut = data.draw(st.integers(0, size))
    frontier = CompactRange().extend(leaves(size)[:cut])
    restored = CompactRange(frontier.size, tuple(frontier.hashes))
    for value in leaves(size)[cut:]:
        restored = restored.append(value)
    assert restored == CompactRange().extend(leaves(size))
    assert restored.root() == direct_root(leaves(size))


@given(sizes, st.data())
def test_inclusion_proofs_verify_and_read_only_the_announced_nodes(size, data):
    index = data.draw(st.integers(0, size - 1))
    read = []
    proof = merkle.inclusion_proof(index, size, lambda level, at: read.append((level, at)) or reader(level, at))
    assert sorted(read) == sorted(merkle.inclusion_nodes(index, size))
    root = direct_root(leaves(size))
    merkle.verify_inclusion(index, size, leaf(index), proof, root)
    wrong = data.draw(st.integers(0, size).filter(lambda other: other != index))
    with pytest.raises(IntegrityError):
        merkle.verify_inclusion(wrong, size, leaf(index), proof, root)
    with pytest.raises(IntegrityError, match="too long"):
        merkle.verify_inclusion(index, size, leaf(index), [*proof, root], root)


@given(sizes, st.data())
def test_consistency_proofs_verify_and_read_only_the_announced_nodes(size2, data):
    size1 = data.draw(st.integers(1, size2))
    read = []
    proof = merkle.consistency_proof(size1, size2, lambda level, at: read.append((level, at)) or reader(level, at))
    assert sorted(read) == sorted(merkle.consistency_nodes(size1, size2))
    root1, root2 = direct_root(leaves(size1)), direct_root(leaves(size2))
    merkle.verify_consistency(size1, size2, proof, root1, root2)
    with pytest.raises(IntegrityError):
        merkle.verify_consistency(size1, size2, proof, merkle.leaf_hash(b"fork"), root2)
    with pytest.raises(IntegrityError):
        merkle.verify_consistency(size1, size2, [*proof, root1], root1, root2)


@given(st.integers(0, 2**63 - 2))
def test_proofs_of_the_largest_trees_stay_short(index):
    assert len(merkle.inclusion_nodes(index, 2**63 - 1)) <= 63 + 63


@pytest.mark.parametrize("sizes", [(0, 0), (0, 1), (-1, 1), (2, 1), (1, 2**63)])
def test_consistency_from_nothing_or_backwards_is_refused(sizes):
    with pytest.raises(IntegrityError):
        merkle.verify_consistency(*sizes, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    with pytest.raises(IntegrityError):
        merkle.consistency_proof(*sizes, reader)


@pytest.mark.parametrize(
    ("size", "hashes"), [(1, ()), (3, (bytes(32),)), (1, (bytes(31),)), (-1, (bytes(32),)), (2**63, (bytes(32),))]
)
def test_a_frontier_that_cannot_be_is_refused(size, hashes):
    with pytest.raises(IntegrityError):
        CompactRange(size, hashes)


def test_a_leaf_hash_of_another_length_is_refused():
    with pytest.raises(IntegrityError):
        CompactRange().append(b"short")
    with pytest.raises(IntegrityError, match="leaf hash"):
        CompactRange().extend([bytes(32), b"short"])  # it would vanish in its parent


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (0, 2**63)])
def test_no_proof_of_what_is_outside_the_tree(index, size):
    with pytest.raises(IntegrityError):
        merkle.inclusion_nodes(index, size)
