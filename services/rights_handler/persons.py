"""What a person is known by, and by whom: the only place where sealed contacts are opened.

Contact and subject keys (the platform's pepper) live in the index and never leave it; match keys (one key per party) are
what a party finds the person by in its own file, so that two parties cannot compare theirs (RGPD 25, 32).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

from services.rights_handler.naming import Naming
from services.rights_handler.suppressing.postal import traits
from shared.crypto.encoding import b64url
from shared.crypto.keys import match_key, party_key
from shared.crypto.sealing import RecordKey, unseal
from shared.errors import IntegrityError
from shared.pacing import in_turns

ALIAS_BYTES = 16
"""Of a keyed hash: two of a hundred thousand million would meet once in 10¹⁶ times."""
_ALIAS = b"match alias"
"""Keeps this use of the pepper apart from every other (RFC 7693, personalisation)."""
_NEAR = b"postal trait"
_ROW = b"opposition row"
ROW_BYTES = 24
CONSENT_KIND = "consent.recorded"
"""The kind a consent's sealed part is bound to; it travels unchanged in the verdict."""


@dataclass(frozen=True, slots=True)
class Person:
    """The opened part of a record: (type, normalised value) pairs and the collector's own reference. Memory only."""

    contacts: tuple[tuple[str, str], ...] = ()
    subject_ref: str | None = None
    collector_ref: str | None = None
    """Whose reference it is, where the document says so (stops do)."""
    match_keys: dict[str, list[dict[str, str]]] = field(default_factory=dict, compare=False)
    """By party, worked out once while the person is in memory: for the index, then for what the party is told."""

    def __repr__(self) -> str:
        return f"Person({len(self.contacts)} contacts)"


class KeySource(Protocol):
    """Where record keys are read (the vault, or a dictionary in tests)."""

    async def read(self, record_ids: Iterable[str]) -> dict[str, RecordKey]:
        """The keys that may be used; an erased or restricted record is absent."""
        ...

    async def gone(self, record_ids: Iterable[str]) -> Mapping[str, Any]:
        """Which of these are absent by order: erased, or restricted."""
        ...


class Persons:
    """Opens records and names persons. Holds the pepper and the master of match keys."""

    def __init__(self, keys: KeySource, *, pepper: bytes | Naming, match_master: bytes) -> None:
        self._keys, self._master = keys, match_master
        self._naming = Naming(pepper) if isinstance(pepper, bytes) else pepper
        self._party_keys: dict[tuple[str, int], bytes] = {}

    async def open(self, blobs: Mapping[str, bytes], kind: str = CONSENT_KIND) -> dict[str, Person]:
        """One read of the vault for a batch: the person of each record; records whose key is erased are absent.

        Raises IntegrityError when a blob does not open under its own key.
        """
        keys = await self._keys.read(blobs)
        return {
            record: _person(unseal(keys[record], kind, record, blobs[record]))
            async for record in in_turns(blobs)
            if record in keys
        }

    async def open_all(self, blobs: Mapping[str, bytes], kind: str = CONSENT_KIND) -> dict[str, Person]:
        """As `open`; raises IntegrityError when a key is missing though nothing says that it was erased or restricted."""
        opened = await self.open(blobs, kind)
        missing = blobs.keys() - opened.keys()
        if missing:
            alarming = missing - (await self._keys.gone(missing)).keys()
            if alarming:
                raise IntegrityError(f"{len(alarming)} record keys are missing from the vault, without a tombstone")
        return opened

    def contact_keys(self, person: Person) -> frozenset[str]:
        """The index keys of every contact."""
        return frozenset(self.contact_key(kind, value) for kind, value in person.contacts)

    def contact_key(self, kind: str, value: str) -> str:
        """The index key of one normalised contact."""
        return self._naming.contact(kind, value)

    def subject_key(self, collector: str, subject_ref: str | None) -> str | None:
        """The index key of a collector's own reference: unique per collector only."""
        return None if subject_ref is None else self._naming.subject(collector, subject_ref)

    def near_keys(self, person: Person) -> frozenset[str]:
        """Keyed hashes of what its postal addresses may share with others; empty without a postal address."""
        found = [trait for kind, value in person.contacts if kind == "post" for trait in traits(value)]
        first = self._naming.first
        return frozenset(self._naming.current(
            "n1." + b64url(blake2b(trait.encode(), digest_size=ALIAS_BYTES, key=first, person=_NEAR).digest())
            for trait in found
        ))  # fmt: skip

    def row_key(self, row: bytes) -> str:
        """A keyed hash of a row of an opposition list: the id of its stop, which must tell nothing of the contact."""
        return b64url(blake2b(row, digest_size=ROW_BYTES, key=self._naming.first, person=_ROW).digest())

    def match_keys(self, party: str, person: Person) -> list[dict[str, str]]:
        """What this party finds each contact by, sorted so that the same order always has the same bytes.

        Contact by contact; then again under each further version of its key, while it is rotated.
        """
        found = person.match_keys.get(party)
        if found is None:
            found = person.match_keys[party] = [
                {"type": kind, "key": match_key(version, self.party_match_key(party, version), kind, value)}
                for version in self._naming.match_versions(party)
                for kind, value in sorted(person.contacts)
            ]
        return found

    def index_keys(self, person: Person, parties: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
        """The contact keys in order, and for each of them, one by one, its aliases for each party (see `Grant.aliases`)."""
        contacts = sorted(person.contacts)
        places = {self.contact_key(*contact): place for place, contact in enumerate(contacts)}
        keys = sorted(places)
        known = [self.match_keys(party, person) for party in parties]
        aliases = [
            self.alias(party, **one)
            for key in keys
            for party, match_keys in zip(parties, known, strict=True)
            for one in match_keys[places[key] :: len(contacts)]
        ]
        return keys, tuple(aliases)

    def alias(self, party: str, type: str, key: str) -> str:  # noqa: A002 - the names of a match key on the wire
        """A match key under the pepper: whoever reads the index and holds a party's key learns nothing from it."""
        named = f"{party}\0{type}\0{key}".encode()
        first = b64url(blake2b(named, digest_size=ALIAS_BYTES, key=self._naming.first, person=_ALIAS).digest())
        return self._naming.current([first])[0]

    def party_match_key(self, party: str, version: int = 1) -> bytes:
        """One version of a party's match key (delivered to it once, by authenticated download: `match_versions`)."""
        key = self._party_keys.get((party, version))
        if key is None:
            key = self._party_keys[party, version] = party_key(self._master, party, version)
        return key


def _person(doc: Mapping[str, Any]) -> Person:
    contacts: Sequence[Mapping[str, str]] = doc.get("contacts") or ()
    return Person(tuple((c["type"], c["value"]) for c in contacts), doc.get("subject_ref"), doc.get("collector_ref"))
