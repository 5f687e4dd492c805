"""What an attestation is made from: the content of one bundle, read again from its exact bytes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.proof_archive.attestation.independence import Independence
from services.proof_archive.bundles.build import BundleEntry, BundleInput
from services.proof_archive.bundles.disclosures import Disclosure, open_verdicts
from services.proof_archive.bundles.entries import ReadEntry, read_entry
from services.proof_archive.bundles.state import State, state_of
from services.proof_archive.bundles.verdict_facts import OpenedVerdict
from shared import canonical


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry: as a bundle reads it, and all of its facts."""

    read: ReadEntry
    raw: dict[str, Any]
    data: bytes


@dataclass(frozen=True, slots=True)
class Case:
    """One bundle's content, for one audience, at one instant. `pending`: entries not under a signed checkpoint yet."""

    request: BundleInput
    at: datetime
    entries: tuple[Seen, ...]
    independence: Independence = field(default_factory=Independence)
    pending: int = 0

    @classmethod
    def of(cls, request: BundleInput, at: datetime, independence: Independence, pending: int = 0) -> Case:
        """Read a bundle's content. Raises Refused where an entry is not of a form that a bundle can explain."""
        ordered = sorted(request.entries, key=lambda entry: (entry.origin, entry.index))
        read = [read_entry(entry.origin, entry.index, entry.data, entry.body) for entry in ordered]
        opened = open_verdicts(read, request.disclosures, [""] * len(read))
        seen = tuple(_seen(*pair, request.disclosures) for pair in zip(ordered, opened, strict=True))
        return cls(request, at, seen, independence, pending)

    @property
    def consent(self) -> Seen:
        """The consent as recorded, its first copy."""
        return self.of_kind("consent.recorded")[0]

    @property
    def verdict(self) -> Seen | None:
        """The verdict that counts."""
        return max(self.of_kind("consent.assessed"), key=_rank, default=None)

    @property
    def erasure(self) -> Seen | None:
        """The entry that states the erasure."""
        return next((seen for seen in self.entries if seen.read.is_erasure), None)

    @property
    def party(self) -> str | None:
        """The prospecteur for whom it is made: it reads of itself alone. None for who reads everything."""
        audience = self.request.requested_for
        return audience.party if audience.scope == "prospector" else None

    def of_kind(self, *kinds: str) -> list[Seen]:
        """The entries of these kinds, each fact once though a crash had it published again."""
        found: dict[bytes, Seen] = {}
        for seen in self.entries:
            if seen.read.kind in kinds:
                found.setdefault(canonical.dumps(seen.raw), seen)
        return sorted(found.values(), key=lambda seen: (seen.read.at, seen.read.origin, seen.read.index))

    def registered(self, kind: str, key: str | None = None, version: object = None) -> Seen | None:
        """A version of the registry that the verdict relied on."""
        found = [
            s for s in self.of_kind(kind) if key is None or (s.raw.get("id"), s.raw.get("version")) == (key, version)
        ]
        return found[-1] if found else None

    def state(self) -> State:
        """What the entries say of the record, last."""
        return state_of([seen.read for seen in self.entries])

    def concerns(self, recipient: str | None) -> bool:
        """Whether a line is this audience's to read: a prospecteur reads its own alone."""
        return self.party is None or recipient == self.party

    def companies(self) -> dict[str, str]:
        """Legal names by party, as the lists and the parties archived say."""
        names: dict[str, str] = {}
        for seen in self.entries:
            if seen.read.kind == "party":
                names[str(seen.raw.get("id"))] = str(seen.raw.get("legal_name") or "")
            elif seen.read.kind == "list":
                for entry in _objects(seen.raw.get("entries")):
                    names.setdefault(str(entry.get("party")), str(entry.get("legal_name") or ""))
        return {party: name for party, name in names.items() if name}

    def company(self, party: object) -> str:
        """A party as a page names it: its legal name where it is known, and its identifier."""
        if party is None:
            return "destinataires non nommés"
        name = self.companies().get(str(party))
        return f"{name} ({party})" if name else str(party)


def _seen(entry: BundleEntry, read: ReadEntry, disclosures: Iterable[Disclosure]) -> Seen:
    raw = canonical.loads(entry.data)["facts"] if entry.body is None else canonical.loads(entry.body)
    if isinstance(read.facts, OpenedVerdict):  # its facts and the lines that are shown, in the order of the verdict
        own = [item for item in disclosures if (item.origin, item.index) == (read.origin, read.index)]
        lines = {int(item.pointer.rpartition("/")[2]): item.value for item in own}
        raw["lines"] = [lines[index] for index in sorted(lines)]
    return Seen(read, raw, entry.data)


def _rank(seen: Seen) -> tuple[int, int, str]:
    return int(seen.raw["ruleset_seq"]), int(seen.raw["registry_offset"]), str(seen.raw["evaluated_at"])


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list that may be anything: the registry is archived as it came."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
