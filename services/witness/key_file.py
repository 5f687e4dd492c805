"""The key of a witness in a file: `PRIVATE+KEY+<name>+<id>+<base64(04 ‖ seed)>`, as `golang.org/x/mod/sumdb/note` writes keys.

The type is 04, the timestamped Ed25519 cosignature (C2SP tlog-cosignature 1.0.1).
"""

from __future__ import annotations

import os
from pathlib import Path

from shared.crypto.cosignature import Cosigner
from shared.crypto.encoding import b64, unb64
from shared.crypto.note import COSIGNATURE, check_name
from shared.errors import ConfigurationError, IntegrityError

_PREFIX = "PRIVATE+KEY+"
_SEED_SIZE = 32


def write_key(path: Path, name: str) -> Cosigner:
    """Make a new key of this name, in a file that only its owner reads. Raises ConfigurationError, also where one stands."""
    try:
        check_name(name)
        cosigner = Cosigner(name, os.urandom(_SEED_SIZE))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(_text(cosigner))
    except IntegrityError as error:
        raise ConfigurationError(str(error)) from error
    except OSError as error:
        raise ConfigurationError(f"the key file {path} cannot be made: {error.strerror}") from error
    return cosigner


def read_key(path: Path) -> Cosigner:
    """The key of a file. Raises ConfigurationError naming the file, never its content."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"the key file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        text = ""
    name, _, rest = text.removeprefix(_PREFIX).partition("+")
    try:
        key = unb64(rest.partition("+")[2])
        cosigner = Cosigner(name, key[1:])
        known = key[:1] == bytes([COSIGNATURE]) and len(key) == 1 + _SEED_SIZE and _text(cosigner).strip() == text
    except (IntegrityError, ValueError):
        known = False
    if not known:
        raise ConfigurationError(
            f"{path} holds no witness key: `opposable witness keygen --name NAME --key FILE` makes one"
        )
    return cosigner


def _text(cosigner: Cosigner) -> str:
    secret = b64(bytes([COSIGNATURE]) + cosigner.seed)
    return f"{_PREFIX}{cosigner.name}+{cosigner.verifier.key_id.hex()}+{secret}\n"
