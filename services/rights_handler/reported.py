"""What parties report that the permission check reads: information given, attempts, data passed on. Pure values.

Instants are texts, as in `domain`; none lies after the receipt of its report, so that no party's clock hides an attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.rights_handler.domain import Instant

CALLS = frozenset({"call", "automated_call"})
"""Channels whose attempts count as calls (C. conso. D.223-9)."""
NOT_REACHED = frozenset({
    "busy", "bounced", "failed", "no_answer", "not_delivered", "not_reached", "unanswered", "undelivered", "unreachable",
    "voicemail_full", "wrong_number",
})  # fmt: skip
"""Outcomes after which nothing was communicated to the person: no contact under RGPD 14(3)(b). Other words mean contact."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`source` gave the person of `record` the information of RGPD 14."""

    record: str
    source: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Disclosure:
    """`source` reported that `to` received the data of `record`."""

    record: str
    source: str
    to: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Attempt:
    """`source` tried to reach a person, known by a record or by contacts (their index keys)."""

    source: str
    channel: str
    at: Instant
    record: str | None
    contact_keys: frozenset[str]
    outcome: str

    @property
    def keys(self) -> frozenset[str]:
        """Everything it names its person by."""
        return self.contact_keys if self.record is None else self.contact_keys | {self.record}

    @property
    def reached(self) -> bool:
        """Whether something was communicated, as far as its outcome tells."""
        return self.outcome not in NOT_REACHED


@dataclass(frozen=True, slots=True)
class Reported:
    """The reports about some records and contacts."""

    notices: Sequence[Notice] = field(default=())
    disclosures: Sequence[Disclosure] = field(default=())
    attempts: Sequence[Attempt] = field(default=())
