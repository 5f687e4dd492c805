"""`messages`: each order becomes one row of the outbox. What cannot be read goes to `dead`; nothing is opened here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence

from pydantic import ValidationError

from services.notifier.domain import Row
from services.notifier.outbox import Outbox
from shared import canonical
from shared.contracts.person_messages import Facts
from shared.kafka.record import Record

DeadAll = Callable[[Sequence[tuple[Record, str, str]]], Awaitable[None]]


class Handlers:
    """The process of the one consumer group."""

    def __init__(self, outbox: Outbox, dead_all: DeadAll) -> None:
        self._outbox, self._dead_all = outbox, dead_all

    async def messages(self, records: Sequence[Record]) -> None:
        """One insert for the batch; an id that is known changes nothing."""
        rows: dict[str, Row] = {}
        unreadable: list[tuple[Record, str, str]] = []
        for record in records:
            try:
                row = _row(record.value or b"")
            except (ValidationError, ValueError, KeyError, TypeError, binascii.Error):
                unreadable.append(
                    (record, "FACTS", "no order for a message: facts or sealed part are missing or of another form")
                )
                continue
            rows.setdefault(row.id, row)
        if unreadable:
            await self._dead_all(unreadable)
        await self._outbox.add(list(rows.values()))


def _row(value: bytes) -> Row:
    body = canonical.loads(value)
    facts = Facts.model_validate(body["facts"])
    return Row(
        id=facts.id, owner=facts.owner, channel=facts.channel, template=facts.template,
        sealed=base64.b64decode(body["sealed"], validate=True), ordered_at=facts.ordered_at, expires_at=facts.expires_at,
        refs=tuple(sorted(facts.refs.items())), next_at=facts.ordered_at,
        history=({"at": facts.ordered_at, "what": "ordered", "code": facts.template},),
    )  # fmt: skip
