"""Implementations by others verify our checkpoints, tiles and proofs, and we verify theirs (Go: x/mod/sumdb, torchwood).

A log of 70 000 entries, made by the archive's own code, is written as tlog-tiles files. Needs `go` and two modules, which it
fetches into Go's own cache at the versions and hashes that go.sum states; skipped, saying why, where they cannot be had.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from services.proof_archive.domain import entry_of
from services.proof_archive.log.growth import Edge, grow
from shared import canonical
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.cosignature import Cosigner
from shared.crypto.encoding import b64
from shared.crypto.merkle import CompactRange, consistency_proof, inclusion_proof, leaf_hash, verify_inclusion
from shared.crypto.note import Signer, Verifier, open_note
from shared.crypto.policy import parse_policy
from shared.crypto.tiles import ENTRIES, TILE_WIDTH, Tile, encode_bundle
from shared.crypto.tlog_proof import TlogProof
from shared.kafka.record import StoredRecord

PROGRAM = Path(__file__).with_name("go")
DEPLOYMENT = "opposable.test"
ORIGIN = f"{DEPLOYMENT}/consents/00112233445566ff/p00"
LOG = Signer(DEPLOYMENT, b"l" * 32)
BUNDLE = Signer(f"{DEPLOYMENT}/bundle", b"b" * 32)
WITNESSES = [Cosigner(f"w{number}.test", bytes([number]) * 32) for number in (1, 2)]
SIZE = 70_000
SIZES = [1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, SIZE]
"""Around every place where a level of tiles begins."""
SEED = 20261124
UNREACHABLE = ("dial tcp", "proxyconnect", "module lookup disabled", "403 Forbidden", "requires go >=")
"""What Go says where its modules cannot be fetched, or are too new for it."""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The Go program, built; skips where there is no Go or its modules cannot be had."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed: foreign implementations cannot be asked")
    built = tmp_path_factory.mktemp("go") / "interop"
    command, environment = [go, "build", "-o", str(built), "."], {**os.environ, "GOFLAGS": "-mod=readonly"}
    run = subprocess.run(command, cwd=PROGRAM, capture_output=True, text=True, check=False, env=environment)
    if run.returncode and any(sign in run.stderr for sign in UNREACHABLE):
        pytest.skip(f"Go's modules cannot be had here: {run.stderr.strip().splitlines()[-1]}")
    assert run.returncode == 0, run.stderr
    return built


class OurLog:
    """A log made as the archive makes it: entries out of records, hashes, tiles."""

    def __init__(self):
        self.entries = [
            entry_of(StoredRecord("consents", 0, n, 1_789_374_667_000 + n, b"k", value(n))).data for n in range(SIZE)
        ]
        self.leaves = [leaf_hash(entry) for entry in self.entries]
        self.nodes = {}
        CompactRange().extend(self.leaves, lambda level, index, node: self.nodes.__setitem__((level, index), node))

    def node(self, level, index):
        return self.nodes[level, index]

    def checkpoint(self, size):
        return Checkpoint(ORIGIN, size, CompactRange().extend(self.leaves[:size]).root())

    def signed(self, size):
        text = self.checkpoint(size).marshal()
        return note.join(text, [LOG.sign(text), *(witness.cosign(text, 1_789_374_700) for witness in WITNESSES)])

    def write(self, folder):
        """The files of C2SP tlog-tiles, partial tiles of every size that is signed included."""
        edge, at = Edge(), 0
        for size in SIZES:
            edge, rows = grow(edge, self.leaves[at:size])
            at = size
            for row in rows:
                save(folder / Tile(row.level, row.number, row.width).path(), row.hashes)
            for number in range((size - 1) // TILE_WIDTH + 1):
                chunk = self.entries[number * TILE_WIDTH : min((number + 1) * TILE_WIDTH, size)]
                save(folder / Tile(ENTRIES, number, len(chunk)).path(), encode_bundle(chunk))
            assert edge.frontier.root() == self.checkpoint(size).root
        save(folder / "checkpoint", self.signed(SIZE))


def value(number):
    return canonical.dumps({"facts": {"v": 1, "kind": "test", "record": f"acme/{number}", "n": number}})


def save(path, data):
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The log on disk, and everything that the Go program is asked to check."""
    folder, log, draw = tmp_path_factory.mktemp("interop"), OurLog(), random.Random(SEED)
    log.write(folder / "log")
    for size in SIZES:
        save(folder / "checkpoints" / str(size), log.signed(size))
    digest = hashlib.sha256()
    for entry in log.entries:
        digest.update(b"%d\n%b" % (len(entry), entry))
    pairs = [(index, size) for size in SIZES for index in {0, size - 1, size // 2, draw.randrange(size)}]
    proofs = []
    for number, (index, size) in enumerate(pairs[::3]):
        text = TlogProof(index, tuple(inclusion_proof(index, size, log.node)), log.signed(size)).marshal()
        save(folder / f"proofs/{number}", text)
        proofs.append({"file": f"proofs/{number}", "entry": b64(log.entries[index])})
    expected = {
        "log_key": LOG.verifier.vkey(), "witness_keys": [witness.verifier.vkey() for witness in WITNESSES], "origin": ORIGIN, "size": SIZE,
        "sizes": SIZES, "entries_sha256": digest.hexdigest(), "proofs": proofs, "trust_file": trust_file(),
        "inclusion": [{"index": i, "size": n, "proof": [b64(h) for h in inclusion_proof(i, n, log.node)]} for i, n in pairs],
        "consistency": [{"old": a, "size": b, "proof": [b64(h) for h in consistency_proof(a, b, log.node)]}
                        for a in SIZES for b in SIZES if a <= b],
        "altered": altered(folder, log, draw),
    }  # fmt: skip
    save(folder / "expected.json", json.dumps(expected).encode())
    return folder, log, expected


def trust_file():
    """As we write them, with witnesses."""
    lines = [f"log {LOG.verifier.vkey()}", f"log {BUNDLE.verifier.vkey()}"]
    lines += [f"witness w{number} {witness.verifier.vkey()}" for number, witness in enumerate(WITNESSES, start=1)]
    text = "\n".join(["# a trust file", *lines, "group g 1 w1 w2", "quorum g", ""])
    assert parse_policy(text).independent
    return text


def altered(folder, log, draw):
    """Files that nobody may accept."""
    signed, index = log.signed(SIZE), 12_345
    proof = TlogProof(index, tuple(inclusion_proof(index, SIZE, log.node)), signed).marshal()
    text = log.checkpoint(SIZE).marshal()
    stranger = Signer(DEPLOYMENT, b"x" * 32)
    made = {
        "another size": ("checkpoint", signed.replace(b"\n70000\n", b"\n70001\n")),
        "signed by another key": ("checkpoint", note.sign(text, [stranger])),
        "one witness short": ("checkpoint", b"".join(signed.splitlines(keepends=True)[:-1])),
        "a signature altered": ("checkpoint", flip(signed, -20)),
        "the index of another entry": ("proof", proof.replace(b"index 12345\n", b"index 12344\n")),
        "a hash altered": ("proof", flip(proof, 60)),
        "a hash missing": ("proof", proof.replace(proof.split(b"\n")[2] + b"\n", b"", 1)),
    }
    found = []
    for number, (name, (kind, data)) in enumerate(made.items()):
        save(folder / f"altered/{number}", data)
        found.append({"name": name, "kind": kind, "file": f"altered/{number}", "entry": b64(log.entries[index])})
    other = log.entries[draw.randrange(SIZE // 2)]
    save(folder / "altered/entry", proof)
    return [*found, {"name": "another entry", "kind": "proof", "file": "altered/entry", "entry": b64(other)}]


def flip(data, at):
    """One base64 letter changed for another."""
    altered = bytearray(data)
    altered[at] = ord("A") if altered[at] != ord("A") else ord("B")
    return bytes(altered)


@pytest.fixture(scope="module")
def said(program, written):
    """What the Go program says of each check."""
    run = subprocess.run([str(program), str(written[0])], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_everything_that_is_ours_holds(said, written):
    sound = {name: error for name, error in said.items() if not name.startswith("altered: ")}
    assert {name: error for name, error in sound.items() if error} == {}
    _, _, expected = written
    assert len(sound) == 2 + 3 * len(SIZES) + sum(
        len(expected[kind]) for kind in ("inclusion", "consistency", "proofs")
    )


def test_nothing_altered_is_accepted(said, written):
    errors = {name: error for name, error in said.items() if name.startswith("altered: ")}
    assert len(errors) == len(written[2]["altered"])
    assert {name for name, error in errors.items() if not error} == set()


def test_we_verify_what_go_made(said, written):
    assert said
    folder, log, _ = written
    read = {path.name: path.read_bytes() for path in (folder / "from-go").iterdir()}
    key, witness = Verifier.parse(read["vkey"].decode()), Verifier.parse(read["witness"].decode())
    opened = open_note(read["checkpoint"], [key, witness])
    assert [line.name for line in opened.verified] == [DEPLOYMENT, "witness.from.go"]
    assert opened.verified[1].time
    checkpoint = Checkpoint.parse(opened.text)
    assert checkpoint == log.checkpoint(SIZE)
    proof = TlogProof.parse(read["proof"])
    assert proof.checkpoint == read["checkpoint"]
    assert proof.marshal() == read["proof"]
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(read["entry"]), proof.hashes, checkpoint.root)
    assert list(proof.hashes) == inclusion_proof(proof.index, SIZE, log.node)
