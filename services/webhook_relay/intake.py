"""From `out.<party>.*` into the queue: one row an event, sealed, under an id that derives from the event itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

import orjson

from services.webhook_relay.domain import Policy, message_id
from services.webhook_relay.keys import Sealer
from services.webhook_relay.store import Store, Waiting
from shared.clock import Clock
from shared.contracts.envelope import from_headers
from shared.contracts.platform import RIGHT_ORDERED, STOP_ORDERED
from shared.contracts.structured import to_structured
from shared.contracts.types import lenient_instant
from shared.errors import InputError, Problem
from shared.instants import format_instant, from_millis
from shared.kafka.record import Record
from shared.topics import party_of

DUE_FIELD = {STOP_ORDERED: "ack_due_at", RIGHT_ORDERED: "due_at"}
DeadAll = Callable[[Sequence[tuple[Record, str, str]]], Awaitable[None]]


class Intake:
    """The relay's `Process`."""

    def __init__(
        self, *, store: Store, sealer: Sealer, clock: Clock, policy: Policy, dead_all: DeadAll,
        wake: Callable[[Collection[str]], None],
    ) -> None:  # fmt: skip
        self._store, self._sealer, self._clock, self._policy = store, sealer, clock, policy
        self._dead_all, self._wake = dead_all, wake

    async def process(self, records: Sequence[Record]) -> None:
        """Queue a batch; returns when it is durable. What cannot be read goes to `dead`."""
        rows, letters = self.rows(records)
        if letters:
            await self._dead_all(letters)
        await self._store.put(rows)
        self._wake({row.party for row in rows})

    def rows(self, records: Sequence[Record]) -> tuple[list[Waiting], list[tuple[Record, str, str]]]:
        """The rows of records, and the records that cannot be read with their reason."""
        now, rows, letters = self._clock.now(), [], []
        for record in records:
            try:
                rows.append(self._row(record, now))
            except InputError as error:
                letters.append((record, error.problems[0].code, error.problems[0].message))
        return rows, letters

    def _row(self, record: Record, now: datetime) -> Waiting:
        envelope, data = from_headers(record.headers, record.value)
        try:
            body = to_structured(envelope, data, format_instant(from_millis(record.timestamp)))
            asked = orjson.loads(data).get(DUE_FIELD[envelope.type]) if envelope.type in DUE_FIELD else None
        except (ValueError, AttributeError):
            raise InputError([Problem("JSON", "", "the data is not a JSON object")]) from None
        party, kind = party_of(record.topic), record.topic.rpartition(".")[2]
        message = message_id(envelope.source, envelope.id, data)
        identity = f"{party}/{message}"
        key = (record.key or message.encode()).decode("utf-8", "replace")
        return Waiting(
            id=identity, party=party, message=message, kind=kind, key=key, type=envelope.type,
            thread=f"{kind}/{key}", place=record.offset, first_at=now, next_at=now,
            due_at=lenient_instant(asked) or now + timedelta(seconds=self._policy.give_up_after),
            body=self._sealer.seal(identity, body),
        )  # fmt: skip
