"""Logs grow as the reference tree does, whatever the batches; tiles hold exactly what the format says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.proof_archive.log.growth import Edge, TileRow, grow, open_edge
from shared.crypto.merkle import CompactRange
from shared.crypto.tiles import TILE_WIDTH, tiles_grown
from shared.errors import IntegrityError
from tests.fakes.archive import leaf, tree_hash

LEAVES = [leaf(b"%d" % number) for number in range(70_000)]


def reference_tile(leaves, level, number):
    """The tile by its definition: roots of consecutive perfect subtrees of 256^level leaves."""
    width = TILE_WIDTH**level
    roots = [tree_hash(leaves[at : at + width]) for at in range(0, len(leaves) // width * width, width)]
    return b"".join(roots[number * TILE_WIDTH : (number + 1) * TILE_WIDTH])


@given(st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=40, deadline=None)
def test_any_batches_give_the_reference_tree_and_its_tiles(sizes):
    edge, tiles, size = Edge(), {}, 0
    for count in sizes:
        before, size = size, size + count
        edge, rows = grow(edge, LEAVES[before:size])
        assert sorted((r.level, r.number, r.width) for r in rows) == sorted(
            (t.level, t.number, t.width) for t in tiles_grown(before, size)
        )
        tiles |= {(row.level, row.number): row for row in rows}
        assert edge.size == size
        assert edge.frontier.root() == tree_hash(LEAVES[:size])
        assert open_edge(edge.frontier, edge.open_tiles) == edge
    for (level, number), row in tiles.items():
        assert row.hashes == reference_tile(LEAVES[:size], level, number)


def test_a_third_level_opens_at_65536():
    whole, rows = grow(Edge(), LEAVES)
    assert whole.frontier.root() == tree_hash(LEAVES)
    top = next(row for row in rows if row.level == 2)
    assert top == TileRow(2, 0, tree_hash(LEAVES[:65_536]))
    parts = Edge()
    for at in range(0, len(LEAVES), 997):
        parts, _ = grow(parts, LEAVES[at : at + 997])
    assert parts == whole


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, 65_536, 65_900])
def test_an_edge_whose_tiles_are_not_those_of_its_head_is_refused(size):
    edge, _ = grow(Edge(), LEAVES[:size])
    assert open_edge(edge.frontier, edge.open_tiles) == edge
    for level, hashes in enumerate(edge.open_tiles):
        if not hashes:
            continue
        flipped = hashes[:-1] + bytes([hashes[-1] ^ 1])
        for wrong in (flipped, hashes[:-32], b""):
            tiles = (*edge.open_tiles[:level], wrong, *edge.open_tiles[level + 1 :])
            with pytest.raises(IntegrityError):
                open_edge(edge.frontier, tiles)
    other = CompactRange().extend(LEAVES[1 : size + 1])
    with pytest.raises(IntegrityError):
        open_edge(other, edge.open_tiles)
