"""Sealing of personal data under one key per record: encrypt, commit, recognise, and erase by forgetting the key.

From the 32 random bytes of a record key, HKDF-SHA256 (RFC 5869) derives three subkeys: encryption (AES-256-GCM, NIST SP
800-38D), commitments and content recognition (HMAC-SHA256, RFC 2104). The record key is stored only wrapped (AES key
wrap, RFC 3394) by a key-encryption key; deleting that row makes every copy of the sealed data and every commitment
unreadable for ever.

Each committed field has **its own salt**, derived from the commitment subkey and the field's pointer: disclosing one
field hands over the salt of that field only, and no other can be guessed from it (docs/decisions/0004).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from typing import Any, Self

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from shared import canonical
from shared.crypto.encoding import b64url
from shared.errors import IntegrityError

KEY_SIZE = 32
NONCE_SIZE = 12
"""Bytes of an AES-GCM nonce, drawn at random: one key seals a handful of messages, far from the bound of 2^32."""

_INFO = b"opposable record key v1"
_SALT_LABEL = b"ptr\x00"


class RecordKey:
    """32 random bytes and the subkeys derived from them. Compares by value; never shown in full."""

    __slots__ = ("enc", "mac", "raw", "salt")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_SIZE:
            raise IntegrityError("a record key is 32 bytes")
        derived = HKDF(algorithm=SHA256(), length=3 * KEY_SIZE, salt=None, info=_INFO).derive(raw)
        self.raw = raw
        self.enc, self.salt, self.mac = derived[:32], derived[32:64], derived[64:]

    @classmethod
    def generate(cls) -> Self:
        """A fresh key from the operating system."""
        return cls(os.urandom(KEY_SIZE))

    def __repr__(self) -> str:
        return "RecordKey(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordKey) and hmac.compare_digest(self.raw, other.raw)

    def __hash__(self) -> int:
        return hash(self.raw)


def seal(key: RecordKey, kind: str, record: str, doc: dict[str, Any]) -> bytes:
    """Nonce (12 B) ‖ AES-256-GCM(canonical JSON of `doc`), bound to its kind and record."""
    nonce = os.urandom(NONCE_SIZE)
    return nonce + AESGCM(key.enc).encrypt(nonce, canonical.dumps(doc), _associated(kind, record))


def unseal(key: RecordKey, kind: str, record: str, blob: bytes) -> dict[str, Any]:
    """The document of a sealed blob. Raises IntegrityError when the blob, kind, record or key is another."""
    try:
        clear = AESGCM(key.enc).decrypt(blob[:NONCE_SIZE], blob[NONCE_SIZE:], _associated(kind, record))
    except (InvalidTag, ValueError) as error:
        raise IntegrityError("the sealed data does not open: altered, moved, or under another key") from error
    doc: dict[str, Any] = canonical.loads(clear)
    return doc


def salt_of(key: RecordKey, pointer: str) -> bytes:
    """The 32-byte salt of one field: what a disclosure of that field hands over."""
    return hmac.digest(key.salt, _SALT_LABEL + pointer.encode(), "sha256")


def commitment_of(salt: bytes, pointer: str, value: Any) -> str:
    """base64url(HMAC(salt of the pointer, pointer ‖ 0x00 ‖ canonical JSON of the value))."""
    return b64url(hmac.digest(salt, pointer.encode() + b"\x00" + canonical.dumps(value), "sha256"))


def commitments(key: RecordKey, doc: dict[str, Any], pointers: Iterable[str]) -> dict[str, str]:
    """Commitment by JSON pointer (RFC 6901) into `doc`. Raises IntegrityError when a pointer leads nowhere."""
    return {pointer: commitment_of(salt_of(key, pointer), pointer, resolve(doc, pointer)) for pointer in pointers}


def verify_commitment(commitment: str, salt: bytes, pointer: str, value: Any) -> None:
    """Raise IntegrityError unless the commitment is to this value at this pointer."""
    try:
        expected = commitment_of(salt, pointer, value)
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
        raise IntegrityError("the disclosed value is not JSON") from error
    if len(salt) != KEY_SIZE or not hmac.compare_digest(expected.encode(), commitment.encode()):
        raise IntegrityError("the disclosed value is not the one committed to")


def content_mac(key: RecordKey, content: bytes) -> bytes:
    """32 bytes that recognise the same content under the same record, and tell nothing without its key."""
    return hmac.digest(key.mac, content, "sha256")


def wrap(kek: bytes, key: RecordKey) -> bytes:
    """The record key under the key-encryption key (32 bytes): 40 bytes (RFC 3394)."""
    return aes_key_wrap(kek, key.raw)


def unwrap(kek: bytes, wrapped: bytes) -> RecordKey:
    """The record key. Raises IntegrityError when the bytes were altered or wrapped under another key."""
    try:
        return RecordKey(aes_key_unwrap(kek, wrapped))
    except (InvalidUnwrap, ValueError) as error:
        raise IntegrityError("the wrapped record key does not open") from error


def resolve(doc: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901). Raises IntegrityError when it leads nowhere."""
    if pointer and not pointer.startswith("/"):
        raise IntegrityError("a JSON pointer is empty or starts with '/'")
    value = doc
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise IntegrityError(f"nothing stands at {pointer}") from error
    return value


def _associated(kind: str, record: str) -> bytes:
    return f"{kind}\0{record}".encode()
