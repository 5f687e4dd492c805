"""A local MongoDB that lets nobody in without credentials: a key file among its members, and an operator who may do all.

Files, under `<data dir>/secrets/mongodb`: `keyfile`, and `<user>.password` of each user. What production needs is the same, from
its own keeper. MongoDB's localhost exception lets the first user be made without credentials, and nobody after it.
Source: https://www.mongodb.com/docs/manual/core/localhost-exception/.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path

from shared.access.plan import OPERATOR
from shared.keyring.ring import write_secret
from shared.mongo_access.provision import draw_password, password_file

KEY_FILE = "keyfile"
_KEY_BYTES = 96
"""Of randomness: 128 characters of base64, which is what a key file may hold (6 to 1024)."""


@dataclass(frozen=True, slots=True)
class MongoFiles:
    """The credentials of one local MongoDB."""

    directory: Path

    @property
    def key_file(self) -> Path:
        """What members of the replica set know each other by."""
        return self.directory / KEY_FILE

    def prepare(self) -> None:
        """Make what is missing; never touch what is there."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.key_file.exists():
            write_secret(self.key_file, base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
        self.password(OPERATOR)

    def password(self, user: str) -> str:
        """The password of a user, drawn when it is asked for first."""
        return draw_password(self.directory, user)

    def settings(self, user: str) -> dict[str, str]:
        """Fields of the settings of a client that connects as this user."""
        return {"mongodb_username": user, "mongodb_password_file": str(password_file(self.directory, user))}

    def environment(self, user: str) -> dict[str, str]:
        """The same as variables."""
        return {f"OPPOSABLE_{name.upper()}": value for name, value in self.settings(user).items()}
