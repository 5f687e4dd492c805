"""Grants and stops cross, and none is missed (promise P3): write mine first, only then read yours.

Whatever the order of events, of crashes and of replays, a verdict and a stop about the same person either see each other's
row in the database or one of them started later and sees it then; whoever sees both tells everyone concerned. No lock, no
order between topics. Three tempting variants are wrong, and a test shows each of them losing a stop: reading before
writing, staying silent when a consent meets an earlier stop, and skipping an order because its row exists.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from services.rights_handler.domain import Decision, Grant, Stop, Transfer, covers, decide, holds
from services.rights_handler.fanout import FanOut, Touch
from services.rights_handler.kinds import SUSPENDING, request_of
from services.rights_handler.matching import meetings, stops_by_record
from services.rights_handler.persons import Person
from services.rights_handler.ports import Index, Written
from services.rights_handler.suppressing.widening import widened
from services.rights_handler.teller import Teller


class Crossing:
    """The three handlers whose order cannot be known: verdicts (G), stops (S) and reported transfers (T)."""

    def __init__(self, index: Index, fan_out: FanOut, teller: Teller) -> None:
        self._index, self._fan_out, self._teller = index, fan_out, teller

    async def verdicts(self, arrived: Sequence[Grant], persons: Mapping[str, Person]) -> None:
        """G. Records the verdicts, then withholds what a stop covers (and tells it), then tells every recipient the rest.

        Where a verdict replaced another, those it no longer permits are told that their permission has ended.
        """
        written = await self._index.put_grants(arrived)  # write mine first
        current = [grant for grant in arrived if written[grant.record] is not Written.SUPERSEDED]
        found = await self._index.stops_about(current)  # only then read yours
        stops, further = await self._follow(found, current)

        met = stops_by_record(stops, current)
        decided = [(grant, decide(grant, met.get(grant.record, ()))) for grant in current]
        told = {
            grant.record: _granted_to(decisions) if written[grant.record] is Written.NEW else None
            for grant, decisions in decided
        }
        await self._fan_out([Touch(s, g, told[g.record]) for s, g in meetings(stops, current)], persons)
        if further:
            await self._spread(stops, further)
        await self._fan_out.review(stops, current)
        again = [grant.record for grant in current if written[grant.record] is Written.KNOWN]
        once = await self._index.once_valid(again) if again else {}
        await self._teller.permissions(decided, persons, once)
        await self._suspended_meanwhile([g for g, ds in decided if any(d.granted for d in ds)], {s.id for s in stops})

    async def stops(self, arrived: Sequence[Stop]) -> None:
        """S. Records the stops, then tells everyone who may hold what they cover, down- and upstream."""
        await self._index.put_stops(arrived)  # write mine first
        grants = await self._index.grants_about(arrived)  # only then read yours

        stops, further = await self._follow(arrived, grants)
        await self._spread(stops, [*grants, *further])
        await self._fan_out.review(stops, grants)

    async def transfers(self, arrived: Sequence[Transfer]) -> None:
        """T. Records who really received the data, then tells them of the stops that were there before them."""
        await self._index.put_transfers(arrived)  # write mine first
        grants = await self._index.grants_of({transfer.record for transfer in arrived})  # only then read yours
        stops = await self._index.stops_about(grants)

        await self._fan_out([Touch(stop, grant, None) for stop, grant in meetings(stops, grants)])

    async def _suspended_meanwhile(self, granted: Sequence[Grant], known: Collection[str]) -> None:
        """A request that suspends came while permissions went out: its end must be the last word, so it is said again.

        A stop needs no such look: its order has a date, which a party compares. Of a suspension only the last word on a line
        counts; whoever wrote first is seen by the other, before or after, and says the end after the permission.
        """
        if granted:
            late = [s for s in await self._index.stops_about(granted, (), SUSPENDING) if s.id not in known]
            for stop, grant in meetings(late, granted):
                await self._teller.ended([(grant, _suspended(stop, grant))], cause=stop.id)

    async def _follow(self, stops: Sequence[Stop], grants: Sequence[Grant]) -> tuple[Sequence[Stop], list[Grant]]:
        """Stops that name one of these records take its contacts, as a step of their own: write, and only then read.

        Returns the stops as they are now, and the further records that their new contacts meet.
        """
        wider = widened(stops, grants)
        if not wider:
            return stops, []
        await self._index.widen_stops(wider)  # write mine first
        met = await self._index.grants_about(wider)  # only then read yours
        now, known = {stop.id: stop for stop in wider}, {grant.record for grant in grants}
        return [now.get(stop.id, stop) for stop in stops], [grant for grant in met if grant.record not in known]

    async def _spread(self, stops: Sequence[Stop], grants: Sequence[Grant]) -> None:
        """Order these stops of everyone these records concern, and end what a late, older stop keeps closed."""
        met = list(meetings(stops, grants))
        await self._fan_out([Touch(stop, grant, None) for stop, grant in met])
        await self._teller.ended([(grant, _held(stop, grant)) for stop, grant in met])
        for stop, grant in met:
            if (
                request_of(stop.id) is not None
            ):  # a request has no order on the topic of stops: say that the line is over
                await self._teller.ended([(grant, _suspended(stop, grant))], cause=stop.id)

    async def resume(self, stop: Stop) -> None:
        """A suspension is over (its row is lifted): whoever had a line that nothing else withholds is told so again."""
        grants = await self._index.grants_about([stop])
        met = stops_by_record(await self._index.stops_about(grants), grants)
        await self._teller.resumed(
            [(grant, _resumed(stop, grant, met.get(grant.record, ()))) for grant in grants], cause=stop.id
        )


def _granted_to(decisions: Sequence[Decision]) -> frozenset[str]:
    return frozenset(d.line.recipient for d in decisions if d.granted and d.line.recipient is not None)


def _suspended(stop: Stop, grant: Grant) -> list[Decision]:
    """Valid lines that a request withholds."""
    return [
        decision
        for decision in decide(grant, [stop])
        if decision.line.verdict == "valid" and not decision.granted and covers(stop, grant, decision.line)
    ]


def _resumed(stop: Stop, grant: Grant, stops: Sequence[Stop]) -> list[Decision]:
    """What a request that is lifted had withheld and nothing else withholds now."""
    withheld = {decision.line for decision in _suspended(stop, grant)}
    return [decision for decision in decide(grant, stops) if decision.granted and decision.line in withheld]


def _held(stop: Stop, grant: Grant) -> list[Decision]:
    """Lines that a late, older stop keeps from re-opening: a permission may have gone out before the stop was known."""
    return [
        decision
        for decision in decide(grant, [stop])
        if decision.line.verdict == "valid" and not decision.granted and holds(stop, grant, decision.line)
    ]
