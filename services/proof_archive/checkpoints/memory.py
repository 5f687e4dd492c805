"""What the signer has signed, kept outside MongoDB: one small file, replaced whole (write, fsync, rename, fsync).

It is what makes a fork impossible to sign after the database was restored or altered: a head must be consistent with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from shared.crypto.checkpoint import Checkpoint
from shared.crypto.encoding import b64, unb64
from shared.errors import ConfigurationError, IntegrityError

FILE = "signer-memory.json"


class Memory:
    """The largest tree signed of each log. `remember` returns only once the disk holds it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._signed: dict[str, Checkpoint] = {}
        self.existed = self._path.exists()
        if self.existed:
            self._signed = self._read()

    def get(self, origin: str) -> Checkpoint | None:
        """What was last signed of a log."""
        return self._signed.get(origin)

    def origins(self) -> list[str]:
        """Every log remembered."""
        return sorted(self._signed)

    def remember(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Keep these durably. Raises OSError when the disk refuses: then nothing may be signed."""
        signed = self._signed | dict(checkpoints)
        document = {
            "v": 1,
            "logs": {origin: {"size": c.size, "root": b64(c.root)} for origin, c in sorted(signed.items())},
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        with draft.open("w", encoding="ascii") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._signed = signed

    def _read(self) -> dict[str, Checkpoint]:
        try:
            logs = json.loads(self._path.read_text(encoding="ascii"))["logs"]
            return {origin: Checkpoint(origin, int(row["size"]), unb64(row["root"])) for origin, row in logs.items()}
        except (ValueError, KeyError, TypeError, AttributeError, IntegrityError) as error:
            raise ConfigurationError(
                f"the signer's memory {self._path.name!r} in OPPOSABLE_STATE_DIR is damaged: put a good copy back, or "
                "remove it to recover it from the topic `checkpoints.latest`"
            ) from error
