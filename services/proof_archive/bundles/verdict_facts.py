"""What a bundle reads of a verdict: held whole by the entry (version 1), or committed to line by line and disclosed (version 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from services.proof_archive.bundles.fact_types import Commitment, Facts, Instant, Word
from shared.verdicts import pointer_of


class RegistryReference(BaseModel):
    """A registry version that a verdict relied on, with its place in the log and the time it was archived."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    key: Word
    offset: int
    archived_at: Instant


class Line(BaseModel):
    """One line of a verdict."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    recipient: Word | None
    channel: Word
    purpose: Word
    verdict: Word
    basis: Word | None = None
    valid_until: Word | None = None
    reasons: list[Word] = []


class Assessed(Facts):
    """`consent.assessed`: under which rules, when."""

    record: Word
    ruleset: Word
    ruleset_seq: int
    registry_offset: int
    evaluated_at: Instant


class Verdict(Assessed):
    """What the rules found, and the versions they relied on: all of it (version 1), or what a bundle discloses of it."""

    references: list[RegistryReference]
    lines: list[Line]

    @property
    def hidden(self) -> int:
        """How many lines of the verdict are not shown."""
        return 0


class OwnLine(Line):
    """A line that is committed to apart, with the registry versions that it alone relied on."""

    references: list[RegistryReference] = []


_OWN_LINES = TypeAdapter(list[OwnLine])


class CommittedVerdict(Assessed):
    """A verdict that commits to its lines, each apart (version 2)."""

    references: list[RegistryReference]
    line_commitments: list[Commitment]

    def committed(self) -> Mapping[str, str]:
        """By pointer: `/lines/<n>`."""
        return {pointer_of(index): item for index, item in enumerate(self.line_commitments)}

    def opened(self, values: Mapping[str, Any]) -> OpenedVerdict:
        """The verdict with the lines disclosed, by pointer (of `committed`). Raises pydantic.ValidationError on their form."""
        placed = [values[pointer] for pointer in self.committed() if pointer in values]
        lines = _OWN_LINES.validate_python(placed, strict=True)
        common = {name: getattr(self, name) for name in Assessed.model_fields}
        relied = [*self.references, *(reference for line in lines for reference in line.references)]
        hidden = len(self.line_commitments) - len(lines)
        return OpenedVerdict.model_validate({**common, "references": relied, "lines": lines, "hidden_lines": hidden})


class OpenedVerdict(Verdict):
    """A verdict of version 2 as far as a bundle shows it. Never read from an entry: made from what it discloses."""

    hidden_lines: int

    @property
    def hidden(self) -> int:
        """How many lines it commits to beside those shown."""
        return self.hidden_lines
