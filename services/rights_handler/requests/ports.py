"""What answering requests needs from outside, and the contract of each call (one fake and one real of each, as in `ports`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from services.rights_handler.domain import Instant
from services.rights_handler.messaging import PersonMessage
from services.rights_handler.requests.model import Request


class RequestStore(Protocol):
    """The requests. Each method is one database call; writes survive the loss of a minority, reads see all of them."""

    async def put(self, requests: Sequence[Request]) -> None:
        """Insert those that are not there; one that is stays as it is."""
        ...

    async def get(self, ids: Collection[str]) -> list[Request]:
        """The requests of these ids that exist."""
        ...

    async def due(self, now: Instant, limit: int) -> list[Request]:
        """Those whose next moment has come, the oldest first."""
        ...

    async def save(self, requests: Sequence[Request]) -> set[str]:
        """Write rows over their `rev - 1`; returns the ids that were saved (the others changed meanwhile)."""
        ...

    async def listed(self, *, open_only: bool, limit: int) -> list[Request]:
        """The first due first."""
        ...


class Messages(Protocol):
    """Where messages to persons are ordered (`messaging.PersonMessages`)."""

    async def order(self, messages: Sequence[PersonMessage]) -> frozenset[str]:
        """Order them; returns the ids whose owner's key is gone. Repeating an id sends it once."""
        ...


class Proofs(Protocol):
    """Where the proof of a record is had (the archive)."""

    async def bundle(self, record: str) -> bytes | None:
        """The signed bundle of a record, None where there is none yet. Raises Unavailable where the archive is away."""
        ...
