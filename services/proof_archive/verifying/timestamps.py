"""The timestamps of a bundle: each of the right bytes, of trees that the bundle's grew from, believed or not and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.proof_archive.timestamps.judge import Judged, Wrong, judge
from services.proof_archive.timestamps.statement import (
    FOLDER,
    MOST,
    SUFFIXES,
    Statement,
    covered,
    read_growths,
    to_prove,
)
from services.proof_archive.verifying.codes import Refused
from shared import canonical
from shared.crypto.checkpoint import Checkpoint
from shared.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp of the bundle: the SHA-256 of what it is of, what is made of it, and how many entries of each log it covers."""

    sha256: str
    judged: Judged
    covered: Mapping[str, int]

    def covers(self, origin: str, index: int) -> bool:
        """Whether it is also one of this entry."""
        return index < self.covered.get(origin, 0)


def read_stamps(
    deployment: str,
    members: Mapping[str, bytes],
    checkpoints: Mapping[str, Checkpoint],
    authorities: Mapping[str, str],
) -> list[Stamp]:
    """Every timestamp of a bundle, by name. Raises Refused on one that is malformed or wrong."""
    stems = [name.removesuffix(".tsr") for name in members if name.startswith(FOLDER) and name.endswith(".tsr")]
    if len(stems) > MOST:
        raise Refused("TIMESTAMP-MALFORMED")
    trees = {origin: (checkpoint.size, checkpoint.root) for origin, checkpoint in checkpoints.items()}
    return [_stamp(stem, deployment, members, trees, authorities) for stem in stems]


def earliest(stamps: list[Stamp], origin: str, index: int) -> str | None:
    """The earliest time at which an entry is known to have been in its log."""
    times = [stamp.judged.at for stamp in stamps if stamp.judged.at is not None and stamp.covers(origin, index)]
    return min(times, default=None)


def _stamp(
    stem: str,
    deployment: str,
    members: Mapping[str, bytes],
    trees: Mapping[str, tuple[int, bytes]],
    authorities: Mapping[str, str],
) -> Stamp:
    growths_data, stated, token = (members[stem + suffix] for suffix in SUFFIXES)
    try:
        statement, growths = Statement.parse(stated), read_growths(growths_data)
    except IntegrityError as error:
        raise Refused("TIMESTAMP-MALFORMED", stem) from error
    sha256 = canonical.sha256_hex(stated)
    if (
        stem != FOLDER + sha256
        or statement.deployment != deployment
        or growths.keys() != to_prove(statement, trees).keys()
    ):
        raise Refused("TIMESTAMP-MALFORMED", stem)
    try:
        found = covered(statement, growths, trees)
    except IntegrityError as error:
        raise Refused("TIMESTAMP-WRONG", stem) from error
    try:
        judged = judge(token, stated, authorities)
    except Wrong as error:
        raise Refused("TIMESTAMP-WRONG", stem) from error
    except IntegrityError as error:
        raise Refused("TIMESTAMP-MALFORMED", stem) from error
    return Stamp(sha256, judged, found)
