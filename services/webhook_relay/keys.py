"""What the relay signs and seals with. Files of OPPOSABLE_SECRETS_DIR, read again when the directory changes.

`webhook.<party>.v<n>`: `whsec_<base64>`, made by `opposable webhook secret`. Every version that is there signs, the newest
first: a rotation is a second file, then the removal of the first. `webhook.seed`: 32 bytes, from which come the
platform's Ed25519 key (`v1a`) and the key that seals waiting events in the database.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import ConfigurationError, IntegrityError
from shared.webhooks import parse_secret

SEED = "webhook.seed"
NAME = re.compile(r"webhook\.(?P<party>[a-z0-9][a-z0-9-]{1,40})\.v(?P<version>[1-9][0-9]{0,5})")
NONCE = 12


def secret_name(party: str, version: int) -> str:
    """The file of one version of a party's secret."""
    return f"webhook.{party}.v{version}"


def secret_versions(directory: Path, party: str) -> list[int]:
    """The versions kept for a party, the newest first."""
    found = (NAME.fullmatch(path.name) for path in directory.iterdir())
    return sorted((int(match["version"]) for match in found if match and match["party"] == party), reverse=True)


class PartySecrets:
    """The secrets of each party."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamp: tuple[int, int] | None = None
        self._kept: dict[str, tuple[bytes, ...]] = {}

    def of(self, party: str) -> tuple[bytes, ...]:
        """Newest first; empty where none is kept. Raises ConfigurationError naming the file that cannot be used."""
        stat = self._directory.stat()
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp != self._stamp:
            self._kept, self._stamp = {}, stamp
        if party not in self._kept:
            names = [secret_name(party, version) for version in secret_versions(self._directory, party)]
            self._kept[party] = tuple(self._read(name) for name in names)
        return self._kept[party]

    def _read(self, name: str) -> bytes:
        try:
            return parse_secret((self._directory / name).read_text("ascii"))
        except (OSError, UnicodeDecodeError, ConfigurationError) as error:
            raise ConfigurationError(f"secret file {name!r} cannot be used ({type(error).__name__})") from None


def private_key(seed: bytes) -> Ed25519PrivateKey:
    """The platform's own signing key for webhooks."""
    return Ed25519PrivateKey.from_private_bytes(_derived(seed, b"opposable webhook v1a"))


class Sealer:
    """Waiting events in the database are sealed, each to its id: AES-256-GCM, random nonce first."""

    def __init__(self, seed: bytes) -> None:
        self._aead = AESGCM(_derived(seed, b"opposable webhook queue"))

    def seal(self, identity: str, body: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(NONCE)
        return nonce + self._aead.encrypt(nonce, body, identity.encode())

    def open(self, identity: str, sealed: bytes) -> bytes:
        """The body. Raises IntegrityError where the bytes are not what was sealed under this id."""
        try:
            return self._aead.decrypt(sealed[:NONCE], sealed[NONCE:], identity.encode())
        except InvalidTag:
            raise IntegrityError("a waiting webhook cannot be opened: another seed, or changed bytes") from None


def _derived(seed: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(seed)
