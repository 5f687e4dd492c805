"""Whether a copy would bring the system back: its files are whole, and Kafka still holds everything that came after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from shared.backup import documents
from shared.backup.manifest import GROUPS, Manifest
from shared.backup.positions import Positions, service_of
from shared.errors import IntegrityError

RESTORE_WITHIN = timedelta(days=1)
"""How long a failure may go unseen and its mending take, on top of the interval of copies."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Records that came after the copy and are no longer there."""

    group: str
    partition: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What does not hold; empty where the copy would bring the system back."""

    files: tuple[str, ...]
    """Sentences."""
    gaps: tuple[Gap, ...]
    short: tuple[str, ...]
    """Topics that keep records for less than the interval of copies and the time to mend."""

    def __bool__(self) -> bool:
        return bool(self.files or self.gaps or self.short)


def check_files(directory: Path, manifest: Manifest) -> tuple[str, ...]:
    """Each file against its hash and count."""
    wrong = []
    for database, rows in manifest.databases.items():
        for kept in rows:
            tally = documents.Tally()
            try:
                for raw in documents.saved(directory, database, kept.name):
                    tally.add(raw)
            except IntegrityError as error:
                wrong.append(str(error))
                continue
            if (tally.documents, tally.size, tally.sha256) != (kept.documents, kept.size, kept.sha256):
                wrong.append(f"{database}.{kept.name} is not what the manifest says: {tally.documents} documents")
    return tuple(wrong)


def gaps(manifest: Manifest, begins: Mapping[str, int], databases: Sequence[str]) -> tuple[Gap, ...]:
    """Where a group would have to read again what is no longer there. Pure."""
    services = {service for database in databases for service in GROUPS[database]}
    return tuple(
        Gap(group, name, offset, begins[name] - 1)
        for group, offsets in manifest.groups.items()
        if service_of(group) in services
        for name, offset in offsets.items()
        if begins.get(name, 0) > offset
    )


def too_short(retention_ms: Mapping[str, int], interval: timedelta) -> tuple[str, ...]:
    """Topics that would lose records between two copies. Pure."""
    least = (interval + RESTORE_WITHIN) / timedelta(milliseconds=1)
    return tuple(sorted(topic for topic, kept in retention_ms.items() if 0 <= kept < least))


async def check(
    directory: Path, manifest: Manifest, kafka: Positions, *, now: datetime, interval: timedelta | None
) -> Checked:
    """Everything. `interval`: of copies; by default the age of this one."""
    begins = await kafka.begins()
    lasting = too_short(await kafka.retention_ms(), interval if interval is not None else manifest.age(now))
    return Checked(check_files(directory, manifest), gaps(manifest, begins, tuple(manifest.databases)), lasting)
