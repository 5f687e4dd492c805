"""Answers permission checks, one or thousands, from what is stored: a constant number of database calls for any batch.

Fails closed: raises Unavailable while stops or reports may be unread or MongoDB is away. Stops are read last, so that one
written meanwhile is seen. A contact is known by itself or by the asker's own match key (docs/decisions/0010).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from pymongo.errors import PyMongoError

from services.rights_handler.domain import Grant, Stop
from services.rights_handler.matching import stops_by_record
from services.rights_handler.permissions import Question, Ruling, check
from services.rights_handler.ports import Index, Reports
from services.rights_handler.reported import Attempt, Disclosure, Notice, Reported
from services.rights_handler.sending.model import SendingSettings
from services.rights_handler.teller import Registry
from shared.errors import Unavailable
from shared.pacing import in_turns

Row = TypeVar("Row", Notice, Disclosure)
BEHIND = "stops or reports may still be unread: nothing may be sent until they are"
AWAY = "the index is away: nothing may be sent until it is back"


class Lag(Protocol):
    """Knows whether everything said until a moment ago is in the index."""

    def lagging(self) -> bool:
        """True when it may not be."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the alias of a match key where the contact itself is not told."""

    question: Question
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Checking:
    """Answers questions of one recipient."""

    index: Index
    reports: Reports
    freshness: Lag
    registry: Registry
    settings: SendingSettings

    async def __call__(self, recipient: str, asked: Sequence[Asked]) -> list[Ruling]:
        """The rulings, in order. All questions are of this recipient."""
        if self.freshness.lagging():
            raise Unavailable(BEHIND)
        callers = callers_for(self.registry, recipient)
        try:
            known = await self._read(asked, {recipient, *callers})
        except PyMongoError as error:
            raise Unavailable(AWAY) from error
        rulings: list[Ruling] = []
        async for one in in_turns(asked):
            question = known.resolve(one)
            grants, stops, reported = known.about(question)
            rulings.append(check(question, grants, stops, reported, callers=callers, settings=self.settings))
        return rulings

    async def _read(self, asked: Sequence[Asked], sources: set[str]) -> Known:
        contacts = {key for one in asked for key in one.question.contact_keys}
        grants = await self.index.grants_asked(contacts, {one.alias for one in asked if one.alias is not None})
        resolved = _contacts_of(grants, {one.alias for one in asked if one.alias is not None})
        contacts |= {key for grant in grants for key in grant.contact_keys}
        moments = [one.question.at for one in asked]
        records = {grant.record for grant in grants}
        reported = Reported()
        if moments:
            reported = await self.reports.reported(records, contacts, sources, min(moments), max(moments))
        stops = await self.index.stops_about(grants, contacts)
        return Known.of(grants, stops, reported, resolved)


@dataclass(frozen=True, slots=True)
class Known:
    """What was read for a batch, found by contact and by record: no question looks at what is about others."""

    contacts: Mapping[str, str]
    """Alias → contact key."""
    grants: Mapping[str, Sequence[Grant]]
    stops_of_record: Mapping[str, Sequence[Stop]]
    stops_of_contact: Mapping[str, Sequence[Stop]]
    notices: Mapping[str, Sequence[Notice]]
    disclosures: Mapping[str, Sequence[Disclosure]]
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, grants: Sequence[Grant], stops: Sequence[Stop], reported: Reported, contacts: Mapping[str, str]
    ) -> Known:
        """Sort everything by what it is about, once."""
        by_contact: defaultdict[str, list[Grant]] = defaultdict(list)
        for grant in grants:
            for key in grant.contact_keys:
                by_contact[key].append(grant)
        stops_of_contact: defaultdict[str, list[Stop]] = defaultdict(list)
        for stop in stops:
            for key in stop.contact_keys:
                stops_of_contact[key].append(stop)
        attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
        for attempt in reported.attempts:
            for key in attempt.keys:
                attempts[key].append(attempt)
        return cls(
            contacts, by_contact, stops_by_record(stops, grants), stops_of_contact, _by_record(reported.notices),
            _by_record(reported.disclosures), attempts,
        )  # fmt: skip

    def resolve(self, asked: Asked) -> Question:
        """The question with the contact key that its alias stands for, where any grant knows it."""
        key = None if asked.alias is None else self.contacts.get(asked.alias)
        return asked.question if key is None else replace(asked.question, contact_keys=frozenset([key]))

    def about(self, question: Question) -> tuple[list[Grant], list[Stop], Reported]:
        """Everything known about the person of a question."""
        keys = sorted(question.contact_keys)
        grants = {grant.record: grant for key in keys for grant in self.grants.get(key, ())}
        stops = {stop.id: stop for key in keys for stop in self.stops_of_contact.get(key, ())}
        stops.update((stop.id, stop) for record in grants for stop in self.stops_of_record.get(record, ()))
        named = {*keys, *grants, *(key for grant in grants.values() for key in grant.contact_keys)}
        attempts = {id(attempt): attempt for key in named for attempt in self.attempts.get(key, ())}
        reported = Reported(
            [notice for record in grants for notice in self.notices.get(record, ())],
            [one for record in grants for one in self.disclosures.get(record, ())],
            list(attempts.values()),
        )
        return list(grants.values()), list(stops.values()), reported


def callers_for(registry: Registry, recipient: str) -> frozenset[str]:
    """Parties that call for the recipient: processors bound to it by an agreement, whichever way it is written."""
    view = registry.view
    return frozenset(
        party.id
        for party in view.parties()
        if party.id != recipient
        and "processor" in party.roles
        and any(
            agreement.qualification == "processor"
            for pair in ((party.id, recipient), (recipient, party.id))
            for agreement in view.agreements(*pair)
        )
    )


def _contacts_of(grants: Sequence[Grant], aliases: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for grant in grants:
        for alias in aliases.intersection(grant.aliases):
            key = grant.contact_of(alias)
            if key is not None:
                found[alias] = key
    return found


def _by_record(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.record].append(row)
    return found
