import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import sealing
from shared.crypto.sealing import RecordKey
from shared.errors import IntegrityError

KEY = RecordKey(bytes(range(32)))
DOC = {"contacts": [{"type": "email", "value": "jeanne@exemple.fr"}], "subject_ref": "lead-1", "a/b": {"~": 3}}
POINTERS = ["/contacts/0/value", "/subject_ref", "/a~1b/~0"]

GOLDEN = {
    "enc": "4e3db25a850f241664dd05e80f8646fedef943295ff98358a27fcc7987f88bee",
    "salt": "1c399141c4d7b9f78b862ff74741be24e86ace209e384f4a96587a5627685356",
    "mac": "c4dd1fcb7c056db8d1bf86a9ebd5593c3ec46b7baae6065025e8d309cfe155c8",
    "salt_subject_ref": "1ebde92824b09e15dff7edfaff7d7e0f2b57aa098db30243a1a16817dcf234db",
    "commitment_subject_ref": "jX-gxNyWRnCCJHogVj6GjGw6sXAg6qWE-lxknIEO1y0",
    "content_mac": "c68980b4afd8691dff73d6c25f9ff19b7243fd95dcf85cdadf463e20168cc0bc",
    "wrapped": "246d75815315bd8b40ac141ba1cbca56785ae73cbbafa7fd20f4c91a99312c946edff8132c8259b4",
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", max_size=4), json_values, max_size=4))
def test_what_is_sealed_opens(doc):
    assert (
        sealing.unseal(KEY, "consent.recorded", "acme/1", sealing.seal(KEY, "consent.recorded", "acme/1", doc)) == doc
    )


def test_no_flipped_byte_opens():
    blob = sealing.seal(KEY, "consent.recorded", "acme/1", DOC)
    for at in range(len(blob)):
        mutant = bytearray(blob)
        mutant[at] ^= 1
        with pytest.raises(IntegrityError):
            sealing.unseal(KEY, "consent.recorded", "acme/1", bytes(mutant))


@pytest.mark.parametrize("length", [0, 11, 12, 27])
def test_a_cut_blob_does_not_open(length):
    with pytest.raises(IntegrityError):
        sealing.unseal(KEY, "k", "r", sealing.seal(KEY, "k", "r", DOC)[:length])


@pytest.mark.parametrize(
    ("kind", "record", "key"),
    [
        ("stop.recorded", "acme/1", KEY),
        ("consent.recorded", "acme/2", KEY),
        ("consent.recorded", "acme/1", RecordKey(bytes(32))),
    ],
)
def test_a_blob_does_not_move_to_another_kind_record_or_key(kind, record, key):
    blob = sealing.seal(KEY, "consent.recorded", "acme/1", DOC)
    with pytest.raises(IntegrityError):
        sealing.unseal(key, kind, record, blob)


def test_sealing_twice_gives_two_blobs():
    assert sealing.seal(KEY, "k", "r", DOC) != sealing.seal(KEY, "k", "r", DOC)


def test_golden_derivation():
    # HKDF-SHA256 and HMAC computed once with another implementation; a change here would orphan stored data.
    assert KEY.enc.hex() == GOLDEN["enc"]
    assert KEY.salt.hex() == GOLDEN["salt"]
    assert KEY.mac.hex() == GOLDEN["mac"]
    assert sealing.salt_of(KEY, "/subject_ref").hex() == GOLDEN["salt_subject_ref"]
    assert sealing.commitments(KEY, DOC, ["/subject_ref"]) == {"/subject_ref": GOLDEN["commitment_subject_ref"]}
    assert sealing.content_mac(KEY, b"{}").hex() == GOLDEN["content_mac"]
    assert sealing.wrap(bytes(32), KEY).hex() == GOLDEN["wrapped"]


def test_disclosing_a_field_verifies_and_discloses_no_other():
    made = sealing.commitments(KEY, DOC, POINTERS)
    assert sorted(made) == sorted(POINTERS)
    salts = {pointer: sealing.salt_of(KEY, pointer) for pointer in POINTERS}
    assert len(set(salts.values())) == len(POINTERS)
    for pointer in POINTERS:
        value = sealing.resolve(DOC, pointer)
        sealing.verify_commitment(made[pointer], salts[pointer], pointer, value)
        for other in set(POINTERS) - {pointer}:
            # The holder of one salt cannot test a guess, even the right one, on another field.
            with pytest.raises(IntegrityError):
                sealing.verify_commitment(made[other], salts[pointer], other, sealing.resolve(DOC, other))


@pytest.mark.parametrize("value", ["lead-2", 1, None, {"x": []}, "\ud800", 1.5, 2**70])
def test_another_value_is_not_the_one_committed_to(value):
    commitment = sealing.commitments(KEY, DOC, ["/subject_ref"])["/subject_ref"]
    with pytest.raises(IntegrityError):
        sealing.verify_commitment(commitment, sealing.salt_of(KEY, "/subject_ref"), "/subject_ref", value)


def test_a_salt_has_one_spelling():
    """HMAC pads its key with zeroes: a longer salt would verify as well."""
    commitment = sealing.commitments(KEY, DOC, ["/subject_ref"])["/subject_ref"]
    with pytest.raises(IntegrityError):
        sealing.verify_commitment(
            commitment, sealing.salt_of(KEY, "/subject_ref") + b"\0", "/subject_ref", DOC["subject_ref"]
        )


def test_a_string_and_a_number_do_not_share_a_commitment():
    salt = sealing.salt_of(KEY, "/x")
    assert sealing.commitment_of(salt, "/x", "1") != sealing.commitment_of(salt, "/x", 1)


def test_a_commitment_that_is_not_ascii_is_refused():
    with pytest.raises(IntegrityError):
        sealing.verify_commitment("é", sealing.salt_of(KEY, "/x"), "/x", "v")


@pytest.mark.parametrize(
    "pointer", ["x", "/missing", "/contacts/1", "/contacts/x", "/subject_ref/0", "/contacts/0/value/y"]
)
def test_a_pointer_that_leads_nowhere_is_refused(pointer):
    with pytest.raises(IntegrityError):
        sealing.commitments(KEY, DOC, [pointer])


def test_the_whole_document_has_the_empty_pointer():
    assert sealing.resolve(DOC, "") is DOC


def test_content_is_recognised_under_its_own_key_only():
    assert sealing.content_mac(KEY, b"a") == sealing.content_mac(KEY, b"a") != sealing.content_mac(KEY, b"b")
    assert sealing.content_mac(KEY, b"a") != sealing.content_mac(RecordKey.generate(), b"a")


def test_wrapping_round_trips_and_refuses_tampering():
    kek = b"k" * 32
    wrapped = sealing.wrap(kek, KEY)
    assert sealing.unwrap(kek, wrapped) == KEY
    for at in range(len(wrapped)):
        mutant = bytearray(wrapped)
        mutant[at] ^= 1
        with pytest.raises(IntegrityError):
            sealing.unwrap(kek, bytes(mutant))
    with pytest.raises(IntegrityError):
        sealing.unwrap(bytes(32), wrapped)
    with pytest.raises(IntegrityError):
        sealing.unwrap(kek, b"")


def test_wrapping_follows_rfc_3394():
    # RFC 3394 §4.6: 256 bits of key data with a 256-bit KEK.
    kek = bytes(range(32))
    data = RecordKey(bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"))
    assert sealing.wrap(kek, data).hex().upper() == (
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"
    )


def test_a_record_key_is_not_shown():
    assert repr(KEY) == "RecordKey(…)"
    assert RecordKey(bytes(range(32))) == KEY
    assert RecordKey(bytes(32)) != KEY
    assert KEY.raw != KEY
    assert hash(KEY) == hash(RecordKey(bytes(range(32))))
    with pytest.raises(IntegrityError):
        RecordKey(b"short")
