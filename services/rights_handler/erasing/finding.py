"""From a person (a contact, a collector's reference) to records, and to the keys of what is not tied to a record."""

from __future__ import annotations

from dataclasses import dataclass

from services.rights_handler.domain import Stop, about
from services.rights_handler.erasing.erase import Admissions
from services.rights_handler.erasing.models import AskedContact, EraseBody
from services.rights_handler.erasing.store import MongoErasures
from services.rights_handler.erasing.tombstones import Tombstones
from services.rights_handler.kinds import request_of
from services.rights_handler.persons import Persons
from services.rights_handler.ports import Index
from shared.errors import InputError, Problem
from shared.intake.contacts import ContactFault, normalise


@dataclass(frozen=True, slots=True)
class Finding:
    """Finds records."""

    index: Index
    store: MongoErasures
    tombstones: Tombstones
    persons: Persons
    vault: Admissions

    async def of(self, body: EraseBody) -> list[str]:
        """The records (and names of other keys) that a body names. Raises InputError where it names none, or several ways."""
        given = [name for name in ("records", "contact", "subject") if getattr(body, name) is not None]
        if len(given) != 1:
            raise InputError([Problem("ERASE-WHOM", "", "give records, a contact or a subject, one of the three")])
        if body.records is not None:
            return body.records
        keys: frozenset[str] = frozenset()
        subject = None
        if body.contact is not None:
            keys = frozenset([self.key_of(body.contact, body.country)])
        if body.subject is not None:
            subject = self.persons.subject_key(body.subject.collector, body.subject.ref)
        return await self._about(keys, subject)

    def key_of(self, contact: AskedContact, country: str, pointer: str = "/contact/value") -> str:
        """The index key of a contact. Raises InputError where it cannot be one."""
        try:
            value = normalise(contact.type, contact.value, country).value
        except ContactFault as fault:
            raise InputError([Problem(fault.code, pointer, str(fault))]) from None
        return self.persons.contact_key(contact.type, value)

    async def _about(self, keys: frozenset[str], subject: str | None) -> list[str]:
        asked = Stop("", "", "", "", keys, subject, None)
        grants = await self.index.grants_about([asked])
        restricted = await self.store.about(keys, subject)
        stops = [s for s in await self.index.stops_about([], keys) if request_of(s.id) is None]
        alone = [f"stop/{stop.id}" for stop in stops if not any(about(stop, grant) for grant in grants)]
        if not grants:
            alone += [f"report/{name}" for name in await self.tombstones.reports_of(keys)]
        admitted = await self.vault.known(alone)
        records = [grant.record for grant in grants] + [erasure.record for erasure in restricted]
        return [*sorted(set(records)), *(name for name in alone if name in admitted)]
