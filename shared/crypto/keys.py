"""Keyed names of persons: what stands for a contact where the contact itself must not.

Each is HMAC-SHA256 under a secret, written `<letter><version>.<base64url>`. Contact keys and subject keys use the
platform's pepper and never leave the rights index; match keys use a key of each party, so that two parties cannot
compare theirs. The value is the *normalised* contact.
"""

from __future__ import annotations

import base64
import hmac
import re

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.crypto.encoding import b64url
from shared.errors import IntegrityError

KEY_SIZE = 32
"""Bytes of every secret of this module."""
_NAME = re.compile(r"([psna])([1-9][0-9]{0,3})\.([A-Za-z0-9_-]+)")
_FIRST_ALIAS = re.compile(r"[A-Za-z0-9_-]{22}")


def contact_key(pepper_version: int, pepper: bytes, contact_type: str, value: str) -> str:
    """`p<n>.` + base64url(HMAC(pepper, type ‖ 0x00 ‖ value)), for the first pepper or one that started afresh."""
    return f"p{pepper_version}.{_keyed(pepper, contact_type, value)}"


def lift_contact_key(key: str, pepper_version: int, pepper: bytes) -> str:
    """The key under the next pepper: HMAC(pepper_{n+1}, key_n), so that keys of erased persons survive a rotation.

    The same for every other name under the pepper (`s`, `n`, `a`), as long as the name it is made of.
    """
    _check_secret(pepper)
    letter, version, encoded = name_parts(key)
    if version != pepper_version - 1:
        raise IntegrityError("a contact key is lifted from the version just before")
    previous = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    return f"{letter}{pepper_version}.{b64url(hmac.digest(pepper, previous, 'sha256')[: len(previous)])}"


def name_parts(name: str) -> tuple[str, int, str]:
    """(letter, version, encoded) of a name under the pepper; one that bears no version is an alias of the first."""
    found = _NAME.fullmatch(name)
    if found is not None:
        return found[1], int(found[2]), found[3]
    if _FIRST_ALIAS.fullmatch(name) is not None:
        return "a", 1, name
    raise IntegrityError("this is no name under a pepper")


def subject_key(pepper: bytes, collector: str, subject_ref: str, *, pepper_version: int = 1) -> str:
    """`s<n>.` + the same over a collector's own reference of a person: unique per collector only."""
    return f"s{pepper_version}.{_keyed(pepper, 'subject', collector + chr(0) + subject_ref)}"


def party_key(master: bytes, party: str, version: int) -> bytes:
    """The 32-byte match key of one party: HKDF-SHA256(master, info = "opposable match key" 00 party 00 version)."""
    _check_secret(master)
    info = b"opposable match key\x00" + f"{party}\0{version}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=None, info=info).derive(master)


def match_key(version: int, key: bytes, contact_type: str, value: str) -> str:
    """`m<n>.` + base64url(HMAC(party key, type ‖ 0x00 ‖ value)): what that party computes over its own file."""
    return f"m{version}.{_keyed(key, contact_type, value)}"


def _keyed(secret: bytes, kind: str, value: str) -> str:
    _check_secret(secret)
    return b64url(hmac.digest(secret, f"{kind}\0{value}".encode(), "sha256"))


def _check_secret(secret: bytes) -> None:
    if len(secret) != KEY_SIZE:
        raise IntegrityError("a secret is 32 bytes")
