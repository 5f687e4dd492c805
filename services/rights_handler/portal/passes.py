"""Passes: what proves, once and for a short time, that a person holds a contact; and the session it opens. Pure but for drawing.

A pass is a random token of 256 bits (mail), or a handle of 256 bits with a code of six digits and five tries (SMS), or a code of 60 bits (letter). Only
SHA-256 of a token is stored, so that the database opens nothing. The contact and, until it is sent, the secret stand sealed
under a key of this service (AES-256-GCM, bound to the row).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import timedelta

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.rights_handler.portal.contact import Typed
from shared.errors import IntegrityError

TOKEN_BYTES = 32
CODE_DIGITS = 6
TRIES = 5
"""Of one code: a guess succeeds once in 200 000 handles, and asking for handles is limited too."""
TOKEN_LONGEST = 64
_NONCE = 12
_READABLE = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without I, L, O, 0, 1."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a link or code, and the pages behind it, can be used."""

    link: timedelta
    session: timedelta
    letter: timedelta
    """How long a code sent by letter can be used: the post takes days."""


def new_token() -> str:
    """256 random bits, for an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def new_letter_code() -> str:
    """Twelve letters and digits that cannot be mistaken for each other, for reading off paper: `K7QF-2MXA-9RDT`."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))


def plain_letter_code(text: str) -> str:
    """A letter's code as it was typed, whatever its case, spaces and dashes."""
    return "".join(c for c in text[:TOKEN_LONGEST].upper() if c.isalnum())


def name_of(token: str) -> str:
    """What is stored of a token. Looking it up by hash compares nothing secret byte by byte."""
    return hashlib.sha256(token[: TOKEN_LONGEST + 1].encode("utf-8", "replace")).hexdigest()


class Seals:
    """Keeps what a row must not show. Keys derive from a secret of the platform, for this use alone."""

    def __init__(self, master: bytes) -> None:
        def derived(info: bytes) -> bytes:
            return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)

        self._cipher = AESGCM(derived(b"opposable portal v1 seal"))
        self._codes = derived(b"opposable portal v1 codes")
        self._limits = derived(b"opposable portal v1 limits")

    def seal(self, row: str, contact: Typed, secret: str | None = None) -> bytes:
        """The contact of a row, and the secret to send where there is one."""
        nonce = os.urandom(_NONCE)
        clear = orjson.dumps([contact.kind, contact.value, secret])
        return nonce + self._cipher.encrypt(nonce, clear, row.encode())

    def open(self, row: str, sealed: bytes) -> tuple[Typed, str | None]:
        """What `seal` sealed. Raises IntegrityError where it is another row's or altered."""
        try:
            kind, value, secret = orjson.loads(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], row.encode()))
        except (InvalidTag, ValueError) as error:
            raise IntegrityError("a sealed contact of the portal does not open") from error
        return Typed(kind, value), secret

    def code_mark(self, row: str, code: str) -> bytes:
        """What is stored of a code: six digits alone could be tried out against a plain hash."""
        return hmac.digest(self._codes, f"{row}\0{code}".encode(), "sha256")

    def letter_name(self, code: str) -> str:
        """The row of a letter's code: keyed, since 60 bits could be tried out against a plain hash."""
        return hmac.digest(self._codes, f"letter\0{plain_letter_code(code)}".encode(), "sha256").hex()

    def limit_key(self, what: str, value: str, window: int) -> str:
        """The name of a counter: neither the contact nor the network address can be read or linked across windows."""
        return hmac.digest(self._limits, f"{what}\0{window}\0{value}".encode(), "sha256").hex()[:32]


def same(one: bytes, other: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(one, other)
