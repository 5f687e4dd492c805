"""Settings of the eraser."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shared.settings import Settings


class EraserSettings(Settings):
    """Environment prefix `OPPOSABLE_`, as everywhere."""

    eraser_wait_s: float = Field(default=20.0, gt=0, le=120)
    """How long one batch waits for its confirmations before it is put back, and the wait said."""
    policy_file: Path | None = None
    """The trust file with the key of the logs; by default `policy` beside the secrets directory."""

    @property
    def trust_file(self) -> Path:
        """Where the trust file is."""
        return self.policy_file or self.secrets_dir.parent / "policy"
