"""What the facts of every entry have in common: how words, instants and scopes are written, what an entry is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.proof_archive.bundles.manifest import Name
from shared.instants import format_instant, parse_instant

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_RFC3339 = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}:[0-5][0-9](\.[0-9]{{1,9}})?(Z|[+-]{_CLOCK})")
"""RFC 3339 §5.6, hours and minutes within their bounds: what a date library does beyond them changes with its version."""


def _instant(text: str) -> str:
    """The instant in the form whose order as text is the order of times."""
    if _RFC3339.fullmatch(text) is None:
        raise ValueError("not an RFC 3339 instant")
    try:
        instant = format_instant(parse_instant(text))
    except OverflowError as error:
        raise ValueError("not an instant of our calendar") from error
    if len(instant) != len("2026-01-01T00:00:00.000Z"):
        raise ValueError("not an instant of this era")
    return instant


Instant = Annotated[str, AfterValidator(_instant)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Version = Annotated[int, Field(ge=0)] | Word
Commitment = Annotated[str, StringConstraints(max_length=64)]
AnyOf = list[Word] | Word
"""A scope: `"all"` or a list."""


class Facts(BaseModel):
    """What any entry may say: what it is about, by name, and commitments to its personal fields by JSON pointer."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    kind: Name
    record: Word | None = None
    stop: Word | None = None
    order: Word | None = None
    request: Word | None = None
    commitments: dict[str, str] = {}

    def committed(self) -> Mapping[str, str]:
        """Every commitment that a disclosure may answer, by pointer."""
        return self.commitments
