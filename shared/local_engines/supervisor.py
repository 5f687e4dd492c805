"""The supervisor for callers without an event loop (the command, tests) or who must not block theirs (a demonstration).

`with Supervisor(plan) as system: system.wait_ready()`. It owns a thread: processes are tied to it, so they die with us
even when we are killed hard.
"""

from __future__ import annotations

import signal
from typing import Self, TextIO

from shared.errors import ConfigurationError
from shared.local_engines.console import Console
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.loop_thread import LoopThread
from shared.local_engines.plan import Plan
from shared.local_engines.supervision import Supervision

READY_WITHIN_S = 120.0


class Supervisor:
    """A whole local system. `stream` is where the processes' lines are shown; they are always kept in `<data_dir>/logs`."""

    def __init__(self, plan: Plan, stream: TextIO | None = None) -> None:
        self.plan = plan
        self._stream = stream
        self._console: Console | None = None
        self._thread: LoopThread | None = None
        self._supervision: Supervision | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Endpoints:
        """Start engines, prepare, start services. Raises ConfigurationError or Unavailable; nothing runs then."""
        if self._thread is not None:
            raise ConfigurationError("this supervisor is started already")
        self.plan.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)  # Kafka's files hold what partners sent
        self._console = Console(self._stream, self.plan.data_dir / "logs")
        self._thread = LoopThread("supervisor")
        self._supervision = Supervision(self.plan, self._console)
        try:
            self._thread.run(self._supervision.start())
        except BaseException:
            self.stop()
            raise
        return self._supervision.endpoints()

    def wait_ready(self, within_s: float = READY_WITHIN_S) -> Endpoints:
        """Return the addresses once every service is ready. Raises Unavailable naming those that are not."""
        return self._running()[0].run(self._running()[1].wait_ready(within_s))

    def endpoints(self) -> Endpoints:
        """Where everything is now."""
        return self._running()[1].endpoints()

    def pid(self, name: str) -> int | None:
        """Process id of a service or engine, None between two lives."""
        return self._running()[1].member(name).pid

    def restarts(self, name: str) -> int:
        """How often this process was started again."""
        return self._running()[1].member(name).restarts

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Disturb a process; it is started again as after any death."""
        self._running()[1].member(name).kill(number)

    def hold(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop a process and keep it down until `release`."""
        thread, supervision = self._running()
        thread.run(supervision.member(name).hold(number))

    def release(self, name: str) -> None:
        """Let a held process run again."""
        thread, supervision = self._running()
        thread.call(supervision.member(name).release)

    def stop(self) -> None:
        """Stop everything in order, and end the thread. Interrupted (a second Ctrl-C), it kills everything."""
        if self._thread is None:
            return
        try:
            if self._supervision is not None:
                try:
                    self._thread.run(self._supervision.stop())
                except KeyboardInterrupt:
                    self._supervision.kill_all()
                    self._thread.run(self._supervision.stop())
        finally:
            self._thread.close()
            self._thread = self._supervision = None
            if self._console is not None:
                self._console.close()

    def _running(self) -> tuple[LoopThread, Supervision]:
        if self._thread is None or self._supervision is None:
            raise ConfigurationError("this supervisor is not started")
        return self._thread, self._supervision
