"""What an import leaves beside its file: the lines that were refused, and how far it got, so that it can go on.

`FILE.rejects.csv`: the line as it was, its number and the reason; corrected, it can be imported as it is. It holds the
contacts of the list, so it stays with it: nothing of it goes anywhere. `FILE.import.json` holds numbers only; it is removed
at the end. Both are written after the service has stored a batch: an interruption repeats at most one batch, without effect.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from services.cli.stop_import.layout import Layout
from shared.errors import Problem

Reject = tuple[int, Sequence[str], Sequence[Problem]]
"""Line number, cells, reasons."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it got. `sha256`: of which file; `rejects_bytes`: length of the rejects file at that moment."""

    sha256: str
    rows: int = 0
    queued: int = 0
    rejected: int = 0
    rejects_bytes: int = 0


class Journal:
    """Both files of one import."""

    def __init__(self, path: Path, layout: Layout, *, again: bool) -> None:
        self.rejects = path.with_name(path.name + ".rejects.csv")
        self._state = path.with_name(path.name + ".import.json")
        self._layout = layout
        self.progress = Progress(layout.sha256) if again else self._read()
        if self.progress.rows and self.rejects.exists():
            os.truncate(self.rejects, self.progress.rejects_bytes)  # what the interrupted batch had written
        else:
            self.rejects.unlink(missing_ok=True)
            self.progress = replace(self.progress, rejects_bytes=0)

    def batch(self, rows: int, queued: int, rejects: Sequence[Reject]) -> None:
        """A batch is stored: write down its rejects, then how far it got."""
        if rejects:
            self._reject(rejects)
        before = self.progress
        self.progress = replace(
            before, rows=before.rows + rows, queued=before.queued + queued, rejected=before.rejected + len(rejects),
            rejects_bytes=self.rejects.stat().st_size if self.rejects.exists() else 0,
        )  # fmt: skip
        temporary = self._state.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self.progress)))
        temporary.replace(self._state)

    def done(self) -> None:
        """The end: nothing to go on from."""
        self._state.unlink(missing_ok=True)

    def _read(self) -> Progress:
        """Where this very file was left, else its beginning."""
        try:
            progress = Progress(**json.loads(self._state.read_text()))
        except (OSError, ValueError, TypeError):
            return Progress(self._layout.sha256)
        return progress if progress.sha256 == self._layout.sha256 else Progress(self._layout.sha256)

    def _reject(self, rejects: Sequence[Reject]) -> None:
        new = not self.rejects.exists()
        with self.rejects.open("a", encoding="utf-8", newline="") as file:
            os.chmod(self.rejects, 0o600)  # noqa: PTH101 - the mode of what stands in it: contacts
            writer = csv.writer(file, delimiter=self._layout.separator)
            if new:
                writer.writerow(["line", "reason", *self._layout.header])
            for line, cells, problems in rejects:
                reason = " · ".join(f"{p.code} {p.pointer} {p.message}".replace("  ", " ") for p in problems)
                writer.writerow([line, reason, *cells])
