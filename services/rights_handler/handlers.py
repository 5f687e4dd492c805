"""One batch of each topic, from raw records to the protocol. Four groups, so that a stop never waits behind a bulk import.

A record that cannot be read goes to `dead` and its neighbours flow; everything else is done for the whole batch at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from services.rights_handler import decoding
from services.rights_handler.acknowledging import Acknowledging
from services.rights_handler.decoding import CONFLICT, Internal
from services.rights_handler.deliveries import OPERATOR, Answer
from services.rights_handler.domain import Grant, Stop, Transfer
from services.rights_handler.kinds import row_of
from services.rights_handler.matching import keys_of_stop
from services.rights_handler.persons import CONSENT_KIND, Person, Persons
from services.rights_handler.ports import Index, Ledger, Obligation, Reports
from services.rights_handler.protocol import Crossing
from services.rights_handler.reported import Attempt, Disclosure, Notice
from services.rights_handler.requests.gathering import REQUEST_KIND
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.reading import request_of_event
from shared.errors import InputError
from shared.kafka.record import Record, coordinate
from shared.pacing import in_turns
from shared.topics import PLATFORM_PARTY

DeadAll = Callable[[Sequence[tuple[Record, str, str]]], Awaitable[None]]
AfterVerdicts = Callable[[Sequence[tuple[Record, Internal]]], Awaitable[None]]
"""Told of a batch of verdicts once they are indexed and told (decisions that they rest on, volumes)."""
STOP_KIND = "stop.recorded"
ATTEMPT_KIND = "contact.attempted"


class Requests(Protocol):
    """What is done about requests of persons (`requests.handling`)."""

    async def receive(self, arrived: Sequence[Request]) -> None:
        """Take them in. Twice is once."""
        ...


class Handlers:
    """The processes of the four consumer groups."""

    def __init__(
        self, *, crossing: Crossing, acknowledging: Acknowledging, persons: Persons, index: Index, ledger: Ledger,
        reports: Reports, requests: Requests, dead_all: DeadAll, after_verdicts: Sequence[AfterVerdicts] = (),
    ) -> None:  # fmt: skip
        self._after_verdicts = after_verdicts
        self._crossing, self._acknowledging, self._persons = crossing, acknowledging, persons
        self._index, self._ledger, self._reports = index, ledger, reports
        self._requests, self._dead_all = requests, dead_all

    async def verdicts(self, records: Sequence[Record]) -> None:
        """`verdicts`: the latest verdict of each record in the batch, through G."""
        batch = await self._read(records, {"consent.assessed"})
        blobs = {str(e.facts.get("record")): e.sealed for _, e in batch if e.sealed is not None}
        opened = await self._persons.open_all(blobs, CONSENT_KIND)
        latest: dict[str, Grant] = {}
        refused: list[tuple[Record, str, str]] = []
        async for record, event in in_turns(batch):
            if event.sealed is not None and str(event.facts.get("record")) not in opened:
                continue  # erased since: a late verdict brings nothing back
            try:
                grant = decoding.grant(event, opened.get(str(event.facts.get("record")), Person()), self._persons)
            except InputError as error:
                refused.append(_letter(record, error))
                continue
            if grant.record not in latest or latest[grant.record].vid < grant.vid:
                latest[grant.record] = grant
        await self._bury(refused)
        await self._crossing.verdicts(
            list(latest.values()), {record: opened.get(record, Person()) for record in latest}
        )
        for after in self._after_verdicts:
            await after(batch)

    async def stops(self, records: Sequence[Record]) -> None:
        """`stops`: through S. One that nobody can be found by opens an obligation to the party that sent it."""
        batch = await self._read(records, {STOP_KIND})
        blobs = {f"stop/{e.facts.get('stop')}": e.sealed for _, e in batch if e.sealed is not None}
        opened = await self._persons.open_all(blobs, STOP_KIND)
        stops: dict[str, Stop] = {}
        refused: list[tuple[Record, str, str]] = []
        unusable: list[Obligation] = []
        for record, event in batch:
            try:
                stop = decoding.stop(event, opened.get(f"stop/{event.facts.get('stop')}", Person()), self._persons)
            except InputError as error:
                refused.append(_letter(record, error))
                continue
            stops.setdefault(stop.id, stop)
            clumsy = event.facts.get("unusable_contacts") and stop.subject_key is None and stop.record is None
            if clumsy or event.facts.get("lost_reference"):
                unusable.append(_unusable(stop, event))
        await self._bury(refused)
        await self._crossing.stops(list(stops.values()))
        await self._ledger.open_obligations(unusable)

    async def reports(self, records: Sequence[Record]) -> None:
        """`reports`: acknowledgements, transfers (through T), and what the permission check reads."""
        batch = await self._read(records, {"order.acknowledged", "data.transferred", "notice.given", ATTEMPT_KIND})
        blobs = {_report_id(e): e.sealed for _, e in batch if e.kind == ATTEMPT_KIND and e.sealed is not None}
        opened = await self._persons.open(blobs, ATTEMPT_KIND)  # an erased one still counts by its record
        refused: list[tuple[Record, str, str]] = []
        answers: list[tuple[Record, Answer]] = []
        transfers: dict[tuple[str, str], Transfer] = {}
        kept: dict[str, Notice | Disclosure | Attempt] = {}
        for record, event in batch:
            try:
                if event.kind == "order.acknowledged":
                    answers.append((record, decoding.answer(event, coordinate(record))))
                elif event.kind == "data.transferred":
                    transfer = decoding.transfer(event)
                    kept[_identity(record, event)] = decoding.disclosure(event)
                    transfers.setdefault((transfer.record, transfer.to), transfer)
                elif event.kind == "notice.given":
                    kept[_identity(record, event)] = decoding.notice(event)
                else:
                    person = opened.get(_report_id(event), Person())
                    kept[_identity(record, event)] = decoding.attempt(event, person, self._persons)
            except InputError as error:
                refused.append(_letter(record, error))
        await self._reports.put_reports(kept)
        await self._crossing.transfers(list(transfers.values()))
        strangers = await self._acknowledging([answer for _, answer in answers])
        refused += [(record, strangers[a.event, a.order], "kept for the operator; the order is not changed by it")
                    for record, a in answers if (a.event, a.order) in strangers]  # fmt: skip
        await self._bury(refused)

    async def requests(self, records: Sequence[Record]) -> None:
        """`requests`: taken in; their month runs (RGPD 12(3)), and those that suspend act at once."""
        batch = await self._read(records, {REQUEST_KIND})
        blobs = {row_of(str(e.facts.get("request"))): e.sealed for _, e in batch if e.sealed is not None}
        opened = await self._persons.open_all(blobs, REQUEST_KIND)  # an erased one still counts by its record
        requests: dict[str, Request] = {}
        refused: list[tuple[Record, str, str]] = []
        for record, event in batch:
            try:
                person = opened.get(row_of(str(event.facts.get("request"))), Person())
                request = request_of_event(event, person, self._persons, record.timestamp)
            except InputError as error:
                refused.append(_letter(record, error))
                continue
            requests.setdefault(request.id, request)
        await self._bury(refused)
        await self._requests.receive(list(requests.values()))

    async def _read(self, records: Sequence[Record], kinds: set[str]) -> list[tuple[Record, Internal]]:
        """The readable events of these kinds; unknown ones go to `dead`, refused conflicts are the archive's alone."""
        batch, refused = [], []
        async for record in in_turns(records):
            try:
                event = decoding.read(record.value)
            except InputError as error:
                refused.append(_letter(record, error))
                continue
            if event.kind in kinds:
                batch.append((record, event))
            elif not event.kind.endswith(CONFLICT):
                refused.append((record, "KIND-UNKNOWN", "an event of a kind that this version does not know"))
        await self._bury(refused)
        return batch

    async def _bury(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        if letters:
            await self._dead_all(letters)


def _letter(record: Record, error: InputError) -> tuple[Record, str, str]:
    problem = error.problems[0]
    return record, problem.code, problem.message


def _identity(record: Record, event: Internal) -> str:
    """What makes a report count once: its event, or where it stands."""
    return f"{event.facts.get('source')}/{event.facts.get('event_id') or coordinate(record)}"


def _report_id(event: Internal) -> str:
    """The vault's id of a report."""
    return f"report/{event.facts.get('source')}/{event.facts.get('event_id')}"


def _unusable(stop: Stop, event: Internal) -> Obligation:
    received = str(event.facts.get("received_at", stop.at))
    nobody = "" if keys_of_stop(stop) else " and nobody can be found by it"
    cause = (
        f"a contact of this stop cannot be read{nobody}: send it again with a usable contact or the consent it is about"
    )
    if event.facts.get("lost_reference"):
        cause = (
            "a reference is its collector's own: send it again with `collector`, a contact or the consent it is about"
        )
    return Obligation(
        id=f"unusable/{stop.id}",
        kind="stop-unusable",
        owner=OPERATOR if stop.source == PLATFORM_PARTY else stop.source,
        cause=cause,
        opened_at=received,
        due_at=received,
        next_at=None,
        refs=(("stop", stop.id), ("party", stop.source)),
    )
