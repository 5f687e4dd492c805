"""One request of a person (RGPD 12, 15 to 20), as it is kept. Its life: `domain`.

One month from its receipt, two more where the person is told why within the first (12(3)); identity asked only on reasonable
doubt (12(6)), and while the person has not answered that the month stands still. Never without a name (promise P7): an open
request has an owner, a cause, a due time and a next moment; once answered it stays until every recipient has applied it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.rights_handler.domain import Instant, Stop
from services.rights_handler.kinds import row_of

State = Literal["open", "identity", "answered", "refused", "closed"]
Outcome = Literal["upheld", "withdrawn", "lifted"]

CAUSES: Mapping[str, str] = {
    "open": "the person must be answered",
    "identity": "the person was asked to show who it is; the month stands still until then",
    "answered": "answered; recipients have still to apply it",
    "refused": "refused with reasons; recipients have still to be told",
    "closed": "",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """Something the person must be told: kept sealed on the request until it is ordered, so that a crash loses nothing."""

    template: str
    sealed: bytes
    sha256: str
    """Of its content before sealing: what the archive keeps of it."""
    at: Instant
    sent: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    """What may be archived in clear (outcome, reason code, new due time)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request and where it stands. `rev` counts changes: whoever saves from an older one loses and looks again."""

    id: str
    """`<source>/<request id>`."""
    source: str
    right: str
    asked_at: Instant
    received_at: Instant
    due_at: Instant
    verified: bool
    """Identity checked by whoever took the request in."""
    contact_keys: frozenset[str] = frozenset()
    """Names of its person in the index; not stored (see `store`)."""
    subject_key: str | None = None
    record: str | None = None
    sealed: bytes | None = None
    state: State = "open"
    acted: bool = False
    """The request stands among the stops: withheld where it withholds, ordered of everyone concerned."""
    extended: bool = False
    paused_at: Instant | None = None
    outcome: str | None = None
    reason: str | None = None
    """Code of the refusal's or extension's ground; its words are in the letter."""
    erased: tuple[str, ...] = ()
    letters: tuple[Letter, ...] = ()
    next_at: Instant | None = None
    reminders: int = 0
    overdue: bool = False
    closed_at: Instant | None = None
    rev: int = 0
    history: tuple[dict[str, Any], ...] = ()

    @property
    def owner(self) -> str:
        """Who must act: always the platform's operator, for the controllers named in the answer."""
        return "operator"

    @property
    def cause(self) -> str:
        """Why it is open, in a sentence."""
        return CAUSES[self.state]

    @property
    def live(self) -> bool:
        """Whether the person still waits for an answer."""
        return self.state in ("open", "identity")

    @property
    def as_stop(self) -> Stop:
        """The request as the protocol of stops carries it."""
        return Stop(
            id=row_of(self.id), source=self.source, kind=self.right, at=min(self.asked_at, self.received_at),
            contact_keys=self.contact_keys, subject_key=self.subject_key, record=self.record,
        )  # fmt: skip
