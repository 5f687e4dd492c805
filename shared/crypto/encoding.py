"""Base64 with one spelling per value (RFC 4648 §4 and §5): what is not the canonical text is refused.

Malleable encodings would let one proof be written in several ways, so that "the same bytes" no longer means the same
proof.
"""

from __future__ import annotations

import base64
import binascii

from shared.errors import IntegrityError


def b64(data: bytes) -> str:
    """Standard alphabet, padded."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Bytes of standard base64. Raises IntegrityError unless `b64` would write this very text."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise IntegrityError("not base64") from error
    if b64(data) != text:
        raise IntegrityError("base64 with stray bits")
    return data


def b64url(data: bytes) -> str:
    """URL alphabet, without padding: commitments and keyed names."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
