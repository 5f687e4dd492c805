"""What a copy holds, written last: without it a directory is no copy.

Files are `<database>/<collection>.bson.gz`: documents one after the other in the order of `_id`, as MongoDB's own tools write
them; the hash is of the documents, before compression. `groups` says how far each consumer group had committed *before* the first
document was read: all that it had done by then is in the copy, and what it did later is done again from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shared.errors import ConfigurationError
from shared.instants import parse_instant

FILE = "manifest.json"
VERSION = 1
Offsets = Mapping[str, int]
"""By `topic/partition`."""

ORDER: dict[str, tuple[str, ...]] = {
    "rights": ("erasures", "requests"),
    "archive": ("checkpoints", "latest", "timestamps", "stamped", "heads"),
}
"""Collections that are read first in their database: what says how far something is, before what it speaks of. The others follow."""
DATABASES = ("rights", "archive", "notifier", "webhook_relay", "console", "vault")
"""In the order they are read. The vault last: it holds the key of everything that was read before."""
NOTES: dict[str, str] = {
    "rights": "states before the rows they speak of; verdicts, stops, reports and erasures are read again from the noted offsets",
    "archive": "checkpoints before heads before entries: what lies beyond a head is garbage, the tail is read again from Kafka",
    "notifier": "messages sent after the copy are sent again",
    "webhook_relay": "deliveries made after the copy are made again, with the same ids",
    "console": "sessions opened after the copy are closed; acts stand on the topic operations",
    "vault": "read last, so that every row of the others finds its key; a key made after the copy is lost with the vault",
}
GROUPS: dict[str, tuple[str, ...]] = {
    "rights": ("rights_handler",), "archive": ("proof_archive",), "notifier": ("notifier",), "webhook_relay": ("webhook_relay",),
    "console": ("console",), "vault": ("collector", "eraser"),
}  # fmt: skip
"""Whose consumer groups go back to the noted offsets when a database is restored."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One collection of the copy. `sha256` and `size` (bytes) are of the documents."""

    name: str
    documents: int
    size: int
    sha256: str
    options: dict[str, Any]
    indexes: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole copy."""

    v: int
    deployment: str
    begun_at: str
    ended_at: str
    databases: dict[str, list[Kept]]
    notes: dict[str, str]
    groups: dict[str, dict[str, int]]
    ends: dict[str, int]
    """Of each partition, after the last document was read."""

    def write(self, directory: Path) -> None:
        """Rename it into place."""
        temporary = directory / f"{FILE}.tmp"
        temporary.write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")
        temporary.replace(directory / FILE)

    def age(self, now: datetime) -> timedelta:
        """Since its first offset was noted."""
        return now - parse_instant(self.begun_at)

    @property
    def documents(self) -> int:
        """In all."""
        return sum(kept.documents for rows in self.databases.values() for kept in rows)


def read_manifest(directory: Path) -> Manifest:
    """Raises ConfigurationError where there is none, or one of another version."""
    try:
        document = json.loads((directory / FILE).read_text())
        databases = {name: [Kept(**row) for row in rows] for name, rows in document.pop("databases").items()}
        found = Manifest(databases=databases, **document)
    except FileNotFoundError:
        raise ConfigurationError(f"{directory} is no whole copy: it has no {FILE}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{directory / FILE} cannot be read as a manifest ({type(error).__name__})") from None
    if found.v != VERSION:
        raise ConfigurationError(f"{directory} is a copy of version {found.v}; this release reads version {VERSION}")
    return found


def fingerprint(directory: Path) -> str:
    """SHA-256 of the manifest: to be kept elsewhere, it stands for the whole copy."""
    return hashlib.sha256((directory / FILE).read_bytes()).hexdigest()
