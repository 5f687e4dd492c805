"""The secrets of a local deployment, made once: 32 random bytes a file, readable by their owner alone.

Production takes them from its own keeper; the names are the same there (`OPPOSABLE_SECRETS_DIR`).
"""

from __future__ import annotations

import secrets
from pathlib import Path

from shared.errors import ConfigurationError
from shared.keyring.ring import versions_present, write_secret

RAW = ("kek", "pepper", "match-master", "log.seed", "bundle.seed", "webhook.seed")
"""Key-encryption key, contact pepper, master of the parties' match keys, two Ed25519 seeds, and the seed of webhooks' keys."""
TOKEN = "operator-token"  # noqa: S105 - a file name
SIZE = 32


def ensure_secrets(directory: Path) -> list[str]:
    """Create the files that are missing; never touch one that exists, in any version. Returns the names created."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    created = [
        name
        for name in RAW
        if not any(versions_present(directory, name) - {1}) and _create(directory / name, secrets.token_bytes(SIZE))
    ]
    if _create(directory / TOKEN, (secrets.token_urlsafe(SIZE) + "\n").encode()):
        created.append(TOKEN)
    return created


def _create(path: Path, content: bytes) -> bool:
    if path.exists():
        if not path.stat().st_size:
            raise ConfigurationError(f"secret file {path} is empty: restore it, or delete it if it never held anything")
        return False
    write_secret(path, content)  # whole or absent: half a key would be worse than none
    return True
