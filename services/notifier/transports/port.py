"""What a transport is."""

from __future__ import annotations

from typing import Protocol

from services.notifier.domain import Outcome, Row
from shared.contracts.person_messages import Content


class Transport(Protocol):
    """Hands one opened message to the outside. Never raises for what the outside says: it returns it."""

    async def send(self, row: Row, content: Content) -> Outcome:
        """`Sent` once the other side has taken it; `Failed` with a code, never with its text (it may name the person)."""
        ...
