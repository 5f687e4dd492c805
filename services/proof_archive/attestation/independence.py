"""Who besides the platform has seen what a bundle proves, under the trust file of this deployment. Pure.

The rule is the verifiers': a quorum of witnesses on every checkpoint, or believed timestamps that cover every entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.proof_archive.bundles.build import BundleInput
from services.proof_archive.verifying.timestamps import Stamp, earliest, read_stamps
from shared.crypto import note
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.policy import Policy


@dataclass(frozen=True, slots=True)
class Independence:
    """Witnesses of the trust file: how many are known, how many saw every checkpoint, whether they are its quorum.

    `stamped_by`: the authorities that timestamped; `stamped`: whether they cover every entry; `first_at`: since when the
    consent itself is covered, as an instant.
    """

    known: int = 0
    seen_by: int = 0
    witnessed: bool = False
    stamped_by: tuple[str, ...] = ()
    stamped: bool = False
    first_at: str | None = None

    @property
    def independent(self) -> bool:
        """Whether the proof rests on more than the platform's word."""
        return self.witnessed or self.stamped


def independence_of(request: BundleInput, policy: Policy | None, consent: tuple[str, int]) -> Independence:
    """Of a bundle's content; `consent`: (origin, index) of its consent. Raises Refused on a timestamp that no verifier takes."""
    if policy is None:
        return Independence()
    keys = {(key.name, key.key_id): name for name, key in policy.witnesses.items()}
    counts, quorum, trees = [], True, {}
    for origin in {entry.origin for entry in request.entries}:
        text, signatures = note.split(request.checkpoints[origin])
        trees[origin] = Checkpoint.parse(text)
        seen = {name for s in signatures if (name := keys.get((s.name, s.key_id)))}
        counts.append(len(seen))
        quorum = quorum and policy.satisfied(frozenset(seen))
    stamps = _stamps(request, trees, policy)
    times = [earliest(stamps, entry.origin, entry.index) for entry in request.entries]
    names = {stamp.judged.authority for stamp in stamps if stamp.judged.at is not None and stamp.judged.authority}
    return Independence(
        known=len(keys),
        seen_by=min(counts, default=0),
        witnessed=bool(keys) and policy.independent and quorum,
        stamped_by=tuple(sorted(names)),
        stamped=bool(times) and all(time is not None for time in times),
        first_at=earliest(stamps, *consent),
    )


def _stamps(request: BundleInput, trees: dict[str, Checkpoint], policy: Policy) -> list[Stamp]:
    members = {name: data for stamp in request.timestamps for name, data in stamp.members().items()}
    return read_stamps(request.deployment, members, trees, policy.authorities)
