"""Files of lines, of any length, read in constant memory with a progress bar on standard error (`assess`, `check`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from services.cli.language import tr
from shared.errors import InputError, Problem

Advance = Callable[[int], None]
"""Says how many bytes were dealt with since the last call."""


@contextmanager
def source(file: Path, stdin: Any) -> Iterator[tuple[BinaryIO, int | None]]:
    """The lines of a file, or of `stdin` for `-`, and how many bytes they are where that is known. Raises InputError."""
    if str(file) == "-":
        yield binary(stdin), None
        return
    try:
        with file.open("rb") as opened:
            yield opened, file.stat().st_size
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = tr(f"cannot be read: {reason}", f"illisible : {reason}")
        raise InputError([Problem("FILE-UNREADABLE", str(file), message)]) from None


@contextmanager
def bar(size: int | None, label: str, *, quiet: bool) -> Iterator[Advance]:
    """A progress bar on standard error, counted in bytes; none when quiet."""
    if quiet:
        yield lambda _read: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=size)
        yield lambda read: progress.advance(task, read)


def binary(stream: Any) -> BinaryIO:
    """The bytes beneath a text stream."""
    buffer: BinaryIO = stream.buffer
    return buffer
