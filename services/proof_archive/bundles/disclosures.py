"""Personal values that a bundle discloses: pointer, salt of that one field, value (docs/decisions/0004).

A disclosure says: this value, at this place of the sealed document, is the one committed to in the log. The salt is that
of the field alone, so that nothing else of the record can be guessed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError

from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.manifest import DISCLOSURES, Name, Strict
from services.proof_archive.verifying.codes import Refused
from shared import canonical
from shared.crypto.encoding import b64, unb64
from shared.crypto.sealing import RecordKey, resolve, salt_of, verify_commitment
from shared.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One field of one entry, with the 32-byte salt of that field. The value is personal: never log it."""

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
    return [_verified(line, salt, entries) for line, salt in zip(lines, salts, strict=True)]


def _verified(line: _Written, salt: bytes, entries: Mapping[str, ReadEntry]) -> Disclosure:
    entry = entries.get(line.entry)
    commitment = entry.facts.commitments.get(line.pointer) if entry else None
    if entry is None or commitment is None:
        raise Refused("DISCLOSURE-WRONG", DISCLOSURES)
    try:
        verify_commitment(commitment, salt, line.pointer, line.value)
    except IntegrityError as error:
        raise Refused("DISCLOSURE-WRONG", DISCLOSURES) from error
    return Disclosure(entry.origin, entry.index, line.pointer, salt, line.value)
