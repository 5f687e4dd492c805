"""Escrow: each version of each secret in a file of its own, encrypted for whoever keeps it, with a check value in the clear.

One JSON file (`kek.2.escrow.json`). The content is AES-256-GCM; its key is

- `scrypt`: derived from a passphrase (RFC 7914, N = 2¹⁷, r = 8, p = 1: 128 MiB and half a second a guess);
- `x25519`: agreed with the keeper's public key by an ephemeral one (RFC 7748), through HKDF-SHA256;
- `rsa`: random, encrypted by RSAES-OAEP with SHA-256 (RFC 8017), of 3072 bits at least.

Everything else in the file is bound to the content as associated data: a file cannot be renamed into another secret. The
check value proves, in a drill, that what would be restored is the right secret, without showing it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from shared.crypto.encoding import b64, unb64
from shared.errors import ConfigurationError, IntegrityError
from shared.keyring.checks import check_value

FORMAT = "opposable-escrow-v1"
SUFFIX = ".escrow.json"
KEY_BYTES, NONCE_BYTES, SALT_BYTES = 32, 12, 16
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1
SCRYPT_N_MOST = 2**20
"""A file that asks for more is refused: it would take the machine's memory."""
RSA_BITS_LEAST = 3072
PASSPHRASE_LEAST = 16
_INFO = b"opposable escrow v1"
_OAEP = padding.OAEP(padding.MGF1(SHA256()), SHA256(), _INFO)


@dataclass(frozen=True, slots=True)
class Secret:
    """One version of one secret. Never shown."""

    name: str
    version: int
    content: bytes

    def __repr__(self) -> str:
        return f"Secret({self.name}, {self.version})"

    @property
    def check(self) -> str:
        """Its check value."""
        return check_value(self.name, self.version, self.content)


class Lock(Protocol):
    """Encrypts for a keeper: a key, and what the keeper needs to find it again."""

    def new(self) -> tuple[bytes, dict[str, Any]]:
        """(content key, public parameters)."""
        ...


class Key(Protocol):
    """Finds a content key again."""

    def find(self, params: Mapping[str, Any]) -> bytes:
        """The content key of a file. Raises IntegrityError where this key is not for it."""
        ...


