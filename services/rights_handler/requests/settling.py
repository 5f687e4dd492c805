"""What follows a decision on a request, until it is closed: letters, the end of a suspension, erasures that came late, forgetting.

Each step can be done again: whoever looks next (an acknowledgement, the scheduler, another instance) takes it up where it stands.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from services.rights_handler.deliveries import dropped
from services.rights_handler.erasing.door import Erases
from services.rights_handler.erasing.model import Cause
from services.rights_handler.kinds import row_of
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.ports import Index
from services.rights_handler.protocol import Crossing
from services.rights_handler.requests import domain
from services.rights_handler.requests.changing import Changing
from services.rights_handler.requests.gathering import Gathering
from services.rights_handler.requests.letters import Letters
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.proving import Proving
from shared.errors import InputError


@dataclass(frozen=True, slots=True)
class Settling:
    """Brings decided requests to their end."""

    change: Changing
    index: Index
    ledger: MongoLedger
    crossing: Crossing
    gathering: Gathering
    letters: Letters
    proving: Proving
    erasing: Erases

    async def deliver(self, request: Request) -> Request:
        """Everything that a stored change calls for: letters first (RGPD 18(3)), then the end of a suspension, then closing."""
        await self.letters.order(request)
        if request.acted and not domain.stands(request):
            await self._release(request)
        if request.right == "dispute" and not request.live:
            await self.proving.close(
                request, await self.gathering.dossier(request, self.change.now()), self.change.now()
            )
        ordered = len(request.letters)
        told = await self.change(request, lambda now, at: domain.told(now, at, ordered))
        return await self._settle(told)

    async def settle(self, names: Collection[str]) -> None:
        """Orders of these requests were answered: close those that wait for nothing more."""
        for request in await self.change.store.get(names):
            await self._settle(request)

    async def forget(self, request: Request) -> None:
        """Long enough after its end, what the person wrote and was written goes too: its key is erased, the facts remain."""
        with suppress(InputError):  # the vault never had a key of this name: nothing is sealed
            await self.erasing.erase([row_of(request.id)], cause=Cause.RETENTION)
        await self.change(request, domain.forgotten)

    async def _release(self, request: Request) -> None:
        """The suspension is over: not found any more, its open orders dropped, permissions told again. Twice is once."""
        stop = row_of(request.id)
        await self.index.lift(stop, self.change.now())
        rows = [row for row in await self.ledger.deliveries_of_stop(stop) if row.state != "closed"]
        await self.ledger.save_deliveries([dropped(row, self.change.now()) for row in rows])
        await self.crossing.resume((await self.gathering.fresh(request)).as_stop)

    async def _settle(self, request: Request) -> Request:
        if request.live or any(not letter.sent for letter in request.letters):
            return request
        rows = await self.ledger.deliveries_of_stop(row_of(request.id))
        if request.right == "erasure" and request.acted and request.state != "refused":
            late = {row.record for row in rows} - set(request.erased)
            if late:  # a record that crossed the request is erased like the others, even after its end
                await self.erasing.erase(sorted(late), cause=Cause.PERSON_REQUEST)
                request = await self.change(request, lambda now, at: domain.erased_records(now, sorted(late), at))
        if request.state == "closed":
            return request
        if any(row.state != "closed" for row in rows):
            return await self.change(request, domain.waiting)
        return await self.change(request, domain.settled)
