"""Signatures of messages pushed by HTTP, both sides: Standard Webhooks 1.0 (`v1` HMAC-SHA256, `v1a` Ed25519). Pure.

What is signed is `<webhook-id>.<webhook-timestamp>.<body>`; `webhook-signature` holds one signature a key, separated by
spaces, so that a secret is rotated without a moment when nothing verifies.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import ConfigurationError, OpposableError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
SECRET_PREFIX, PUBLIC_PREFIX = "whsec_", "whpk_"
TOLERANCE_S = 300
"""How far the timestamp may lie from the receiver's clock, in seconds."""
SECRET_LEAST, SECRET_MOST = 24, 64
"""Bytes of a secret, as the specification recommends."""


class SignatureError(OpposableError):
    """A message is not to be believed. `reason`: missing, timestamp, old, signature."""

    code = "WEBHOOK-SIGNATURE"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def parse_secret(text: str) -> bytes:
    """The bytes of `whsec_<base64>`. Raises ConfigurationError, which never shows the text."""
    encoded = text.strip().removeprefix(SECRET_PREFIX)
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError("a webhook secret is not whsec_ followed by base64") from None
    if not SECRET_LEAST <= len(secret) <= SECRET_MOST:
        raise ConfigurationError(f"a webhook secret holds {SECRET_LEAST} to {SECRET_MOST} bytes, not {len(secret)}")
    return secret


def format_secret(secret: bytes) -> str:
    """`whsec_<base64>`."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def format_public_key(key: Ed25519PublicKey) -> str:
    """`whpk_<base64>`."""
    return PUBLIC_PREFIX + base64.b64encode(key.public_bytes_raw()).decode()


def parse_public_key(text: str) -> Ed25519PublicKey:
    """The key of `whpk_<base64>`. Raises ConfigurationError."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip().removeprefix(PUBLIC_PREFIX)))
    except ValueError:
        raise ConfigurationError("a webhook public key is not whpk_ followed by the base64 of 32 bytes") from None


def sign(
    message: str, timestamp: int, body: bytes, *, secrets: Sequence[bytes], private: Ed25519PrivateKey | None = None
) -> dict[str, str]:
    """The three headers of a message. `timestamp`: seconds since the epoch; one `v1` a secret, then `v1a`."""
    signed = _signed(message, str(timestamp), body)
    parts = [f"v1,{_encode(hmac.digest(secret, signed, hashlib.sha256))}" for secret in secrets]
    if private is not None:
        parts.append(f"v1a,{_encode(private.sign(signed))}")
    return {ID: message, TIMESTAMP: str(timestamp), SIGNATURE: " ".join(parts)}


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float,
    secrets: Sequence[bytes] = (),
    public: Sequence[Ed25519PublicKey] = (),
) -> str:
    """The id of a message that one of the keys signed at most five minutes from `now`. Raises SignatureError.

    Keys of `headers` are lower case. Every signature given is compared, in constant time each.
    """
    message, stamp, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (message and stamp and given):
        raise SignatureError("missing", f"the headers {ID}, {TIMESTAMP} and {SIGNATURE} are needed")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):  # noqa: PLR2004 - far beyond any date
        raise SignatureError("timestamp", f"{TIMESTAMP} is not a number of seconds")
    if abs(int(stamp) - now) > TOLERANCE_S:
        raise SignatureError("old", f"{TIMESTAMP} is more than {TOLERANCE_S} s away: sent again by someone else?")
    signed = _signed(message, stamp, body)
    good = False
    for part in given.split():
        version, _, encoded = part.partition(",")
        try:
            signature = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if version == "v1":
            good |= any(hmac.compare_digest(hmac.digest(s, signed, hashlib.sha256), signature) for s in secrets)
        elif version == "v1a":
            good |= any(_holds(key, signature, signed) for key in public)
    if not good:
        raise SignatureError("signature", "no signature is by a key of the platform over these bytes")
    return message


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _signed(message: str, stamp: str, body: bytes) -> bytes:
    return f"{message}.{stamp}.".encode() + body


def _encode(signature: bytes) -> str:
    return base64.b64encode(signature).decode()
