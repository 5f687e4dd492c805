"""Tickets: what one service gives a person so that another serves them, for one record and a short time.

A ticket is AES-SIV (RFC 5297) over record and expiry, under a key derived for this use alone from the newest key-encryption
key, which both services hold; its version stands before it, so that a rotation ends no ticket early. It names nobody, and
only we can make or read one. Whoever holds it is taken for the person: it is given only after the person has proved to be.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.clock import Clock
from shared.errors import Unavailable
from shared.instants import format_instant, parse_instant
from shared.keyring.ring import Versions

GOOD_FOR = timedelta(minutes=30)
"""How long a ticket opens the proof it was made for."""
_INFO = b"opposable proof ticket v1"
_CONTEXT = [b"proof"]
_SIV_KEY_BYTES = 64
_MOST = 512
_FORM = re.compile(r"([1-9][0-9]{0,3})~([A-Za-z0-9_-]{22,})")


class Tickets:
    """Makes and reads tickets."""

    def __init__(self, keys: Versions, clock: Clock) -> None:
        self._keys, self._clock = keys, clock

    def make(self, record: str, good_for: timedelta = GOOD_FOR) -> str:
        """A ticket for the person of a record (`<collector>/<consent id>`)."""
        version = self._keys.newest()
        clear = f"{record}\0{format_instant(self._clock.now() + good_for)}".encode()
        sealed = self._cipher(version).encrypt(clear, _CONTEXT)
        return f"{version}~{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    async def record_of(self, token: str) -> str | None:
        """The record of a ticket; None for anything we did not make, or that has expired."""
        form = _FORM.fullmatch(token) if len(token) <= _MOST else None
        if form is None:
            return None
        try:
            sealed = base64.urlsafe_b64decode(form[2] + "=" * (-len(form[2]) % 4))
            record, until = self._cipher(int(form[1])).decrypt(sealed, _CONTEXT).decode().split("\0")
        except (
            InvalidTag,
            ValueError,
            binascii.Error,
            Unavailable,
        ):  # Unavailable: a version that is not here any more
            return None
        return record if parse_instant(until) > self._clock.now() else None

    def _cipher(self, version: int) -> AESSIV:
        key = HKDF(algorithm=SHA256(), length=_SIV_KEY_BYTES, salt=None, info=_INFO).derive(self._keys.get(version))
        return AESSIV(key)
