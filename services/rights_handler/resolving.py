"""An operator ends an escalation: the branch closes with the reason, and the archive keeps the fact.

Only an escalated order may be resolved, and only for one of a closed list of reasons: no free text, so that nothing of a
person is written here. The fact is published before the row changes: a crash between repeats it under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from services.rights_handler import messages
from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Instant
from services.rights_handler.escalating import settled
from services.rights_handler.ports import Ledger, Outbox
from shared.clock import Clock
from shared.errors import Unavailable
from shared.instants import format_instant
from shared.problems import Refusal

ATTEMPTS = 5


class Resolution(StrEnum):
    """Why an order that was not answered well needs no answer any more."""

    CONFIRMED_OTHERWISE = "confirmed_otherwise"
    """The party confirmed in writing, outside the platform, that it applied the order."""
    NEVER_HELD = "never_held"
    """It was shown that the party never held the data (it said `unknown_person` and was right)."""
    PARTY_GONE = "party_gone"
    """The party ceased to exist; nobody uses the data."""
    AUTHORITY_SEIZED = "authority_seized"
    """The supervisory authority was seized of the refusal."""


def resolved(row: Delivery, how: Resolution, now: Instant) -> Delivery:
    """The order once its escalation is resolved."""
    entry = {"at": now, "what": "resolved", "how": how.value}
    return replace(row, state="closed", next_at=None, history=(*row.history, entry), rev=row.rev + 1)


@dataclass(frozen=True, slots=True)
class Resolving:
    """Applies an operator's decision."""

    ledger: Ledger
    outbox: Outbox
    clock: Clock

    async def __call__(self, order: str, how: Resolution) -> Delivery:
        """The closed order. Raises Refusal 404 where there is none, 409 where it is not escalated."""
        for _ in range(ATTEMPTS):
            found = await self.ledger.deliveries([order])
            if not found:
                raise Refusal(404, "ORDER-UNKNOWN", "No such order")
            (row,) = found
            if row.state != "escalated":
                raise Refusal(
                    409, "ORDER-NOT-ESCALATED", f"Only an escalated order is resolved; this one is {row.state}"
                )
            now = format_instant(self.clock.now())
            after = resolved(row, how, now)
            fact = messages.fact("delivery.resolved", after, event="1", how=how.value, at=now, closed=True)
            await self.outbox.send_all([fact])
            if await self.ledger.save_deliveries([after]):
                await self.ledger.close_obligations(settled(order), now)
                return after
        raise Unavailable("this order keeps changing: ask again")
