"""Passwords: argon2id with the parameters of RFC 9106 §4 (second choice: 64 MiB, three passes), never in clear, never logged."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from shared.errors import InputError, Problem

SHORTEST, LONGEST = 12, 256
"""Characters (NIST SP 800-63B-4 asks for 15 where it is the only factor, 8 at least; no rules on their kinds)."""
AT_ONCE = 2
"""Hashes computed at a time: each takes 64 MiB."""


def refuse_weak(password: str, login: str) -> None:
    """Raise InputError for a password that is too short, too long, or the login itself."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            [Problem("PASSWORD-LENGTH", "/password", f"a password has {SHORTEST} to {LONGEST} characters")]
        )
    if len(set(password)) < SHORTEST // 2 or login.casefold() in password.casefold():
        raise InputError(
            [Problem("PASSWORD-WEAK", "/password", "too simple: repeated characters, or the login itself")]
        )


class Passwords:
    """Hashes and checks, off the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._nobody = self._hasher.hash("nobody has this password")

    def hashed(self, password: str) -> str:
        """The encoded hash (PHC string)."""
        return self._hasher.hash(password)

    async def matches(self, encoded: str | None, password: str) -> bool:
        """Whether a password is right. Without an account it takes as long, so that time tells nobody who has one (CWE-208)."""
        async with self._slots:
            right = await asyncio.to_thread(self._verify, encoded or self._nobody, password[: LONGEST + 1])
        return right and encoded is not None

    def _verify(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
