"""One-click links that need no database: the address itself says, encrypted, which record and which party (RFC 8058).

The token is AES-SIV (RFC 5297, deterministic: publishing a permission twice gives the same link) over record and party,
under a key derived for this use alone. It holds nothing of the person, and only we can make or read one.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import InputError, Problem

_INFO = b"opposable one-click v1"
_CONTEXT = [b"one-click"]
_SIV_KEY_BYTES = 64
_MOST = 512
"""Longest token read, in characters: a record and a party are far shorter."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a link refers to."""

    record: str
    party: str


class Tokens:
    """Makes and reads the tokens of one-click links."""

    def __init__(self, master: bytes) -> None:
        key = HKDF(algorithm=SHA256(), length=_SIV_KEY_BYTES, salt=None, info=_INFO).derive(master)
        self._cipher = AESSIV(key)

    def make(self, reference: Reference) -> str:
        """The token of a record and a party."""
        clear = f"{reference.record}\0{reference.party}".encode()
        return base64.urlsafe_b64encode(self._cipher.encrypt(clear, _CONTEXT)).rstrip(b"=").decode()

    def read(self, token: str) -> Reference:
        """The reference of a token. Raises InputError (`TOKEN`) for anything we did not make."""
        try:
            if len(token) > _MOST:
                raise ValueError("too long")  # noqa: TRY301 - one answer for every malformation
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            record, party = self._cipher.decrypt(sealed, _CONTEXT).decode().split("\0")
        except (InvalidTag, ValueError, binascii.Error):
            raise InputError([Problem("TOKEN", "", "this link is not one of ours: copy it whole")]) from None
        return Reference(record, party)
