"""Which checkpoint of each log a proof stands on: the newest that the trust file's witnesses have seen, where it wants some.

A checkpoint is cosigned a moment after it is signed. Until then a proof stands on the one before, or is promised; where the
witnesses stay away, it stands on the newest all the same, and whoever verifies it sees how many have seen it.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from services.proof_archive.log.reader import Reader, SignedCheckpoint
from shared.clock import Clock
from shared.crypto import note
from shared.crypto.policy import Policy, parse_policy
from shared.errors import IntegrityError

BACK = 20
"""Checkpoints looked at before the newest of a log, to find one that was seen."""


class Standing:
    """Chooses checkpoints under a trust file, read again when it changes; one that is missing or unusable wants nothing."""

    def __init__(self, reader: Reader, trust_file: Path, clock: Clock, patience_s: float) -> None:
        self._reader, self._file, self._clock = reader, trust_file, clock
        self._patience = timedelta(seconds=patience_s)
        self._read: tuple[tuple[int, int], Policy] | None = None

    async def latest(self) -> dict[int, SignedCheckpoint]:
        """The checkpoint to stand on, by log. A log whose only checkpoints are just signed has none yet."""
        latest = await self._reader.latest()
        policy = self.policy()
        if policy is None or not policy.independent:
            return latest
        for log, newest in list(latest.items()):
            if not is_seen(newest.note, policy):
                found = await self._before(newest, policy)
                if found is None:
                    del latest[log]
                else:
                    latest[log] = found
        return latest

    async def _before(self, newest: SignedCheckpoint, policy: Policy) -> SignedCheckpoint | None:
        if newest.at is not None and self._clock.now() - newest.at > self._patience:
            return newest
        before = await self._reader.newest(newest.log, BACK)
        found = next((checkpoint for checkpoint in before if is_seen(checkpoint.note, policy)), None)
        return found or (newest if len(before) == BACK else None)

    def policy(self) -> Policy | None:
        """The trust file as it is now; None where it is missing or unusable."""
        try:
            stat = self._file.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            if self._read is None or self._read[0] != version:
                self._read = (version, parse_policy(self._file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, IntegrityError):
            return None
        return self._read[1]


def is_seen(signed: bytes, policy: Policy) -> bool:
    """Whether a note bears the signatures of a quorum. They were verified when they were kept; a verifier does it again."""
    by = {(signature.name, signature.key_id) for signature in note.split(signed)[1]}
    seen = {name for name, key in policy.witnesses.items() if (key.name, key.key_id) in by}
    return policy.satisfied(frozenset(seen))
