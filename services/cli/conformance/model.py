"""What the kit speaks of: events it sends, questions it asks, items it checks, outcomes it reports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

State = Literal["passed", "failed", "not_checked"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the platform. `feed`: permissions or withdrawals."""

    id: str
    type: str
    feed: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signing:
    """What is to be wrong with a signature (webhooks only)."""

    fault: Literal["none", "wrong", "missing", "old", "body", "rotation"] = "none"


class Transport(Protocol):
    """How the kit reaches the partner's system."""

    signs: bool
    """Whether events are signed, one by one."""

    async def send(self, event: Event, signing: Signing = ...) -> int | None:
        """Tell one event; the partner's HTTP status, None where this transport has none. Raises Unavailable where nobody answers."""
        ...

    async def acknowledgements(self) -> Mapping[str, list[str]]:
        """Every acknowledgement so far: order → statuses, in the order in which they came."""
        ...


class NotCheckedError(Exception):
    """An item that cannot be looked at here; its text says why (a key of `titles.REASONS`)."""


class Failed(Exception):  # noqa: N818 - the word of the report
    """What a partner does wrong; its text is a key of `titles.REASONS`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a partner must do. `code` names it for ever; `look` returns, or raises Failed or NotCheckedError."""

    code: str
    look: Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item. `why`: a key of `titles.REASONS`, None where it passed."""

    item: str
    state: State
    why: str | None = None
