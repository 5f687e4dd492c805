"""Encryption of a file about one person, piece by piece, under a key derived from its record's key.

Forgetting the record key makes the file unreadable, backups included. AES-256-GCM (NIST SP 800-38D) on pieces of 64 KiB,
each nonce a counter with a mark on the last piece, so that none can be dropped, moved or repeated; the key is drawn for one
file alone: HKDF-SHA256 (RFC 5869) of the record key with a random salt.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.crypto.sealing import RecordKey
from shared.errors import IntegrityError

PIECE = 64 * 1024
SEALED_PIECE = PIECE + 16
SALT_SIZE = 16

_INFO = b"opposable evidence v1\0"


class PieceSealer:
    """Seals a stream given in any portions. `finish` must be called once, at the end."""

    def __init__(self, key: RecordKey, salt: bytes, sha256: str) -> None:
        self._cipher = _cipher(key, salt, sha256)
        self._held, self._number = bytearray(), 0

    def add(self, data: bytes) -> bytes:
        """What can be written now: a piece is held back until it is known not to be the last."""
        self._held += data
        return b"".join(self._full())

    def finish(self) -> bytes:
        """The last piece (of an empty file too)."""
        return self._cipher.encrypt(_nonce(self._number, last=True), bytes(self._held), None)

    def _full(self) -> Iterator[bytes]:
        while len(self._held) > PIECE:
            yield self._cipher.encrypt(_nonce(self._number, last=False), bytes(self._held[:PIECE]), None)
            del self._held[:PIECE]
            self._number += 1


class PieceOpener:
    """Opens what `PieceSealer` wrote, in any portions. Raises IntegrityError where it was altered or cut."""

    def __init__(self, key: RecordKey, salt: bytes, sha256: str) -> None:
        self._cipher = _cipher(key, salt, sha256)
        self._held, self._number = bytearray(), 0

    def add(self, data: bytes) -> bytes:
        """The clear bytes known so far."""
        self._held += data
        clear = []
        while len(self._held) > SEALED_PIECE:
            clear.append(self._open(bytes(self._held[:SEALED_PIECE]), last=False))
            del self._held[:SEALED_PIECE]
            self._number += 1
        return b"".join(clear)

    def finish(self) -> bytes:
        """The last piece."""
        return self._open(bytes(self._held), last=True)

    def _open(self, piece: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(self._number, last=last), piece, None)
        except (InvalidTag, ValueError) as error:
            raise IntegrityError("a stored file does not open: altered, cut, or under another key") from error


def _cipher(key: RecordKey, salt: bytes, sha256: str) -> AESGCM:
    info = _INFO + sha256.encode()
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key.raw))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
