"""Where a supervisor speaks: one prefixed line per line of each process on the terminal, and a file per process."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import IO, TextIO

NAME = "opposable"
WIDTH = 18
FILE_BYTES = 16 * 1_048_576
"""A log file is renamed `.1` at this size: two are kept, so that a loud process cannot fill the disk."""
_COLOURS = (36, 32, 35, 34, 33, 96, 92, 95, 94, 93)


class Console:
    """Writes the lines of several processes without mixing them. `stream` None = files only."""

    def __init__(self, stream: TextIO | None, directory: Path) -> None:
        self._stream = stream
        self._coloured = stream is not None and stream.isatty() and "NO_COLOR" not in os.environ
        self._directory = directory
        self._files: dict[str, IO[bytes]] = {}
        directory.mkdir(parents=True, exist_ok=True)

    def say(self, sentence: str) -> None:
        """A sentence of the supervisor itself."""
        self.line(NAME, sentence.encode())

    def line(self, name: str, text: bytes, *, show: bool = True) -> None:
        """One line of a process, without its line feed. `show` False keeps it in the file only."""
        self._write_file(name, text + b"\n")
        if self._stream is not None and show:
            self._stream.write(f"{self._prefix(name)}{text.decode('utf-8', 'replace')}\n")
            self._stream.flush()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _prefix(self, name: str) -> str:
        label = f"{name:<{WIDTH}} │ "
        if not self._coloured:
            return label
        colour = 1 if name == NAME else _COLOURS[zlib.crc32(name.encode()) % len(_COLOURS)]
        return f"\x1b[{colour}m{label}\x1b[0m"

    def _write_file(self, name: str, data: bytes) -> None:
        file = self._files.get(name)
        path = self._directory / f"{name}.log"
        if file is not None and file.tell() > FILE_BYTES:
            file.close()
            path.replace(path.with_suffix(".log.1"))
            file = None
        if file is None:
            file = self._files[name] = path.open("ab", buffering=0)
        file.write(data)
