"""One supervisor a data directory: two would start two databases on the same files."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from shared.errors import ConfigurationError


class DirectoryLock:
    """An advisory lock that the kernel releases when its holder dies, however it dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "lock"
        self._file: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether we hold it."""
        return self._file is not None

    def acquire(self) -> None:
        """Take it. Raises ConfigurationError naming the process that holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise ConfigurationError(
                f"another `opposable up` (process {holder}) runs in {self._path.parent}: stop it, or give another --data-dir"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give it back. Does nothing when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None
