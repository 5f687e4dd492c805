"""Time is injected: services ask a `Clock`, tests set one (instants on the wire: `shared.instants`)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...


class SystemClock:
    """The host's clock."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        return datetime.fromtimestamp(time.time(), UTC)


class ManualClock:
    """A clock that moves only when told (tests, drills)."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant last set."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward."""
        self._now += by
