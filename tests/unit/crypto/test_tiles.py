import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import load

from shared.crypto import merkle, tiles
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import CompactRange
from shared.crypto.note import Verifier, open_note
from shared.crypto.tiles import ENTRIES, Tile
from shared.errors import IntegrityError

LOG = load("tiles/tessera_testdata_log.json")
SPEC = load("tiles/tlog_tiles_spec_examples.json")
ENTRIES_OF_LOG = [entry.encode() for entry in LOG["entries_utf8"]]


def test_the_published_log_has_these_tiles_roots_and_checkpoints():
    verifier = Verifier.parse(LOG["vkey"])
    hashes = [merkle.leaf_hash(entry) for entry in ENTRIES_OF_LOG]
    tile = bytes.fromhex(LOG["tile_0_000.p_15_hex"])
    assert b"".join(hashes) == tile
    assert len(LOG["checkpoint_file_N_text"]) == 16
    for size in range(16):
        note = open_note(LOG["checkpoint_file_N_text"][str(size)].encode(), [verifier])
        root = CompactRange().extend(hashes[:size]).root()
        assert Checkpoint.parse(note.text) == Checkpoint(LOG["origin"], size, root)
        assert Checkpoint(LOG["origin"], size, root).marshal() == note.text
        if size:
            assert tiles.split_hashes(tile[: 32 * size]) == hashes[:size]


def test_the_published_entry_bundle():
    data = bytes.fromhex(LOG["entry_bundle_000.p_15_hex"])
    assert tiles.decode_bundle(data) == ENTRIES_OF_LOG
    assert tiles.encode_bundle(ENTRIES_OF_LOG) == data


def test_the_published_log_proves_itself_from_its_tile():
    tile = bytes.fromhex(LOG["tile_0_000.p_15_hex"])
    root = CompactRange().extend(tiles.split_hashes(tile)).root()

    def reader(level, index):
        assert tiles.tile_of_node(level, index, 15) == Tile(0, 0, 15)
        return tiles.node_of_tile(tile, level, index)

    for index, entry in enumerate(ENTRIES_OF_LOG):
        merkle.verify_inclusion(index, 15, merkle.leaf_hash(entry), merkle.inclusion_proof(index, 15, reader), root)


def test_paths_of_the_specification():
    for example in SPEC["path_encoding"]:
        assert tiles.number_path(example["index"]) == example["path"]
    assert Tile(0, 1_234_067).path() == "tile/0/x001/x234/067"
    assert Tile(ENTRIES, 5, 7).path() == "tile/entries/005.p/7"


def test_shapes_of_the_specification():
    for shape in SPEC["tree_shapes"]:
        grown = list(tiles.tiles_grown(0, shape["size"]))
        for level in range(3):
            full = [tile for tile in grown if tile.level == level and tile.width == tiles.TILE_WIDTH]
            partial = [tile.width for tile in grown if tile.level == level and tile.width < tiles.TILE_WIDTH]
            if f"level{level}_full" in shape:
                assert len(full) == shape[f"level{level}_full"]
            if f"level{level}_partial_width" in shape:
                assert partial == [shape[f"level{level}_partial_width"]]


@given(st.sampled_from([ENTRIES, *range(64)]), st.integers(0, 2**56), st.integers(1, 256))
def test_paths_round_trip(level, number, width):
    tile = Tile(level, number, width)
    assert tiles.parse_path(tile.path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile/0", "tile/0/0", "tile/00/000", "tile/64/000", "tile/0/x000/000", "tile/0/001/002", "tile/0/000.p/0",
        "tile/0/000.p/256", "tile/0/000.p/257", "tile/0/000.p/01", "tile/-1/000", "tile/0/../000", "/tile/0/000",
        "tile/0/000\n", "tile/entries/000/", "tile/0/x001/x234/67", "tile/0/٠٠٠",
    ],
)  # fmt: skip
def test_other_spellings_of_a_path_are_refused(path):
    with pytest.raises(IntegrityError):
        tiles.parse_path(path)


class Written:
    """A log kept as tiles only, written the way a sequencer does: grown tiles alone, from completed nodes."""

    def __init__(self):
        self.frontier, self.levels, self.tiles = CompactRange(), {}, {}

    def append(self, leaves):
        before = self.frontier.size
        self.frontier = self.frontier.extend(leaves, self.keep)
        for tile in tiles.tiles_grown(before, self.frontier.size):
            hashes = self.levels[tile.level][tile.number * 256 :][: tile.width]
            assert len(hashes) == tile.width
            self.tiles[tile.level, tile.number] = b"".join(hashes)

    def keep(self, level, index, value):
        if level % 8 == 0:
            stored = self.levels.setdefault(level // 8, [])
            assert index == len(stored)
            stored.append(value)

    def read(self, level, index):
        tile = tiles.tile_of_node(level, index, self.frontier.size)
        data = self.tiles[tile.level, tile.number]
        assert len(data) == 32 * tile.width
        return tiles.node_of_tile(data, level, index)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=5), st.data())
def test_nodes_read_from_tiles_prove_what_the_frontier_says(batches, data):
    log, count = Written(), 0
    sizes = {0: merkle.EMPTY_ROOT}
    for batch in batches:
        log.append([merkle.leaf_hash(b"%d" % at) for at in range(count, count + batch)])
        count += batch
        sizes[count] = log.frontier.root()
    if not count:
        return
    index = data.draw(st.integers(0, count - 1))
    proof = merkle.inclusion_proof(index, count, log.read)
    merkle.verify_inclusion(index, count, merkle.leaf_hash(b"%d" % index), proof, log.frontier.root())
    earlier = data.draw(st.sampled_from([size for size in sizes if size]))
    proof = merkle.consistency_proof(earlier, count, log.read)
    merkle.verify_consistency(earlier, count, proof, sizes[earlier], log.frontier.root())


def test_a_large_log_is_read_through_three_levels_of_tiles():
    log = Written()
    log.append([merkle.leaf_hash(b"%d" % at) for at in range(70_000)])
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        proof = merkle.inclusion_proof(index, 70_000, log.read)
        merkle.verify_inclusion(index, 70_000, merkle.leaf_hash(b"%d" % index), proof, log.frontier.root())
    assert len(log.tiles) == 274 + 2 + 1


def test_a_node_beyond_the_tree_is_refused():
    with pytest.raises(IntegrityError):
        tiles.tile_of_node(0, 15, 15)
    with pytest.raises(IntegrityError):
        tiles.tile_of_node(1, 7, 15)
    with pytest.raises(IntegrityError):
        tiles.node_of_tile(bytes(32 * 3), 2, 0)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_entry_bundles_round_trip_and_no_cut_is_read(entries):
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data) == entries
    with pytest.raises(IntegrityError):
        tiles.decode_bundle(data + b"\x00")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x01", b"\x00\x00" * 257])
def test_malformed_entry_bundles_are_refused(data):
    with pytest.raises(IntegrityError):
        tiles.decode_bundle(data)


@pytest.mark.parametrize("entries", [[], [b""] * 257, [bytes(65_536)]])
def test_entries_that_no_bundle_can_hold_are_refused(entries):
    with pytest.raises(IntegrityError):
        tiles.encode_bundle(entries)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(32 * 257)])
def test_malformed_tiles_are_refused(data):
    with pytest.raises(IntegrityError):
        tiles.split_hashes(data)