class Passphrase:
    """Locks and opens by a passphrase; one derivation serves all files of a run."""

    def __init__(self, passphrase: str) -> None:
        if len(passphrase) < PASSPHRASE_LEAST:
            raise ConfigurationError(f"an escrow passphrase has {PASSPHRASE_LEAST} characters at least")
        self._passphrase, self._salt = passphrase.encode(), os.urandom(SALT_BYTES)

    def new(self) -> tuple[bytes, dict[str, Any]]:
        """The derived key, with the salt and costs."""
        params = {"method": "scrypt", "salt": b64(self._salt), "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P}
        return _derived(self._passphrase, self._salt, SCRYPT_N, SCRYPT_R, SCRYPT_P), params

    def find(self, params: Mapping[str, Any]) -> bytes:
        """The derived key again."""
        if params.get("method") != "scrypt":
            raise IntegrityError("this escrow file is for a private key, not for a passphrase")
        n, r, p = (int(params[name]) for name in ("n", "r", "p"))
        if not (1 < n <= SCRYPT_N_MOST and 0 < r <= SCRYPT_R and 0 < p <= SCRYPT_P * 4):
            raise IntegrityError("the costs of this escrow file are out of bounds")
        return _derived(self._passphrase, unb64(params["salt"]), n, r, p)


class PublicKey:
    """Locks for the holder of a private key (PEM, X25519 or RSA)."""

    def __init__(self, pem: bytes) -> None:
        try:
            key = load_pem_public_key(pem)
        except ValueError:
            raise ConfigurationError("the escrow public key is no PEM public key") from None
        if not isinstance(key, X25519PublicKey | RSAPublicKey):
            raise ConfigurationError("the escrow public key must be X25519 or RSA")
        if isinstance(key, RSAPublicKey) and key.key_size < RSA_BITS_LEAST:
            raise ConfigurationError(f"an RSA escrow key has {RSA_BITS_LEAST} bits at least")
        self._key = key

    def new(self) -> tuple[bytes, dict[str, Any]]:
        """A key of this file alone."""
        if isinstance(self._key, RSAPublicKey):
            content_key = os.urandom(KEY_BYTES)
            return content_key, {"method": "rsa", "wrapped": b64(self._key.encrypt(content_key, _OAEP))}
        ephemeral = X25519PrivateKey.generate()
        mine, theirs = _raw(ephemeral.public_key()), _raw(self._key)
        return _agreed(ephemeral.exchange(self._key), mine, theirs), {"method": "x25519", "ephemeral": b64(mine)}


class PrivateKey:
    """Opens what was locked for its public key."""

    def __init__(self, pem: bytes, password: bytes | None = None) -> None:
        try:
            key = load_pem_private_key(pem, password)
        except (ValueError, TypeError):
            raise ConfigurationError(
                "the escrow private key cannot be read (no PEM, or its own password is missing or wrong)"
            ) from None
        if not isinstance(key, X25519PrivateKey | RSAPrivateKey):
            raise ConfigurationError("the escrow private key must be X25519 or RSA")
        self._key = key

    def find(self, params: Mapping[str, Any]) -> bytes:
        """The content key again."""
        method = params.get("method")
        if isinstance(self._key, RSAPrivateKey) and method == "rsa":
            try:
                return self._key.decrypt(unb64(params["wrapped"]), _OAEP)
            except ValueError:
                raise IntegrityError("this escrow file was made for another private key") from None
        if isinstance(self._key, X25519PrivateKey) and method == "x25519":
            theirs = unb64(params["ephemeral"])
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(theirs))
            return _agreed(shared, theirs, _raw(self._key.public_key()))
        raise IntegrityError("this escrow file was made for another kind of key")


def lock(secret: Secret, keeper: Lock, created_at: str) -> bytes:
    """The escrow file of one secret."""
    key, params = keeper.new()
    head = {
        "format": FORMAT, "name": secret.name, "version": secret.version, "check": secret.check, "created_at": created_at,
        "params": params,
    }  # fmt: skip
    nonce = os.urandom(NONCE_BYTES)
    body = {"nonce": b64(nonce), "content": b64(AESGCM(key).encrypt(nonce, secret.content, _bound(head)))}
    return (json.dumps({**head, **body}, indent=1) + "\n").encode()


def read_head(data: bytes) -> dict[str, Any]:
    """What an escrow file says in the clear. Raises IntegrityError where it is none."""
    try:
        doc: dict[str, Any] = json.loads(data)
        known = doc["format"] == FORMAT and isinstance(doc["name"], str) and isinstance(doc["version"], int)
        {doc[name] for name in ("check", "created_at", "nonce", "content")}
        known = known and isinstance(doc["params"], dict)
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        raise IntegrityError("this is no escrow file")
    return doc


def unlock(data: bytes, key: Key) -> Secret:
    """The secret of an escrow file, proven by its check value. Raises IntegrityError where it does not open."""
    doc = read_head(data)
    head = {name: doc[name] for name in ("format", "name", "version", "check", "created_at", "params")}
    try:
        content_key = key.find(doc["params"])
        content = AESGCM(content_key).decrypt(unb64(doc["nonce"]), unb64(doc["content"]), _bound(head))
    except (InvalidTag, ValueError, TypeError, KeyError):
        raise IntegrityError(
            f"the escrow file of {doc['name']} does not open: wrong passphrase or key, or altered"
        ) from None
    secret = Secret(doc["name"], doc["version"], content)
    if secret.check != doc["check"]:
        raise IntegrityError(f"what the escrow file of {doc['name']} holds has another check value than it says")
    return secret


@lru_cache(maxsize=8)
def _derived(passphrase: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(passphrase)


def _agreed(shared: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_INFO + ephemeral + recipient).derive(shared)


def _raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _bound(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
