"""Values that a bundle discloses: pointer, salt of that one value, value (docs/decisions/0004, 0025).

A disclosure says: this value, at this place, is the one committed to in the log: a personal field of the sealed document,
or a line of a verdict. The salt is that of the value alone, so that nothing else can be guessed from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError

from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.manifest import DISCLOSURES, Name, Strict
from services.proof_archive.bundles.verdict_facts import CommittedVerdict, OpenedVerdict
from services.proof_archive.verifying.codes import Refused
from shared import canonical
from shared.crypto.encoding import b64, unb64
from shared.crypto.sealing import RecordKey, resolve, salt_of, verify_commitment
from shared.errors import IntegrityError
from shared.verdicts import Opened, pointer_of


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One value of one entry, with its own 32-byte salt. It is personal, or a line of a verdict: never log it."""

    origin: str
    index: int
    pointer: str
    salt: bytes
    value: Any


class _Written(Strict):
    """A line of `disclosures.json`; `entry` is the stem of the entry's members."""

    entry: Name
    pointer: Annotated[str, StringConstraints(max_length=512)]
    salt: Annotated[str, StringConstraints(max_length=64)]
    value: Any


_LIST = TypeAdapter(list[_Written])


def disclose(origin: str, index: int, key: RecordKey, doc: dict[str, Any], pointers: Iterable[str]) -> list[Disclosure]:
    """Disclosures of these fields of an entry whose sealed document is `doc`."""
    return [Disclosure(origin, index, pointer, salt_of(key, pointer), resolve(doc, pointer)) for pointer in pointers]


def disclose_lines(origin: str, index: int, opened: Opened, pointers: Collection[str]) -> list[Disclosure]:
    """Disclosures of these lines of a verdict."""
    named = ((pointer_of(place), line) for place, line in enumerate(opened.lines))
    return [
        Disclosure(origin, index, pointer, opened.salt(pointer), line) for pointer, line in named if pointer in pointers
    ]


def open_verdicts(
    entries: Sequence[ReadEntry], disclosures: Iterable[Disclosure], names: Sequence[str]
) -> list[ReadEntry]:
    """The entries, each verdict that commits to its lines as far as the disclosures show it. `names`: of their members.

    Raises Refused where a value disclosed is no line.
    """
    shown: dict[tuple[str, int], dict[str, Any]] = {}
    for item in disclosures:
        shown.setdefault((item.origin, item.index), {})[item.pointer] = item.value
    return [
        _opened(entry, shown.get((entry.origin, entry.index), {}), name)
        for entry, name in zip(entries, names, strict=True)
    ]


def personal(entries: Sequence[ReadEntry], disclosures: Iterable[Disclosure]) -> list[Disclosure]:
    """The disclosures of personal data: all but the lines of verdicts. `entries`: opened."""
    verdicts = {(entry.origin, entry.index) for entry in entries if isinstance(entry.facts, OpenedVerdict)}
    return [item for item in disclosures if (item.origin, item.index) not in verdicts]


def _opened(entry: ReadEntry, values: Mapping[str, Any], name: str) -> ReadEntry:
    if not isinstance(entry.facts, CommittedVerdict):
        return entry
    try:
        return replace(entry, facts=entry.facts.opened(values))
    except ValidationError as error:
        raise Refused("ENTRY-MALFORMED", name) from error


def write_disclosures(disclosures: Sequence[Disclosure], stems: Mapping[tuple[str, int], str]) -> bytes:
    """Bytes of `disclosures.json`, sorted. Raises IntegrityError when one names an entry that the bundle lacks."""
    try:
        lines = [
            {
                "entry": stems[item.origin, item.index],
                "pointer": item.pointer,
                "salt": b64(item.salt),
                "value": item.value,
            }
            for item in disclosures
        ]
    except KeyError as error:
        raise IntegrityError("a disclosure is about an entry that the bundle does not hold") from error
    return canonical.dumps(sorted(lines, key=lambda line: (line["entry"], line["pointer"])))


def read_disclosures(data: bytes, entries: Mapping[str, ReadEntry]) -> list[Disclosure]:
    """Read and verify `disclosures.json` against the commitments of the entries (by stem). Raises Refused."""
    try:
        lines = _LIST.validate_json(data, strict=True)
        canonical.check([line.value for line in lines])
        written = canonical.dumps([line.model_dump() for line in lines])
        salts = [unb64(line.salt) for line in lines]
    except (ValidationError, IntegrityError, TypeError) as error:
        raise Refused("DISCLOSURES-MALFORMED", DISCLOSURES) from error
    places = [(line.entry, line.pointer) for line in lines]
    if written != data or places != sorted(set(places)):
        raise Refused("DISCLOSURES-MALFORMED", DISCLOSURES)
    committed = {stem: entry.facts.committed() for stem, entry in entries.items()}
    return [
        _verified(line, salt, entries.get(line.entry), committed.get(line.entry, {}).get(line.pointer))
        for line, salt in zip(lines, salts, strict=True)
    ]


def _verified(line: _Written, salt: bytes, entry: ReadEntry | None, commitment: str | None) -> Disclosure:
    if entry is None or commitment is None:
        raise Refused("DISCLOSURE-WRONG", DISCLOSURES)
    try:
        verify_commitment(commitment, salt, line.pointer, line.value)
    except IntegrityError as error:
        raise Refused("DISCLOSURE-WRONG", DISCLOSURES) from error
    return Disclosure(entry.origin, entry.index, line.pointer, salt, line.value)
