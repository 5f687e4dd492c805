"""What a check of the logs found, in the order it was found. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Progress = Callable[[str, int, int], None]
"""Told of `(origin, entries checked, entries in all)` as a log is read."""

CODES = {
    "ENTRY-MISSING": "an entry below the head is not stored",
    "ENTRY-ALTERED": "an entry's bytes are not those hashed when it was archived",
    "ENTRY-MISPLACED": "an entry's topic, partition or offset does not fit its place in the log",
    "BODY-ALTERED": "facts beside an entry are missing, or not those it hashes",
    "LINES-ALTERED": "the lines beside a verdict are missing, or not those it commits to",
    "TILE-MISSING": "a hash tile is missing, or narrower than the log",
    "TILE-ALTERED": "a hash tile does not hold the hashes of the entries",
    "HEAD-ALTERED": "the head does not hold the root or frontier of its entries",
    "HEAD-MISSING": "a log was published whose head is not stored",
    "HEAD-BEHIND": "a larger tree was signed or published than the head holds",
    "CHECKPOINT-REFUSED": "a stored checkpoint is not signed by the deployment's key, or names another log",
    "CHECKPOINT-DIFFERS": "a signed checkpoint states another root than the entries give",
    "KAFKA-DIFFERS": "a record that Kafka still holds gives other bytes than its entry",
    "KAFKA-UNARCHIVED": "a record below the head's offset has no entry",
    "KAFKA-UNKNOWN": "an entry has no record in Kafka though its offset is still retained",
    "KAFKA-BEHIND": "the topic ends before what was archived from it",
}
"""Every finding by its stable code."""


LISTED_MOST = 1000
"""Findings of one log that are kept one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold. `place` names it inside its log: `entry 12`, `tile 0/3`, `checkpoint 9`."""

    origin: str
    code: str
    place: str

    def sentence(self) -> str:
        """For people."""
        return f"{self.origin}: {self.place}: {CODES[self.code]} [{self.code}]"


@dataclass(slots=True)
class LogReport:
    """What was checked of one log, and what does not hold, first things first."""

    origin: str
    entries: int = 0
    tiles: int = 0
    checkpoints: int = 0
    kafka_records: int = 0
    unlisted: int = 0
    """Findings beyond the first `LISTED_MOST`, only counted: memory stays constant when everything was altered."""
    findings: list[Finding] = field(default_factory=list)

    def find(self, code: str, place: str) -> None:
        """Add a finding."""
        if len(self.findings) < LISTED_MOST:
            self.findings.append(Finding(self.origin, code, place))
        else:
            self.unlisted += 1


@dataclass(frozen=True, slots=True)
class Report:
    """Every log of a deployment."""

    logs: Sequence[LogReport]

    @property
    def findings(self) -> list[Finding]:
        """All findings; empty when everything holds."""
        return [finding for log in self.logs for finding in log.findings]

    @property
    def count(self) -> int:
        """How many things do not hold, listed or not."""
        return sum(len(log.findings) + log.unlisted for log in self.logs)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"ok": not self.findings, "logs": [asdict(log) for log in self.logs]}
