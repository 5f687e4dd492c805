"""What a timestamp is of: one canonical JSON of every log's checkpoint, `{v, deployment, checkpoints: [{origin, size, root}]}`.

In a bundle, three members named after its SHA-256: `timestamps/<sha256>.json` (these bytes), `.tsr` (the answer of the
authority over them), `.consistency` (per log that has grown since: the proof that the tree stated is a beginning of the
bundle's). An entry is covered where its log was stated at a size beyond its index and that beginning is proven. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from services.proof_archive.bundles.manifest import Name, Strict
from shared import canonical
from shared.crypto.encoding import b64, unb64
from shared.crypto.merkle import verify_consistency
from shared.errors import IntegrityError

FOLDER = "timestamps/"
SUFFIXES = (".consistency", ".json", ".tsr")
"""Members of one timestamp, in the order in which they stand."""

MOST = 16
"""Most timestamps of one bundle."""

_HASH_SIZE = 32
Size = Annotated[int, Field(ge=1, le=canonical.MAX_SAFE_INTEGER)]
Hash64 = Annotated[str, StringConstraints(max_length=64)]


class Stated(Strict):
    """A log's tree: its size, at least 1, and its root in base64."""

    origin: Name
    size: Size
    root: Hash64


class Statement(Strict):
    """Every log's checkpoint at one moment, by origin."""

    v: Literal[1] = 1
    deployment: Name
    checkpoints: list[Stated]

    @classmethod
    def of(cls, deployment: str, trees: Mapping[str, tuple[int, bytes]]) -> Self:
        """The statement of these trees: `(size, root)` by origin; empty ones say nothing."""
        rows = [
            Stated(origin=origin, size=size, root=b64(root)) for origin, (size, root) in sorted(trees.items()) if size
        ]
        return cls(deployment=deployment, checkpoints=rows)

    def marshal(self) -> bytes:
        """Its bytes: what is hashed and timestamped."""
        return canonical.dumps(self.model_dump(mode="json"))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a statement. Raises IntegrityError unless `marshal` would write these very bytes, logs in order."""
        try:
            statement = cls.model_validate_json(data)
        except ValidationError as error:
            raise IntegrityError("not a statement of checkpoints") from error
        origins = [item.origin for item in statement.checkpoints]
        roots = [unb64(item.root) for item in statement.checkpoints]
        if (
            statement.marshal() != data
            or origins != sorted(set(origins))
            or any(len(root) != _HASH_SIZE for root in roots)
        ):
            raise IntegrityError("not a statement of checkpoints")
        return statement


class Growth(Strict):
    """The proof (RFC 9162 §2.1.4, hashes in base64) that a log's tree stated is a beginning of the bundle's."""

    origin: Name
    proof: list[Hash64]


_GROWTHS = TypeAdapter(list[Growth])


def write_growths(proofs: Mapping[str, Sequence[bytes]]) -> bytes:
    """Bytes of a `.consistency` member."""
    return canonical.dumps(
        [{"origin": origin, "proof": [b64(node) for node in proof]} for origin, proof in sorted(proofs.items())]
    )


def read_growths(data: bytes) -> dict[str, list[bytes]]:
    """Read a `.consistency` member. Raises IntegrityError unless `write_growths` would write these very bytes."""
    try:
        rows = _GROWTHS.validate_json(data, strict=True)
    except ValidationError as error:
        raise IntegrityError("not proofs of consistency") from error
    proofs = {row.origin: [unb64(node) for node in row.proof] for row in rows}
    if any(len(node) != _HASH_SIZE for proof in proofs.values() for node in proof) or write_growths(proofs) != data:
        raise IntegrityError("not proofs of consistency")
    return proofs


def to_prove(statement: Statement, trees: Mapping[str, tuple[int, bytes]]) -> dict[str, int]:
    """The logs whose growth must be proven, with the size stated: those of `trees` that were smaller then."""
    stated = {item.origin: item.size for item in statement.checkpoints}
    return {origin: stated[origin] for origin, (size, _) in trees.items() if 1 <= stated.get(origin, 0) < size}


def covered(
    statement: Statement, growths: Mapping[str, Sequence[bytes]], trees: Mapping[str, tuple[int, bytes]]
) -> dict[str, int]:
    """Per log of a bundle, how many entries the statement covers. `trees`: `(size, root)` of the bundle's checkpoints.

    Raises IntegrityError where a tree stated is not a beginning of the bundle's. One that is larger covers nothing here.
    """
    found = {}
    for item in statement.checkpoints:
        size, root = trees.get(item.origin, (0, b""))
        if item.size <= size:
            verify_consistency(item.size, size, growths.get(item.origin, ()), unb64(item.root), root)
            found[item.origin] = item.size
    return found
