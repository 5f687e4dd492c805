import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import b64, load

from shared.crypto import merkle, note
from shared.crypto.checkpoint import Checkpoint, Origin
from shared.crypto.cosignature import Cosigner
from shared.crypto.note import Signer, Verifier, open_note
from shared.errors import IntegrityError

C2SP = load("note/c2sp_signed_note.json")
GO = load("note/go_sumdb_note.json")
SIGSUM = load("note/sigsum_checkpoint.json")
ALICE = Signer("alice.example/log", b"a" * 32)
BOB = Signer("bob.example", b"b" * 32)


def test_the_note_of_the_specification():
    opened = open_note(C2SP["note"].encode(), [Verifier.parse(C2SP["vkey"])])
    assert opened.text == "This is an example message.\n"
    assert [signature.name for signature in opened.verified] == ["example.com/foo"]


@pytest.mark.parametrize("case", GO["valid"])
def test_notes_of_the_go_checksum_database(case):
    verifiers = [Verifier.parse(vkey) for vkey in case["vkeys"]]
    assert [verifier.vkey() for verifier in verifiers] == case["vkeys"]
    assert len(open_note(case["note"].encode(), verifiers).verified) == len(verifiers)


@pytest.mark.parametrize("vkey", GO["bad_vkeys"])
def test_bad_verifier_keys_of_the_go_checksum_database(vkey):
    with pytest.raises(IntegrityError):
        Verifier.parse(vkey)


def test_a_published_private_key_reproduces_the_published_note():
    name, key_id, secret = GO["test_private_key_public_in_source"].removeprefix("PRIVATE+KEY+").split("+", 2)
    signer = Signer(name, b64(secret)[1:])
    assert signer.verifier.key_id.hex() == key_id
    first = GO["valid"][0]["note"]
    assert note.sign(first.split("\n\n")[0] + "\n", [signer]).decode() == first


def test_the_tree_text_of_the_go_checksum_database():
    tree = GO["tree_text"]
    root = merkle.leaf_hash(tree["root_is_leaf_hash_of"].encode())
    assert Checkpoint(tree["origin"], tree["size"], root).marshal() == tree["text"]


def test_the_sigsum_checkpoint_byte_for_byte():
    text = SIGSUM["note"].split("\n\n")[0] + "\n"
    checkpoint = Checkpoint.parse(text)
    signer = Signer(checkpoint.origin, bytes.fromhex(SIGSUM["ed25519_seed_hex"]))
    assert note.sign(checkpoint.marshal(), [signer]) == SIGSUM["note"].encode()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60), st.integers(1, 3))
def test_what_is_signed_opens(line, copies):
    text = f"{line}\n" * copies
    opened = open_note(note.sign(text, [ALICE, BOB]), [ALICE.verifier, BOB.verifier])
    assert opened.text == text
    assert [signature.name for signature in opened.verified] == [ALICE.name, BOB.name]


def test_unknown_keys_are_ignored_but_not_alone():
    data = note.sign("x\n", [ALICE, BOB])
    assert [signature.name for signature in open_note(data, [BOB.verifier]).verified] == [BOB.name]
    with pytest.raises(IntegrityError, match="known key"):
        open_note(data, [Signer("carol", b"c" * 32).verifier])
    with pytest.raises(IntegrityError, match="known key"):
        open_note(data, [Signer(BOB.name, b"c" * 32).verifier])  # same name, other key


def test_one_bad_signature_by_a_known_key_condemns_the_note():
    good = ALICE.sign("x\n")
    bad = note.RawSignature(BOB.name, BOB.verifier.key_id, bytes(64))
    with pytest.raises(IntegrityError, match="wrong"):
        open_note(note.join("x\n", [good, bad]), [ALICE.verifier, BOB.verifier])


def test_no_flipped_byte_is_accepted():
    data = note.sign("opposable\n10\n", [ALICE])
    for at in range(len(data)):
        for bit in range(8):
            mutant = bytearray(data)
            mutant[at] ^= 1 << bit
            with pytest.raises(IntegrityError):
                open_note(bytes(mutant), [ALICE.verifier])


def test_many_signatures_are_accepted_up_to_a_limit():
    signers = [Signer(f"s{n}", bytes([n]) * 32) for n in range(note.MAX_SIGNATURES)]
    opened = open_note(note.sign("x\n", signers), [signer.verifier for signer in signers])
    assert len(opened.verified) == note.MAX_SIGNATURES >= 16
    with pytest.raises(IntegrityError, match="too many"):
        open_note(note.sign("x\n", [*signers, ALICE]), [ALICE.verifier])


def test_a_repeated_signature_must_be_right_too():
    bad = note.RawSignature(ALICE.name, ALICE.verifier.key_id, bytes(64))
    for signatures in ([ALICE.sign("x\n"), bad], [bad, ALICE.sign("x\n")]):
        with pytest.raises(IntegrityError, match="wrong"):
            open_note(note.join("x\n", signatures), [ALICE.verifier])


def test_a_signature_line_alone_is_no_note():
    with pytest.raises(IntegrityError, match="blank line"):
        open_note(ALICE.sign("\n").line().encode(), [ALICE.verifier])


def test_a_repeated_signature_counts_once():
    assert len(open_note(note.sign("x\n", [ALICE, ALICE]), [ALICE.verifier]).verified) == 1


