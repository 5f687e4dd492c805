"""Signed notes and verifier keys (C2SP signed-note 1.0, tlog-cosignature 1.0.1).

A note is a text that ends in a line feed, a blank line, then one line `— <name> <base64(key id ‖ signature)>` per
signature. Two algorithms: Ed25519 over the text (type 0x01) and the timestamped Ed25519 cosignature of witnesses (type
0x04). Signatures by unknown keys are ignored; a bad signature by a known key condemns the whole note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.crypto.encoding import b64, unb64
from shared.errors import IntegrityError

ED25519 = 0x01
"""Signature type: Ed25519 over the note's text."""

COSIGNATURE = 0x04
"""Signature type: Ed25519 over `cosignature/v1`, a time and the note's text."""

MAX_SIGNATURES = 100
"""The specification asks for at least 16; more than this only costs work."""

MAX_NOTE = 1 << 20
"""Bytes of the longest note read."""

_KEY_ID_SIZE = 4
_KEY_SIZE = 32
TIME_SIZE = 8
"""Bytes of the time (seconds since the epoch, big-endian) that stands before a cosignature."""

_DASH = "— "


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line that was verified. `time` (seconds since the epoch) exists on cosignatures only."""

    name: str
    key_id: bytes
    time: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """An opened note: its text, final line feed included, and the signatures that verified (at least one)."""

    text: str
    verified: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class RawSignature:
    """One signature line as written, not verified: key name, 4-byte key id, and what follows it."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """The line of the note, line feed included."""
        return f"{_DASH}{self.name} {b64(self.key_id + self.value)}\n"


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]."""
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:_KEY_ID_SIZE]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name. Build it with `parse` from a vkey `name+hex8+base64(type ‖ public key)`."""

    name: str
    algorithm: int
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a vkey. Raises IntegrityError naming what is wrong."""
        name, _, rest = vkey.partition("+")  # base64 may hold "+": split from the left only
        written_id, _, encoded = rest.partition("+")
        check_name(name)
        key = unb64(encoded)
        if len(key) != 1 + _KEY_SIZE or key[0] not in {ED25519, COSIGNATURE}:
            raise IntegrityError("the verifier key is neither Ed25519 (01) nor a cosignature key (04)")
        if key_id(name, key[0], key[1:]).hex() != written_id:
            raise IntegrityError("the verifier key's id does not match its name and key")
        return cls(name, key[0], key[1:])

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before this key's signatures."""
        return key_id(self.name, self.algorithm, self.public)

    def vkey(self) -> str:
        """The text form that `parse` reads."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.algorithm]) + self.public)}"

    def verify(self, text: str, value: bytes) -> Signature:
        """Check one signature value over a note's text. Raises IntegrityError when it is wrong."""
        message, time = text.encode(), None
        if self.algorithm == COSIGNATURE:
            time = int.from_bytes(value[:TIME_SIZE], "big")
            message, value = cosigned_message(text, time), value[TIME_SIZE:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, message)
        except (InvalidSignature, ValueError) as error:
            raise IntegrityError(f"the signature of {self.name} is wrong") from error
        return Signature(self.name, self.key_id, time)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private Ed25519 key (32-byte seed) with its name, for plain signatures (type 0x01)."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.seed) != _KEY_SIZE:
            raise IntegrityError("an Ed25519 seed is 32 bytes")

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(self.name, ED25519, public)

    def sign(self, text: str) -> RawSignature:
        """Signature over a note's text; the same text always gives the same bytes (RFC 8032)."""
        _check_text(text)
        value = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return RawSignature(self.name, self.verifier.key_id, value)


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs: `cosignature/v1`, `time <seconds>`, then the checkpoint's text."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def sign(text: str, signers: Iterable[Signer]) -> bytes:
    """The note of this text with one signature per signer, in order."""
    return join(text, [signer.sign(text) for signer in signers])


def join(text: str, signatures: Iterable[RawSignature]) -> bytes:
    """The note's bytes. Raises IntegrityError on a text that no note may hold."""
    _check_text(text)
    return (text + "\n" + "".join(signature.line() for signature in signatures)).encode()


def split(data: bytes) -> tuple[str, list[RawSignature]]:
    """Text and signature lines of a note, unverified. Raises IntegrityError naming the malformation."""
    if len(data) > MAX_NOTE:
        raise IntegrityError("the note is too long")
    try:
        message = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IntegrityError("the note is not UTF-8") from error
    head, blank, tail = message.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise IntegrityError("the note has no blank line before its signatures, or is cut short")
    text = head + "\n"
    _check_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise IntegrityError("the note has too many signatures")
    return text, [_parse_line(line) for line in lines]


def open_note(data: bytes, verifiers: Sequence[Verifier]) -> Note:
    """Open a note. Raises IntegrityError when malformed, when a known key's signature is wrong, or if none is known."""
    text, signatures = split(data)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified: dict[tuple[str, bytes], Signature] = {}
    for signature in signatures:
        key = (signature.name, signature.key_id)
        if key in known:  # each must be right; a repeated one counts once
            verified.setdefault(key, known[key].verify(text, signature.value))
    if not verified:
        raise IntegrityError("no signature of the note is by a known key")
    return Note(text, tuple(verified.values()))


def check_name(name: str) -> None:
    """Raise IntegrityError unless this may name a key: not empty, no space, no `+`."""
    if not name or "+" in name or any(c.isspace() or c < " " or _is_surrogate(c) for c in name):
        raise IntegrityError("a key name is not empty and holds neither a space nor '+'")


def _parse_line(line: str) -> RawSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise IntegrityError("a signature line starts with an em dash and a space")
    check_name(name)
    value = unb64(encoded)
    if len(value) <= _KEY_ID_SIZE:
        raise IntegrityError("the signature is too short")
    return RawSignature(name, value[:_KEY_ID_SIZE], value[_KEY_ID_SIZE:])


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any((c < " " and c != "\n") or _is_surrogate(c) for c in text):
        raise IntegrityError("a note's text ends in a line feed and holds no other control character")


def _is_surrogate(character: str) -> bool:
    """Whether UTF-8 cannot write it: JSON and callers can hand such halves over."""
    return "\ud800" <= character <= "\udfff"
