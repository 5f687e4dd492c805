"""What a witness remembers, in one SQLite file: the largest tree cosigned of each log, and signed contradictions.

Deciding and keeping are one transaction that no other request or process can come between, durable before it returns: a
cosignature given out is never forgotten, so that two trees which do not grow from one another are never both cosigned.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.witness.domain import Declined, Request, Seen, check_growth, contradicts
from shared.errors import ConfigurationError

KEPT_EVIDENCE = 1000
"""Contradictions kept; a log that makes more of them has long been found out."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS witness (vkey TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS logs (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS evidence (
  origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, cosigned BLOB NOT NULL, refused BLOB NOT NULL,
  PRIMARY KEY (origin, size, root)
) STRICT;
"""


class Ledger:
    """The memory of one witness. Used from several threads; one decision at a time."""

    def __init__(self, path: Path, vkey: str) -> None:
        """Open the file, or make it. Raises ConfigurationError where it is no memory of this witness."""
        self.is_new = not path.exists()
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        try:
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
            with self._transaction():
                known = [row[0] for row in self._db.execute("SELECT vkey FROM witness")]
                if not known:
                    self._db.execute("INSERT INTO witness VALUES (?)", (vkey,))
        except sqlite3.Error as error:
            self._db.close()
            raise _unusable(path, error) from error
        if known not in ([], [vkey]):
            self._db.close()
            raise ConfigurationError(f"the state file {path} is that of another witness key")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def seen(self, origin: str) -> Seen:
        """What was cosigned of a log."""
        row = self._db.execute("SELECT size, root FROM logs WHERE origin = ?", (origin,)).fetchone()
        return Seen(row[0], bytes(row[1])) if row else Seen()

    def advance(self, request: Request) -> None:
        """Take a checkpoint in, durably. Raises Declined where it does not grow from the last."""
        checkpoint = request.checkpoint
        row = (checkpoint.origin, checkpoint.size, checkpoint.root, request.note)
        with self._transaction():
            seen = self.seen(checkpoint.origin)
            try:
                check_growth(request, seen)
            except Declined as error:
                declined: Declined | None = error
            else:
                declined = None
            if declined is None:
                self._db.execute("INSERT OR REPLACE INTO logs VALUES (?, ?, ?, ?)", row)
            elif contradicts(request, seen):
                self._keep_evidence(row)
        if declined is not None:
            raise declined

    def evidence(self) -> list[tuple[str, int, bytes, bytes]]:
        """The contradictions met: of which log, at which size, the note cosigned (empty: none yet) and the note refused."""
        return list(self._db.execute("SELECT origin, size, cosigned, refused FROM evidence ORDER BY rowid"))

    def _keep_evidence(self, row: tuple[str, int, bytes, bytes]) -> None:
        """Keep two notes of a log that contradict each other, once."""
        origin, size, root, refused = row
        found = self._db.execute("SELECT note FROM logs WHERE origin = ?", (origin,)).fetchone()
        if self._db.execute("SELECT count(*) FROM evidence").fetchone()[0] < KEPT_EVIDENCE:
            self._db.execute(
                "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?, ?)",
                (origin, size, root, found[0] if found else b"", refused),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _unusable(path: Path, error: sqlite3.Error) -> ConfigurationError:
    return ConfigurationError(f"the state file {path} cannot be used: {error}")
