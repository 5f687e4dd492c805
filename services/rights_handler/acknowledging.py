"""Parties' answers to orders: what closes a branch, what keeps it open, and the fact of it for the archive.

Only the party an order was sent to may answer it. A report counts once, by its event; the fact is published on every
replay, under the same id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from services.rights_handler import messages
from services.rights_handler.deliveries import Answer, Delivery, answered
from services.rights_handler.escalating import settled
from services.rights_handler.kinds import request_of
from services.rights_handler.ports import Ledger, Outbox
from shared.errors import Unavailable
from shared.kafka.publisher import Outgoing

ATTEMPTS = 5
UNKNOWN_ORDER, FOREIGN_ORDER = "ORDER-UNKNOWN", "ORDER-FOREIGN"
Strangers = dict[tuple[str, str], str]
"""(event, order) → why an answer has no effect."""
Settle = Callable[[Collection[str]], Awaitable[None]]
"""Told of requests whose last order may have been answered."""


async def _nobody_waits(_requests: Collection[str]) -> None:
    """Where there are no requests."""


class Acknowledging:
    """Applies a batch of answers to their deliveries: one read, one write, one publishing, one closing of obligations."""

    def __init__(self, ledger: Ledger, outbox: Outbox, settle: Settle = _nobody_waits) -> None:
        self._ledger, self._outbox, self._settle = ledger, outbox, settle

    async def __call__(self, answers: Sequence[Answer]) -> Strangers:
        """Apply them all, publish their facts, close what they settle; returns those that are not their sender's to give."""
        waiting, strangers = list(answers), Strangers()
        for _ in range(ATTEMPTS):
            if not waiting:
                return strangers
            waiting = await self._round(waiting, strangers)
        raise Unavailable("deliveries keep changing under these answers")  # the batch is simply done again

    async def _round(self, answers: Sequence[Answer], strangers: Strangers) -> list[Answer]:
        rows = {row.order: row for row in await self._ledger.deliveries({answer.order for answer in answers})}
        mine: defaultdict[str, list[Answer]] = defaultdict(list)
        for answer in answers:
            row = rows.get(answer.order)
            if row is None or row.party != answer.source:
                strangers[answer.event, answer.order] = UNKNOWN_ORDER if row is None else FOREIGN_ORDER
            else:
                mine[answer.order].append(answer)
        after = {order: _apply(rows[order], given) for order, given in mine.items()}
        changed = [row for order, row in after.items() if row is not rows[order]]
        saved = await self._ledger.save_deliveries(changed)
        lost = {row.order for row in changed} - saved
        done = {order: row for order, row in after.items() if order not in lost}
        await self._outbox.send_all([_fact(row, answer) for order, row in done.items() for answer in mine[order]])
        closed = [row for row in done.values() if row.state == "closed"]
        if closed:
            last = max(answer.at for row in closed for answer in mine[row.order])
            await self._ledger.close_obligations([one for row in closed for one in settled(row.order)], last)
        requests = {name for row in closed if (name := request_of(row.stop)) is not None}
        if requests:
            await self._settle(requests)
        return [answer for order in lost for answer in mine[order]]


def _apply(row: Delivery, answers: Sequence[Answer]) -> Delivery:
    """All answers of one batch make one change of the row."""
    after = row
    for answer in answers:
        after = answered(after, answer)
    return after if after.rev <= row.rev + 1 else replace(after, rev=row.rev + 1)


def _fact(row: Delivery, answer: Answer) -> Outgoing:
    entry = next(e for e in row.history if e.get("event") == answer.event)
    return messages.fact(
        "delivery.acknowledged", row, event=answer.event, status=answer.status, at=answer.at, closed=entry["closed"],
        applied_at=answer.applied_at, last_send_at=answer.last_send_at, signed_by=answer.signed_by,
    )  # fmt: skip
