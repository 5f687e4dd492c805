"""What a verification says: everything a reader needs to judge, or why the bundle is refused. Plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from services.proof_archive.bundles.state import State
from shared.errors import Problem

INCLUDED = "included"
INCLUDED_ERASED = "included, personal data erased"

NOT_INDEPENDENT_FR = "preuve non indépendante"
NOT_INDEPENDENT_EN = "not an independent proof"


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry proven to be in its log. `name` is the stem of its members, `at` when it was archived by the broker's clock.

    `timestamped`: the earliest time at which an authority that the trust file names is proven to have covered it.
    """

    name: str
    origin: str
    index: int
    topic: str
    kind: str
    at: str
    status: str
    timestamped: str | None


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log at the size consulted. `proven`: its checkpoint is in the bundle; else its size is the signer's word."""

    origin: str
    size: int
    proven: bool
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A personal value shown to be the one received. `entry` is the stem of the entry's members."""

    entry: str
    pointer: str
    value: Any


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that the entries name by hash: joined, or kept by the archive (`held`: its size), or owed by a party."""

    sha256: str
    what: str
    owed_by: str
    joined: bool
    held: int | None


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A timestamp of the bundle, by the SHA-256 of what it is of; `covers` that many entries of the bundle.

    Verified: `at` a time, by `authority` (its name in the trust file). Else `reason`: `authority` or `algorithm`.
    """

    sha256: str
    verified: bool
    authority: str | None
    at: str | None
    reason: str | None
    covers: int


@dataclass(frozen=True, slots=True)
class Witnessing:
    """Witnesses of the trust file: `seen_by` at least that many of `known` cosigned every checkpoint of the bundle."""

    seen_by: int
    known: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle that holds proves."""

    deployment: str
    record: str
    requested_for: str
    party: str | None
    entries: tuple[VerifiedEntry, ...]
    withheld: tuple[tuple[str, int, str], ...]
    """(origin, index, kind) of the entries that are known but not in this bundle."""
    logs: tuple[KnownLog, ...]
    witnessed: Witnessing
    timestamps: tuple[Timestamp, ...]
    independent: bool
    """Whether the trust file wants witnesses (then each checkpoint has them), or verified timestamps cover every entry."""
    erased: bool
    disclosed: tuple[Disclosed, ...]
    evidence: tuple[EvidenceFile, ...]
    attested: bool
    """Whether an attestation is joined: the word of the manifest's signer, as it signed it."""
    state: State
    timeline: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer. `contents` exists only when the bundle holds (`valid`); `problems` only when it does not."""

    problems: tuple[Problem, ...] = ()
    contents: Contents | None = None

    @property
    def valid(self) -> bool:
        """Whether the bundle is accepted under the trust file."""
        return self.contents is not None

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        contents = asdict(self.contents) if self.contents else None
        return {"valid": self.valid, "problems": [problem.as_dict() for problem in self.problems], "contents": contents}
