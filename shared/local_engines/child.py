"""One process of ours: in its own group, tied to us, its output read line by line, stopped politely and then surely."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shared.errors import ConfigurationError

TETHER = Path(__file__).with_name("tether.py")
TAIL_LINES = 12
"""Last lines kept, shown when a process dies before it was ready."""
CHUNK = 65_536
LAST_WORDS_S = 1.0
LONGEST_LINE = 1_048_576
"""A line is cut there: a process that never ends its line must not fill our memory."""


class Child:
    """A started process. Make it with `Child.start` in the loop of a thread that outlives it (see `tether`)."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, on_line: Callable[[bytes], None]) -> None:
        self.name = name
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._process = process
        self._on_line = on_line
        self._pump = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        on_line: Callable[[bytes], None],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Child:
        """Start `command`. `environment` replaces ours. Raises ConfigurationError when it cannot be run at all."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                env=dict(environment) if environment is not None else None,
                start_new_session=True,  # Ctrl-C in the terminal reaches only the supervisor, which stops in order
            )  # fmt: skip
        except OSError as error:
            raise ConfigurationError(f"{name} cannot be started: {error.strerror}") from error
        return cls(name, process, on_line)

    @property
    def pid(self) -> int:
        """Process id, also its group's."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Exit code, minus the signal that killed it, or None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Return when the process has ended and its last lines are read."""
        code = await self._process.wait()
        # A grandchild may hold the pipe open for ever: what the process itself wrote is in it already.
        await asyncio.wait({self._pump}, timeout=LAST_WORDS_S)
        self.signal_group(signal.SIGKILL)
        return code

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and to whatever it started. Does nothing when all are gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def stop(self, grace_s: float) -> bool:
        """SIGTERM, then SIGKILL after `grace_s`. True when it ended by itself in time."""
        if self.code is not None:
            return True
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.wait(), grace_s)
        except TimeoutError:
            self.signal_group(signal.SIGKILL)
            await self.wait()
            return False
        return True

    async def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        rest = b""
        while chunk := await stream.read(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._emit(line)
        if rest:
            self._emit(rest)

    def _emit(self, line: bytes) -> None:
        self.tail.append(line.decode("utf-8", "replace"))
        self._on_line(line)


def how_it_ended(code: int) -> str:
    """`exit code 1` or `signal 9 (SIGKILL)`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
