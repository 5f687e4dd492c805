"""What a person is shown, built from what is stored: one page's worth of plain values, no identifiers of others.

Only records that hold the proven contact are shown, one hop (families share telephones). Their other contacts are masked:
whoever owns them recognises them, and a telephone shared by two people does not give away an address (RGPD 15(4)).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Grant, Stop, decide
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.persons import CONSENT_KIND, KeySource
from services.rights_handler.portal.access import Session
from services.rights_handler.portal.contact import mask
from services.rights_handler.portal.inviting import as_stop
from services.rights_handler.portal.showing import (
    Company,
    Known,
    Line,
    Page,
    Record,
    Withdrawal,
    company,
    line_of,
    step_of,
    withdrawal_words,
)
from services.rights_handler.portal.words import CONTACTS, CONTEXT, MEDIA, when
from services.rights_handler.ports import Index
from services.rights_handler.teller import Registry
from shared.clock import Clock
from shared.crypto.sealing import unseal
from shared.instants import format_instant

RECORDS_MOST = 50
"""Consents on one page, the newest first; how many more there are is said."""
STOPS_MOST = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads for a session. A constant number of database calls, and one for each withdrawal shown."""

    index: Index
    ledger: MongoLedger
    keys: KeySource
    registry: Registry
    clock: Clock

    async def page(self, session: Session) -> Page:
        """Everything that is shown of a contact."""
        grants = await self._grants(session)
        shown = grants[:RECORDS_MOST]
        stops = await self.index.stops_about(shown, {session.contact_key})
        opened = await self._opened(shown)
        transfers = await self.index.transfers_of({grant.record for grant in shown})
        records = [self._record(grant, opened.get(grant.record), stops) for grant in shown]
        received = {(t.to, when(t.at)) for t in transfers}
        companies = self._companies(shown, records, received)
        return Page(session.contact.masked, tuple(records), len(grants) - len(shown), tuple(companies))

    async def withdrawals(self, session: Session) -> list[Withdrawal]:
        """The person's withdrawals and requests, the newest first, party by party; those not come through yet come first."""
        stops = [
            s for s in await self.index.stops_about([], {session.contact_key}) if session.contact_key in s.contact_keys
        ]
        stops.sort(key=lambda stop: (stop.at, stop.id), reverse=True)
        mine = {grant.record for grant in await self._grants(session)}
        seen = {stop.id.removeprefix("request/") for stop in stops}
        waiting = [Withdrawal("", "Votre demande est enregistrée ; elle part vers les sociétés concernées.", (), coming=True)
                   for name in session.asked if name not in seen]  # fmt: skip
        told = [
            Withdrawal(
                when(stop.at), withdrawal_words(stop, self.name), tuple(self._steps(await self._rows(stop, mine)))
            )
            for stop in stops[:STOPS_MOST]
        ]
        return [*waiting[:1], *told]

    async def record(self, session: Session, record: str) -> Grant | None:
        """One of the person's records, or None where it is not theirs."""
        return next((grant for grant in await self._grants(session) if grant.record == record), None)

    def name(self, party: str) -> str:
        """The legal name of a party, or its identifier where it is not registered."""
        known = self.registry.view.party(party)
        return known.legal_name if known is not None else party

    async def _grants(self, session: Session) -> list[Grant]:
        found = await self.index.grants_about([as_stop(session.contact_key)])
        mine = [grant for grant in found if session.contact_key in grant.contact_keys]
        return sorted(mine, key=lambda grant: (grant.collected_at, grant.record), reverse=True)

    async def _opened(self, grants: Sequence[Grant]) -> dict[str, Mapping[str, Any]]:
        keys = await self.keys.read([grant.record for grant in grants if grant.sealed is not None])
        return {
            grant.record: unseal(keys[grant.record], CONSENT_KIND, grant.record, grant.sealed)
            for grant in grants
            if grant.sealed is not None and grant.record in keys
        }

    async def _rows(self, stop: Stop, mine: Collection[str]) -> list[Delivery]:
        return [row for row in await self.ledger.deliveries_of_stop(stop.id) if row.record in mine]

    def _steps(self, rows: Sequence[Delivery]) -> list[Known]:
        worst: dict[str, Delivery] = {}
        order = {"closed": 0, "open": 1, "contested": 2, "refused": 3, "escalated": 4}
        for row in rows:  # a party with several records is done when all of them are
            if row.party not in worst or order[row.state] > order[worst[row.party].state]:
                worst[row.party] = row
        return [step_of(row, self.name(row.party)) for row in sorted(worst.values(), key=lambda r: self.name(r.party))]

    def _record(self, grant: Grant, document: Mapping[str, Any] | None, stops: Sequence[Stop]) -> Record:
        today = format_instant(self.clock.now())[:10]
        lines = [line_of(decision, self.name, today) for decision in decide(grant, stops)]
        form = self._form(grant)
        contacts = (document or {}).get("contacts") or ()
        context = (document or {}).get("context") or {}
        return Record(
            name=grant.record,
            collector=self.name(grant.collector),
            when=when(grant.collected_at),
            medium=MEDIA.get(form.medium, "une page") if form else "une page",
            page=f"« {form.id} », version {form.version}" if form else None,
            has_picture=form is not None and form.screenshot_sha256 is not None,
            contacts=tuple(f"{CONTACTS.get(c['type'], c['type'])} : {mask(c['type'], c['value'])}" for c in contacts),
            context=tuple(words for name, words in CONTEXT.items() if context.get(name)),
            erased=document is None,
            via=tuple(self.name(party) for party in grant.via),
            lines=tuple(sorted(lines, key=lambda line: (line.company or "", line.channel))),
        )

    def _form(self, grant: Grant) -> Any:
        if grant.form is None:
            return None
        _, form, version = grant.form.split(":", 2)
        return self.registry.view.form(form, int(version))

    def picture_of(self, grant: Grant) -> str | None:
        """SHA-256 of the picture of the page that the consent was given on, where the registry names one."""
        form = self._form(grant)
        return None if form is None else form.screenshot_sha256

    def _companies(
        self, grants: Sequence[Grant], records: Sequence[Record], received: Collection[tuple[str, str]]
    ) -> list[Company]:
        lines: dict[str, list[Line]] = {}
        for record in records:
            for line in record.lines:
                if line.party is not None and not line.refused:
                    lines.setdefault(line.party, []).append(line)
        collectors = {grant.collector for grant in grants}
        hands = {party for grant in grants for party in grant.via}
        parties = {*lines, *collectors, *hands, *(party for party, _ in received)}
        transfers = dict(sorted(received))
        made = [
            company(self.registry.view.party(party), party, lines.get(party, []), collected=party in collectors,
                    passed=party in hands, transferred=transfers.get(party))
            for party in parties
        ]  # fmt: skip
        return sorted(made, key=lambda one: (not one.collected, one.name.casefold()))
