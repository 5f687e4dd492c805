"""The registry in memory: what every service decides from (one writer, many readers).

Forms, lists, notices and agreements are immutable by version: the first body applied under a version wins, whatever comes
later. Of parties and topics the newest body counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.instants import format_instant
from shared.registry.hashing import SignatureState, list_hash, signature_state
from shared.registry.models import VERSIONED, Agreement, AnyEntry, Party, Topic, key_of, parse
from shared.registry.shown import Form, Notice, RecipientList
from shared.registry.subprocessors import SubProcessor


@dataclass(frozen=True, slots=True)
class Reference:
    """Which registry record a verdict relied on: key, offset on the topic (-1 offline), when Kafka archived it."""

    key: str
    offset: int
    archived_at: datetime | None
    facts: Mapping[str, Any]
    """Its form in facts."""

    @classmethod
    def to(cls, key: str, offset: int, archived_at: datetime | None) -> Reference:
        """A reference with its form in facts, written once for all verdicts."""
        text = None if archived_at is None else format_instant(archived_at)
        return cls(key, offset, archived_at, {"key": key, "offset": offset, "archived_at": text})


class RegistryView:
    """Parties, forms, lists, notices, agreements and topics by id. `offset` = highest applied, -1 when none."""

    def __init__(self) -> None:
        self.offset = -1
        self._references: dict[str, Reference] = {}
        self._parties: dict[str, Party] = {}
        self._forms: dict[tuple[str, int], Form] = {}
        self._lists: dict[tuple[str, int], RecipientList] = {}
        self._notices: dict[tuple[str, str], Notice] = {}
        self._agreements: dict[tuple[str, str], tuple[Agreement, ...]] = {}
        self._topics: dict[str, Topic] = {}
        self._subprocessors: dict[tuple[str, int], SubProcessor] = {}
        self._list_bodies: dict[tuple[str, int], str] = {}
        self._signatures: dict[tuple[str, int], SignatureState] = {}
        self.memo: dict[Any, Any] = {}
        """What readers worked out from this state of the registry alone; emptied when anything is applied."""

    def apply(
        self, key: str, document: Mapping[str, Any], *, offset: int, archived_at: datetime | None
    ) -> Literal["applied", "ignored"]:
        """Take one registry record in. Raises ValueError when it is no registry document or stands under a wrong key.

        A record already applied (a replay) and a second body under a published version are ignored.
        """
        self.offset, seen = max(self.offset, offset), self.offset
        if not isinstance(document, Mapping):
            raise ValueError("a registry record is a JSON object")  # noqa: TRY004 - readers treat all as ValueError
        if key != key_of(document):
            raise ValueError("the key does not name the document")
        if key in self._references and (document["kind"] in VERSIONED or 0 <= offset <= seen):
            return "ignored"
        entry = parse(document)
        self._store(entry)
        self.memo.clear()
        if isinstance(entry, RecipientList):
            self._list_bodies[entry.id, entry.version] = list_hash(document)
        self._references[key] = Reference.to(key, offset, archived_at)
        return "applied"

    def _store(self, entry: AnyEntry) -> None:
        match entry:
            case Party():
                self._parties[entry.id] = entry
                self._signatures.clear()  # its keys may have changed
            case Form():
                self._forms[entry.id, entry.version] = entry
            case RecipientList():
                self._lists[entry.id, entry.version] = entry
            case Notice():
                self._notices[entry.id, entry.version] = entry
            case Agreement():
                pair = (entry.collector, entry.prospector)
                self._agreements[pair] = (*self._agreements.get(pair, ()), entry)
            case SubProcessor():
                self._subprocessors[entry.id, entry.version] = entry
            case Topic():
                self._topics[entry.id] = entry

    def party(self, party_id: str) -> Party | None:
        """A party, as last published."""
        return self._parties.get(party_id)

    def parties(self) -> Sequence[Party]:
        """Every party."""
        return list(self._parties.values())

    def form(self, form_id: str, version: int) -> Form | None:
        """A form version."""
        return self._forms.get((form_id, version))

    def list_(self, list_id: str, version: int) -> RecipientList | None:
        """A recipient list version."""
        return self._lists.get((list_id, version))

    def notice(self, notice_id: str, version: str) -> Notice | None:
        """A notice version."""
        return self._notices.get((notice_id, version))

    def agreements(self, collector: str, prospector: str) -> Sequence[Agreement]:
        """Every version of every agreement between the two, as published."""
        return self._agreements.get((collector, prospector), ())

    def agreements_of(self, collector: str) -> Sequence[Agreement]:
        """Every version of every agreement of a collector."""
        return [a for (owner, _), versions in self._agreements.items() if owner == collector for a in versions]

    def forms(self) -> Sequence[Form]:
        """Every version of every form."""
        return list(self._forms.values())

    def lists(self) -> Sequence[RecipientList]:
        """Every version of every list."""
        return list(self._lists.values())

    def subprocessors(self) -> Sequence[SubProcessor]:
        """Every version of every sub-processor of the operator."""
        return list(self._subprocessors.values())

    def references(self) -> Sequence[Reference]:
        """Every document as it stands on the topic, with its archived time."""
        return list(self._references.values())

    def topic(self, name: str) -> Topic | None:
        """The incarnation of an archived topic."""
        return self._topics.get(name)

    def reference(self, key: str) -> Reference | None:
        """Where a document stands on the `registry` topic."""
        return self._references.get(key)

    def list_body_intact(self, published: RecipientList) -> bool:
        """Whether the hash that the list claims is that of its body."""
        return self._list_bodies[published.id, published.version] == published.sha256

    def list_signature(self, published: RecipientList) -> SignatureState:
        """Whether its collector's registered keys signed the list (computed once per list and set of keys)."""
        key = (published.id, published.version)
        state = self._signatures.get(key)
        if state is None:
            owner = self._parties.get(published.collector)
            state = self._signatures[key] = signature_state(published, owner.public_keys if owner else ())
        return state
