"""The manifest of a bundle: what it is about, what it holds, what else is known, and the text that signs it.

`manifest.json` is canonical JSON; `manifest.note` is a signed note by `<deployment>/bundle` over its hash, so that the
platform answers for the list of everything known of the record at the sizes stated.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.proof_archive.verifying.codes import Refused
from shared import canonical

MANIFEST = "manifest.json"
NOTE = "manifest.note"
README = "LISEZMOI.txt"
DISCLOSURES = "disclosures.json"
TIMELINE = "timeline.json"
FIXED = (README, DISCLOSURES, TIMELINE)
"""Members that stand first after the manifest and its note, in this order."""
ATTESTATION = "attestation.pdf"
"""A retelling for a reader of paper; it may follow the fixed members. Only its bytes are proven: the signer's word."""

VERSION: Literal[1] = 1

Count = Annotated[int, Field(ge=0, le=canonical.MAX_SAFE_INTEGER)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[\x21-\x7e]+$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Scope = Literal["collector", "prospector", "operator", "auditor", "person"]


class Strict(BaseModel):
    """No coercion, no unknown field: one meaning per text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Audience(Strict):
    """For whom a bundle was made: what it discloses and withholds depends on it."""

    scope: Scope
    party: Name | None = None


class CheckpointSize(Strict):
    """A log and the size at which it was consulted."""

    origin: Name
    size: Count


class Reference(Strict):
    """An entry known to concern the record, whether the bundle holds it or withholds it."""

    origin: Name
    index: Count
    topic: Name
    kind: Name


class Member(Strict):
    """A file of the bundle."""

    name: Name
    sha256: Hash
    bytes: Count


class Held(Strict):
    """A file that the entries name and the archive keeps, but that is not joined: `GET /v1/evidence/<sha256>` gives it."""

    sha256: Hash
    bytes: Count


class Manifest(Strict):
    """The whole manifest. Lists are sorted: checkpoints and references by log, held files by hash, members as in the ZIP."""

    v: Literal[1] = VERSION
    deployment: Name
    record: Name
    requested_for: Audience
    erased: bool
    checkpoints: list[CheckpointSize]
    references: list[Reference]
    held: list[Held]
    members: list[Member]

    def marshal(self) -> bytes:
        """Bytes of `manifest.json`."""
        return canonical.dumps(self.model_dump(mode="json"))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a manifest. Raises Refused unless `marshal` would write these very bytes, lists in order."""
        try:
            manifest = cls.model_validate_json(data)
        except ValidationError as error:
            raise Refused("MANIFEST-MALFORMED", MANIFEST) from error
        origins = [item.origin for item in manifest.checkpoints]
        places = [(item.origin, item.index) for item in manifest.references]
        held = [item.sha256 for item in manifest.held]
        sizes = manifest.sizes()
        if (
            manifest.marshal() != data
            or origins != sorted(set(origins))
            or places != sorted(set(places))
            or held != sorted(set(held))
            or any(item.index >= sizes.get(item.origin, 0) for item in manifest.references)
        ):
            raise Refused("MANIFEST-MALFORMED", MANIFEST)
        return manifest

    def sizes(self) -> dict[str, int]:
        """Size stated for each log."""
        return {item.origin: item.size for item in self.checkpoints}

    def note_text(self) -> str:
        """The text that the bundle key signs."""
        return f"opposable-bundle\n{self.record}\n{canonical.sha256_hex(self.marshal())}\n"


def member_of(name: str, data: bytes) -> Member:
    """The manifest's line for a file."""
    return Member(name=name, sha256=canonical.sha256_hex(data), bytes=len(data))
