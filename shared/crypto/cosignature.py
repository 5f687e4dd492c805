"""Cosignatures: a witness's statement that it saw a checkpoint grow consistently, and when (C2SP tlog-cosignature 1.0.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.crypto.note import COSIGNATURE, TIME_SIZE, RawSignature, Verifier, cosigned_message


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's private key (type 0x04), which signs checkpoints with the time at which it saw them."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(self.name, COSIGNATURE, public)

    def cosign(self, text: str, time: int) -> RawSignature:
        """Cosignature over a checkpoint's text at `time`, seconds since the epoch."""
        value = Ed25519PrivateKey.from_private_bytes(self.seed).sign(cosigned_message(text, time))
        return RawSignature(self.name, self.verifier.key_id, time.to_bytes(TIME_SIZE, "big") + value)
