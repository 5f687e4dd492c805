"""The parts of the two standalone verifiers against published vectors, and against another Ed25519."""

import hashlib
import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from mutants_base import SEED
from odd import ODD_TEXTS
from three import call_page, single
from vectors import b64, b64_list, load

from services.proof_archive.bundles.fact_types import _instant

INCLUSION, CONSISTENCY = load("merkle/inclusion.json"), load("merkle/consistency.json")
DEVIATION = "testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"
"""Must succeed upstream; its roots are 12 bytes, and we refuse any hash that is not 32."""
L = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19


def holds(function, *arguments):
    try:
        function(*arguments)
    except single.Bad:
        return False
    return True


def as_hex(data):
    return {"hex": data.hex()}


def test_merkle_vectors(tmp_path):
    calls, alone, expected = [], [], []
    for case in INCLUSION:
        index, size = case["leafIdx"], case["treeSize"]
        leaf, proof, root = b64(case["leafHash"]), b64_list(case["proof"]), b64(case["root"])
        expected.append(not case["wantErr"])
        alone.append(holds(single.verify_inclusion, index, size, leaf, proof, root))
        numbers = [{"big": str(number)} for number in (index, size)]
        calls.append(["verifyInclusion", *numbers, as_hex(leaf), [as_hex(item) for item in proof], as_hex(root)])
    for case in CONSISTENCY:
        sizes, proof = (case["size1"], case["size2"]), b64_list(case["proof"])
        roots = (b64(case["root1"]), b64(case["root2"]))
        expected.append(not case["wantErr"] and case["path"] != DEVIATION)
        alone.append(holds(single.verify_consistency, *sizes, proof, *roots))
        numbers = [{"big": str(number)} for number in sizes]
        calls.append(["verifyConsistency", *numbers, [as_hex(item) for item in proof], *map(as_hex, roots)])
    assert len(expected) == 196
    assert alone == expected
    answers = call_page(calls, tmp_path)
    assert [is_accepted(answer) for answer in answers] == expected


def is_accepted(answer):
    """Of a call of the page."""
    assert "crashed" not in answer, answer
    return "bad" not in answer


def test_notes_and_keys(tmp_path):
    spec, go = load("note/c2sp_signed_note.json"), load("note/go_sumdb_note.json")
    notes = [([spec["vkey"]], spec["note"]), *((case["vkeys"], case["note"]) for case in go["valid"])]
    calls = []
    for vkeys, note in notes:
        _, signed = single.open_note(note.encode(), [single.parse_vkey(vkey) for vkey in vkeys])
        assert len(signed) == len(vkeys)
        calls.append(["openNote", as_hex(note.encode()), {"vkeys": vkeys}, {"verify": True}])
    for answer, (vkeys, note) in zip(call_page(calls, tmp_path), notes, strict=True):
        text, signed = answer["value"]
        assert text == note.rpartition("\n\n")[0] + "\n"
        assert len(signed) == len(vkeys)
    for vkey in go["bad_vkeys"]:
        assert not holds(single.parse_vkey, vkey)
    assert not any(is_accepted(a) for a in call_page([["parseVkey", vkey] for vkey in go["bad_vkeys"]], tmp_path))
    text = go["tree_text"]["text"]
    root = single.leaf_hash(go["tree_text"]["root_is_leaf_hash_of"].encode())
    assert single.parse_checkpoint(text) == (go["tree_text"]["origin"], go["tree_text"]["size"], root)
    said = call_page([["parseCheckpoint", text]], tmp_path)[0]["value"]
    assert (said["origin"], said["size"]["big"], said["root"]["hex"]) == (
        go["tree_text"]["origin"], str(go["tree_text"]["size"]), root.hex(),
    )  # fmt: skip