LINE = ALICE.sign("x\n").line().encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"x\n", b"x\n\n", b"x\n\n\n", b"x\n" + LINE, b"x\n\n" + LINE[:-1], b"x\r\n\n" + LINE, b"\xff\n\n" + LINE,
        b"x\n\n" + LINE[4:], b"x\n\n" + LINE + "— bob AAAAAA==\n".encode(),
        b"x\n\n" + LINE + b"\n", b"x\n\n-" + LINE[3:], b"x\n\n" + LINE.replace(b"/log ", b"/l og "), b"x\n\n" + LINE.replace(b"=", b""),
        "x\n\n— alice.example/log AAAA\n".encode(), "x\n\n— alice.example/log \n".encode(), "x\n\n—  AAAAAAAA\n".encode(),
        "x\n\n— a+b AAAAAAAA\n".encode(),
    ],
)  # fmt: skip
def test_malformed_notes_are_refused(data):
    with pytest.raises(IntegrityError):
        open_note(data, [ALICE.verifier])


def test_a_note_over_the_limit_is_not_read():
    with pytest.raises(IntegrityError, match="too long"):
        open_note(note.sign("x" * note.MAX_NOTE + "\n", [ALICE]), [ALICE.verifier])


def test_a_verifier_key_under_another_id_or_name_is_refused():
    name, key_id, key = ALICE.verifier.vkey().split("+", 2)
    for vkey in (f"{name}+{'0' * 8}+{key}", f"{name}x+{key_id}+{key}", f"{name}+{key_id.upper()}+{key}"):
        with pytest.raises(IntegrityError, match="id does not match"):
            Verifier.parse(vkey)


@pytest.mark.parametrize("text", ["", "x", "x\t\n", "x\0\n", "\udfff\n"])
def test_texts_that_no_note_may_hold_are_not_signed(text):
    with pytest.raises(IntegrityError):
        note.sign(text, [ALICE])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x01b", "a\ud800"])
def test_names_that_no_key_may_have(name):
    with pytest.raises(IntegrityError):
        Signer(name, b"a" * 32)


def test_a_seed_is_32_bytes_and_is_not_shown():
    with pytest.raises(IntegrityError):
        Signer("x", b"short")
    assert "aaaa" not in repr(ALICE)


@pytest.mark.parametrize(
    "vkey",
    ["", "x", "x+00000000", "x+00000000+AA==", "+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode()],
)
def test_malformed_verifier_keys_are_refused(vkey):
    with pytest.raises(IntegrityError):
        Verifier.parse(vkey)


def test_a_key_whose_base64_holds_a_plus_is_read():
    seed = next(s for n in range(256) if "+" in Signer("x", s := bytes([n]) * 32).verifier.vkey().split("+", 2)[2])
    verifier = Signer("x", seed).verifier
    assert Verifier.parse(verifier.vkey()) == verifier


def test_cosignatures_carry_their_time_and_bind_it():
    witness = Cosigner("witness.example", b"w" * 32)
    text = Checkpoint("log.example/consents/00112233445566ff/p00", 3, bytes(32)).marshal()
    signature = witness.cosign(text, 1_790_000_000)
    opened = open_note(note.join(text, [signature]), [Verifier.parse(witness.verifier.vkey())])
    assert opened.verified[0].time == 1_790_000_000
    moved = note.RawSignature(signature.name, signature.key_id, bytes(8) + signature.value[8:])
    with pytest.raises(IntegrityError):
        open_note(note.join(text, [moved]), [witness.verifier])
    short = note.RawSignature(signature.name, signature.key_id, b"\x01")
    with pytest.raises(IntegrityError):
        open_note(note.join(text, [short]), [witness.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "", "o\n1\n", "o\n1\nAAAA\n", f"o\n01\n{'A' * 43}=\n", f"o\n-1\n{'A' * 43}=\n", f"\n1\n{'A' * 43}=\n", f"o\n1\n{'A' * 43}=",
        f"o\n1\n{'A' * 43}=\n\n", f"o\n9223372036854775808\n{'A' * 43}=\n", f"o\n1\n{'A' * 42}B=\n", f"o\n١\n{'A' * 43}=\n",
    ],
)  # fmt: skip
def test_malformed_checkpoints_are_refused(text):
    with pytest.raises(IntegrityError):
        Checkpoint.parse(text)


def test_extension_lines_are_kept():
    text = f"o\n1\n{'A' * 43}=\nextension\n"
    assert Checkpoint.parse(text).marshal() == text


def test_origins_round_trip():
    text = "opposable.local/consents/00112233445566ff/p00"
    assert Origin.parse(text) == Origin("opposable.local", "consents", "00112233445566ff", 0)
    assert str(Origin.parse(text)) == text
    assert Origin.parse("a/b/stops/00112233445566ff/p123").deployment == "a/b"


@pytest.mark.parametrize(
    "text",
    ["", "d/consents/00112233445566ff/p0", "d/consents/00112233445566ff/p000", "d/consents/xyz/p00", "/consents/00112233445566ff/p00",
     "d/consents/00112233445566FF/p00", "d/consents/00112233445566ff/p00\n", "d/consents/00112233445566ff/p" + "9" * 99],
)  # fmt: skip
def test_other_spellings_of_an_origin_are_refused(text):
    with pytest.raises(IntegrityError):
        Origin.parse(text)
