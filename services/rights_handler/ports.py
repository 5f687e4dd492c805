"""What the protocol needs from outside, and the contract of each call. One fake and one real of each pass the same tests.

Every write returns once it survives the loss of a minority (majority, journal); every read sees all writes that returned
before it began. The proof of promise P3 stands on these two sentences and on nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Grant, Instant, Stop, Transfer
from services.rights_handler.former import Name
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from shared.kafka.publisher import Outgoing


class Written(StrEnum):
    """What became of a verdict put into the index."""

    NEW = "new"
    """The first verdict of its record: nothing was ever told of it."""
    KNOWN = "known"
    """It replaced an older verdict, or it is a replay: something may have been told already."""
    SUPERSEDED = "superseded"
    """A higher verdict is there: this one must have no effect."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something only a named owner can move. `id` derives from its cause, so that it is opened once."""

    id: str
    kind: str
    owner: str
    cause: str
    opened_at: Instant
    due_at: Instant
    next_at: Instant | None
    refs: tuple[tuple[str, str], ...] = ()
    closed_at: Instant | None = None


class Index(Protocol):
    """Grants, stops and transfers. Each method is a constant number of database calls, whatever the size of the batch."""

    async def put_grants(self, grants: Sequence[Grant]) -> dict[str, Written]:
        """Write verdicts, the highest of a record wins; the outcome by record. One grant per record at most."""
        ...

    async def once_valid(self, records: Collection[str]) -> dict[str, frozenset[Name]]:
        """The lines that verdicts replaced since held valid, of those records that have any."""
        ...

    async def put_stops(self, stops: Sequence[Stop]) -> None:
        """Write stops; one that is there stays as it is."""
        ...

    async def widen_stops(self, stops: Sequence[Stop]) -> None:
        """Add the contact keys of these to the stops that are there; none is ever taken away."""
        ...

    async def lift(self, stop_id: str, at: Instant) -> None:
        """A suspension is over: `stops_about` does not find it any more, whatever is replayed."""
        ...

    async def put_transfers(self, transfers: Sequence[Transfer]) -> None:
        """Write transfers, unique by (record, to)."""
        ...

    async def stops_about(
        self, grants: Sequence[Grant], contact_keys: Collection[str] = (), kinds: Collection[str] = ()
    ) -> list[Stop]:
        """Every stop (of these kinds) that shares a contact, near or subject key, or the record, with any, or has one of the keys."""
        ...

    async def grants_about(self, stops: Sequence[Stop]) -> list[Grant]:
        """Every grant that shares a contact key, near key or subject key with any of these stops, or that one names."""
        ...

    async def grants_asked(self, contact_keys: Collection[str], aliases: Collection[str]) -> list[Grant]:
        """Every grant that has one of these contact keys or match aliases, without its sealed part."""
        ...

    async def grants_of(self, records: Collection[str]) -> list[Grant]:
        """The grants of these records that exist."""
        ...

    async def transfers_of(self, records: Collection[str]) -> list[Transfer]:
        """Every reported transfer of these records."""
        ...

    async def stop(self, stop_id: str) -> Stop | None:
        """One stop by id."""
        ...


class Reports(Protocol):
    """What parties reported about records and contacts. Each method is a constant number of database calls."""

    async def put_reports(self, reports: Mapping[str, Notice | Disclosure | Attempt]) -> None:
        """Keep reports by id, once."""
        ...

    async def reported(
        self,
        records: Collection[str],
        contact_keys: Collection[str],
        sources: Collection[str],
        first: Instant,
        last: Instant,
    ) -> Reported:
        """Every notice and disclosure of these records; attempts of these sources about these records or contacts.

        Attempts up to `last`, and not older than what matters to a check at `first` (`reports.ATTEMPTS_KEPT`).
        """
        ...


class Ledger(Protocol):
    """Deliveries and obligations: everything that waits for someone."""

    async def open_deliveries(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Insert the rows that are not there; of those that are, only raise `may_hold`. Returns the orders that were there."""
        ...

    async def unpublished(self, orders: Collection[str]) -> list[Delivery]:
        """Which of these rows are not published yet, as stored."""
        ...

    async def mark_published(self, orders: Collection[str]) -> None:
        """Remember that these orders are stored on their party's topic."""
        ...

    async def deliveries(self, orders: Collection[str]) -> list[Delivery]:
        """The rows of these orders that exist."""
        ...

    async def deliveries_of_stop(self, stop: str) -> list[Delivery]:
        """Every branch of a stop."""
        ...

    async def due_deliveries(self, now: Instant, limit: int) -> list[Delivery]:
        """Open rows whose next moment has come, the oldest first."""
        ...

    async def save_deliveries(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Write rows over their `rev - 1`; returns the orders that were saved (the others changed meanwhile)."""
        ...

    async def open_obligations(self, obligations: Sequence[Obligation]) -> None:
        """Open those that are not there."""
        ...

    async def obligation(self, obligation_id: str) -> Obligation | None:
        """One obligation by id, open or closed."""
        ...

    async def close_obligations(self, ids: Collection[str], at: Instant) -> None:
        """Close those that are open."""
        ...


class Outbox(Protocol):
    """Where records are published (the Kafka publisher, or a list in tests)."""

    async def send_all(self, messages: Sequence[Outgoing]) -> None:
        """Publish in order; returns when all are stored."""
        ...
