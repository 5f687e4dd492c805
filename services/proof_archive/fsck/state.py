"""How far a check came, in a file: after a crash it goes on there, and skips nothing.

Written whole and renamed after each group of entries, so that it is one group behind at worst. It is bound to what was asked
(deployment, trust file, with or without Kafka): asked otherwise, the check starts anew. What it says of a log is the
log's right edge as computed so far, which every later root depends on: a state that was altered makes roots differ.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.proof_archive.fsck.report import Finding, LogReport
from services.proof_archive.log.growth import Edge, open_edge
from shared.crypto.encoding import b64, unb64
from shared.crypto.merkle import CompactRange
from shared.errors import ConfigurationError, IntegrityError

FORMAT = "opposable-fsck-state-v1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the check of one log stands: everything up to `edge` was checked."""

    report: LogReport
    edge: Edge
    offset: int
    """The last Kafka offset that an entry named."""
    kafka_at: int
    """The next Kafka offset to compare; what is retained before it was compared."""


class StateFile:
    """The file, and what it says of a run that was interrupted."""

    def __init__(self, path: Path, asked: Mapping[str, Any]) -> None:
        self._path, self._asked = path, dict(asked)
        self._done: dict[str, LogReport] = {}
        self._place: Place | None = None
        self.resumed = False
        self._load()

    def done(self, origin: str) -> LogReport | None:
        """The report of a log that was checked to its end."""
        return self._done.get(origin)

    def place(self, origin: str) -> Place | None:
        """Where the check of this log stood."""
        return self._place if self._place is not None and self._place.report.origin == origin else None

    def reached(self, place: Place) -> None:
        """Remember a place."""
        self._place = place
        self._save()

    def finished(self, report: LogReport) -> None:
        """Remember that a log was checked to its end."""
        self._done[report.origin], self._place = report, None
        self._save()

    def forget(self) -> None:
        """The check is over: the next one starts anew."""
        self._path.unlink(missing_ok=True)

    def _save(self) -> None:
        place = self._place
        doc = {
            "format": FORMAT, "asked": self._asked, "done": [asdict(report) for report in self._done.values()],
            "place": None if place is None else {
                "report": asdict(place.report), "offset": place.offset, "kafka_at": place.kafka_at, "size": place.edge.size,
                "range": [b64(item) for item in place.edge.frontier.hashes],
                "tiles": [b64(tile) for tile in place.edge.open_tiles],
            },
        }  # fmt: skip
        temporary = self._path.with_name(self._path.name + ".tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w") as file:
                json.dump(doc, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise ConfigurationError(f"the state file {self._path} cannot be written ({error.strerror})") from error

    def _load(self) -> None:
        """A file that is absent, of another question, or not whole: the check starts anew."""
        try:
            doc = json.loads(self._path.read_text())
            if doc["format"] != FORMAT or doc["asked"] != self._asked:
                return
            done = {report.origin: report for report in map(_report, doc["done"])}
            place = None if doc["place"] is None else _place(doc["place"])
        except (OSError, ValueError, KeyError, TypeError, IntegrityError):
            return
        self._done, self._place, self.resumed = done, place, True


def _report(doc: dict[str, Any]) -> LogReport:
    findings = [Finding(**finding) for finding in doc.pop("findings")]
    return LogReport(**doc, findings=findings)


def _place(doc: dict[str, Any]) -> Place:
    frontier = CompactRange(doc["size"], tuple(unb64(item) for item in doc["range"]))
    edge = open_edge(frontier, [unb64(tile) for tile in doc["tiles"]])
    return Place(_report(doc["report"]), edge, doc["offset"], doc["kafka_at"])
