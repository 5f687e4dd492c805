import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto import keys
from shared.errors import IntegrityError

PEPPER, MASTER = b"p" * 32, b"m" * 32
GOLDEN = {
    "contact": "p1.FKhWgUW9VfjhkQNhtvxCb9-hs0F1ly7EJEpeWLwEwwI",
    "subject": "s1.7F4AQsGgVgcXCZuukexZCY5W1eOVp0t566hVwbtBtpE",
    "party": "57b0d4717f773efab25840229bb48b99bf6d41e915b55a6a636959051332ca8f",
    "match": "m1.OjZxgM6SVZUOM28wbEAg5Xqpzfjaj-DhV_fTM69MNAA",
    "lifted": "p2.QYWoMz_M2BLxR3hvecDQ45q9halbeqQLziLn1_NEKk0",
}


def test_golden_values():
    # A change here would orphan every stored suppression and every party's own computation.
    party = keys.party_key(MASTER, "canalvert", 1)
    assert keys.contact_key(1, PEPPER, "email", "jeanne.martin@exemple.fr") == GOLDEN["contact"]
    assert keys.subject_key(PEPPER, "acme", "lead-88231") == GOLDEN["subject"]
    assert party.hex() == GOLDEN["party"]
    assert keys.match_key(1, party, "phone", "+33612345678") == GOLDEN["match"]
    assert keys.lift_contact_key(GOLDEN["contact"], 2, b"q" * 32) == GOLDEN["lifted"]


@given(st.text(max_size=40), st.sampled_from(["email", "phone", "post", "browser", "handle"]))
def test_a_contact_key_is_the_hmac_that_the_contract_states(value, kind):
    try:
        message = kind.encode() + b"\x00" + value.encode()
    except UnicodeEncodeError:
        return
    expected = base64.urlsafe_b64encode(hmac.new(PEPPER, message, hashlib.sha256).digest()).rstrip(b"=").decode()
    assert keys.contact_key(3, PEPPER, kind, value) == f"p3.{expected}"


def test_the_party_key_is_rfc_5869():
    pseudo_random = hmac.new(bytes(32), MASTER, hashlib.sha256).digest()
    info = b"opposable match key\x00canalvert\x001"
    assert keys.party_key(MASTER, "canalvert", 1) == hmac.new(pseudo_random, info + b"\x01", hashlib.sha256).digest()


def test_parties_types_and_versions_do_not_share_keys():
    made = {
        keys.match_key(version, keys.party_key(MASTER, party, version), kind, "x")
        for party in ("a", "b", "a1")
        for version in (1, 2, 11)
        for kind in ("email", "phone")
    }
    assert len({key.partition(".")[2] for key in made}) == 3 * 3 * 2


def test_the_same_reference_at_two_collectors_is_two_subjects():
    assert keys.subject_key(PEPPER, "acme", "1") != keys.subject_key(PEPPER, "other", "1")
    assert keys.subject_key(PEPPER, "acme", "1", pepper_version=2).startswith("s2.")


def test_a_rotated_key_is_reached_from_the_old_key_alone():
    old = keys.contact_key(1, PEPPER, "email", "a@b.fr")
    lifted = keys.lift_contact_key(old, 2, b"q" * 32)
    assert lifted == keys.lift_contact_key(keys.contact_key(1, PEPPER, "email", "a@b.fr"), 2, b"q" * 32)
    assert lifted.startswith("p2.")
    with pytest.raises(IntegrityError):
        keys.lift_contact_key(old, 3, b"q" * 32)


@pytest.mark.parametrize("secret", [b"", b"x" * 31, b"x" * 33])
def test_a_secret_is_32_bytes(secret):
    with pytest.raises(IntegrityError):
        keys.contact_key(1, secret, "email", "x")
    with pytest.raises(IntegrityError):
        keys.party_key(secret, "a", 1)
    with pytest.raises(IntegrityError):
        keys.lift_contact_key(keys.contact_key(1, PEPPER, "email", "x"), 2, secret)