def test_tlog_proofs(tmp_path):
    cases = load("proof/tlog_proof_format.json")
    texts = [case["text"] for case in cases["valid"] + cases["invalid"]]
    expected = [True] * len(cases["valid"]) + [False] * len(cases["invalid"])
    assert [holds(single.parse_proof, text.encode()) for text in texts] == expected
    answers = call_page([["parseProof", as_hex(text.encode())] for text in texts], tmp_path)
    assert [is_accepted(answer) for answer in answers] == expected
    for case, answer in zip(cases["valid"], answers, strict=False):
        assert answer["value"]["index"] == {"big": str(case["index"])}
        assert [item["hex"] for item in answer["value"]["hashes"]] == [h.hex() for h in b64_list(case["hashes_b64"])]


def test_hashes_of_the_page(tmp_path):
    draw = random.Random(SEED)
    texts = [draw.randbytes(size) for size in [*range(140), 255, 256, 1000, 70_000]]
    calls = [["sha256Hex", as_hex(text)] for text in texts] + [["sha512", as_hex(text)] for text in texts]
    answers = [answer["value"] for answer in call_page(calls, tmp_path)]
    assert answers[: len(texts)] == [hashlib.sha256(text).hexdigest() for text in texts]
    assert answers[len(texts) :] == [as_hex(hashlib.sha512(text).digest()) for text in texts]


def test_instants(tmp_path):
    def command(text):
        try:
            return _instant(text)
        except ValueError:
            return None

    def alone(text):
        try:
            return single.instant(text)
        except single.Bad:
            return None

    texts = [*ODD_TEXTS, *(f"{year:04d}-{month:02d}-{day:02d}T12:00:00.5+23:59" for year in (1, 4, 99, 100, 1900, 2000, 2024, 9999)
                           for month in (0, 1, 2, 12, 13) for day in (0, 1, 28, 29, 30, 31, 32))]  # fmt: skip
    expected = [command(text) for text in texts]
    assert len([one for one in expected if one]) > 100
    assert [alone(text) for text in texts] == expected
    assert [answer.get("value") for answer in call_page([["instant", text] for text in texts], tmp_path)] == expected


def edge_signatures():
    """Signatures that implementations of Ed25519 have been known to judge differently, and ordinary ones."""
    draw = random.Random(SEED)
    for _ in range(12):
        key, message = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32)), draw.randbytes(draw.randrange(200))
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        yield public, message, signature
        yield public, message + b"x", signature
        s = int.from_bytes(signature[32:], "little")
        yield public, message, signature[:32] + (s + L).to_bytes(32, "little")  # malleable: S is not reduced
        at = draw.randrange(64)
        yield public, message, signature[:at] + bytes([signature[at] ^ 1 << draw.randrange(8)]) + signature[at + 1 :]
        yield public, message, draw.choice([b"", signature[:63], signature + b"\0"])
    small = [bytes(32), (1).to_bytes(32, "little"), (P - 1).to_bytes(32, "little"), P.to_bytes(32, "little"),
             (P + 1).to_bytes(32, "little"), (1 | 1 << 255).to_bytes(32, "little"), (2**255 - 1).to_bytes(32, "little"), b"\xff" * 32,
             bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
             bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]  # fmt: skip
    for public in small:  # keys of small order, and keys written in another way than the one
        for first in small:
            for s in (0, 1):
                for number in range(2):
                    yield public, bytes([number]), first + s.to_bytes(32, "little")
    for _ in range(20):
        yield draw.randbytes(32), b"x", draw.randbytes(32) + draw.randrange(L).to_bytes(32, "little")


def by_openssl(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.timeout(120)
def test_ed25519_is_that_of_openssl_even_at_the_edges(tmp_path):
    cases = list(dict.fromkeys(edge_signatures()))
    expected = [by_openssl(*case) for case in cases]
    assert expected.count(True) > 15  # some of the small-order ones are accepted by all
    assert [single.ed25519_verify(*case) for case in cases] == expected
    for name in ("plainEd25519", "ed25519"):
        answers = call_page([[name, *map(as_hex, case)] for case in cases], tmp_path)
        assert [answer["value"] for answer in answers] == expected
