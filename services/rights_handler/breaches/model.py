"""A breach of personal data and its life, as pure transitions. Law: RGPD 4(12), 33, 34.

The register holds words of the operator about facts, effects and measures: about systems, never about persons (what looks like a
contact is refused). The log holds codes, instants, counts and the hash of these words.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from services.rights_handler.breaches.codes import Data, Ending, Exemption, Nature, Origin, Risk
from services.rights_handler.domain import Instant
from shared import canonical
from shared.errors import InputError, Problem
from shared.instants import format_instant, parse_instant
from shared.problems import Refusal

NOTIFY_WITHIN = timedelta(hours=72)
"""RGPD 33(1): without undue delay and, where feasible, within 72 hours after having become aware of it."""
REMIND_AFTER = tuple(timedelta(hours=hours) for hours in (24, 48, 60, 72))
REPEAT = timedelta(days=1)
NOT_NEEDED = {"waived": True, "notified_at": None, "reference": None, "late": False, "late_because": None}
_CONTACT = re.compile(r"@|(\+|\b0)[\d\s.()-]{8,}|\d{9,}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records are affected: named ones, or those received in a time range by collectors, held by recipients."""

    records: tuple[str, ...] = ()
    collectors: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    received_from: Instant | None = None
    received_until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach. `rev` counts changes: whoever saves from an older one looks again."""

    id: str
    noticed_at: Instant
    opened_at: Instant
    author: str
    natures: tuple[Nature, ...]
    data: tuple[Data, ...]
    origin: Origin
    risk: Risk
    what: str
    effects: str = ""
    measures: str = ""
    began_at: Instant | None = None
    ended_at: Instant | None = None
    scope: Scope | None = None
    counted_at: Instant | None = None
    records: int | None = None
    persons: int | None = None
    """At most: a person with several contacts that no record joins counts for each."""
    by_party: dict[str, dict[str, int]] = field(default_factory=dict)
    authority: dict[str, Any] | None = None
    told: dict[str, Any] | None = None
    """Of the persons: told when, or why not."""
    notices: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By party: when it was told, and when it said so."""
    closed_at: Instant | None = None
    ending: Ending | None = None
    next_at: Instant | None = None
    history: tuple[dict[str, Any], ...] = ()
    rev: int = 0

    @property
    def due_at(self) -> Instant:
        """When the 72 hours end."""
        return format_instant(parse_instant(self.noticed_at) + NOTIFY_WITHIN)

    @property
    def words_sha256(self) -> str:
        """What the log holds of the words."""
        return canonical.sha256_hex(canonical.dumps([self.what, self.effects, self.measures]))

    def changed(self, now: Instant, act: str, **values: Any) -> Breach:
        """The breach after an act."""
        entry = {"at": now, "what": act}
        return replace(self, history=(*self.history, entry), rev=self.rev + 1, **values)


def checked(**words: str | None) -> None:
    """Raises InputError where words of the register could name a person."""
    found = [
        Problem("BREACH-PERSONAL", f"/{name}", "the register names systems and files, never a contact of a person")
        for name, text in words.items()
        if text and _CONTACT.search(text)
    ]
    if found:
        raise InputError(found)


def next_look(breach: Breach, now: Instant) -> Instant | None:
    """When its author is reminded next: at the marks of the 72 hours, then daily; None once the authority's part is settled."""
    if breach.closed_at is not None or breach.authority is not None:
        return None
    noticed = parse_instant(breach.noticed_at)
    marks = (format_instant(noticed + delay) for delay in REMIND_AFTER)
    return next((mark for mark in marks if mark > now), format_instant(parse_instant(now) + REPEAT))


def notified(breach: Breach, at: Instant, reference: str | None, late_because: str | None, now: Instant) -> Breach:
    """The authority was notified. Raises Refusal 422 where it was late and no reason is given (33(1))."""
    live(breach)
    late = at > breach.due_at
    if at < breach.noticed_at or at > now:
        raise Refusal(422, "BREACH-INSTANT", "The notification lies before the breach was noticed, or in the future")
    if late and not late_because:
        raise Refusal(
            422, "BREACH-LATE", "After 72 hours the notification gives the reasons for the delay (RGPD 33(1))"
        )
    authority = {
        "waived": False,
        "notified_at": at,
        "reference": reference,
        "late": late,
        "late_because": late_because if late else None,
    }
    return breach.changed(now, "authority_notified", authority=authority, next_at=None)


def waived(breach: Breach, now: Instant) -> Breach:
    """No notification: a risk is unlikely (33(1)). Raises Refusal 409 where the breach says otherwise."""
    live(breach)
    if breach.risk is not Risk.UNLIKELY:
        raise Refusal(
            409, "BREACH-RISK", "Only a breach that is unlikely to result in a risk is not notified (RGPD 33(1))"
        )
    return breach.changed(now, "authority_not_needed", authority=NOT_NEEDED, next_at=None)


def persons_settled(breach: Breach, informed_at: Instant | None, exempt: Exemption | None, now: Instant) -> Breach:
    """The persons were told, or need not be. Raises Refusal where neither or both are given, or the risk is high without a reason."""
    live(breach)
    if (informed_at is None) == (exempt is None):
        raise Refusal(422, "BREACH-PERSONS", "Say when the persons were told, or why they need not be: one of the two")
    if exempt is Exemption.NOT_HIGH and breach.risk is Risk.HIGH:
        raise Refusal(409, "BREACH-RISK", "The risk is high: persons are told, unless RGPD 34(3) says otherwise")
    told = {"informed_at": informed_at, "exempt": None if exempt is None else exempt.value}
    return breach.changed(now, "persons_informed" if informed_at else "persons_exempt", told=told)


def closed(breach: Breach, ending: Ending, now: Instant) -> Breach:
    """It is over. Raises Refusal 409 while something of articles 33 and 34 is not settled."""
    live(breach)
    missing = []
    if ending is not Ending.NO_BREACH:
        missing += ["authority"] if breach.authority is None else []
        missing += ["persons"] if breach.told is None else []
        missing += [f"party {name}" for name, one in breach.notices.items() if not one.get("acknowledged_at")]
    if missing:
        raise Refusal(409, "BREACH-OPEN", f"Not settled yet: {', '.join(missing)}")
    return breach.changed(now, "closed", closed_at=now, ending=ending, next_at=None)


def live(breach: Breach) -> None:
    """Raises Refusal 409 where the breach is closed."""
    if breach.closed_at is not None:
        raise Refusal(409, "BREACH-CLOSED", "This breach is closed: the register does not change any more")


def row_of(breach: Breach) -> dict[str, Any]:
    """A row of `breaches`."""
    row = asdict(breach)
    row["_id"] = row.pop("id")
    row["history"] = list(breach.history)
    return row


def breach_of(row: dict[str, Any]) -> Breach:
    """The breach of a row."""
    values = {name: value for name, value in row.items() if name != "_id"}
    scope = values["scope"]
    if scope is not None:
        values["scope"] = Scope(
            tuple(scope["records"]), tuple(scope["collectors"]), tuple(scope["recipients"]), scope["received_from"],
            scope["received_until"],
        )  # fmt: skip
    return Breach(**{
        **values, "id": row["_id"], "natures": tuple(map(Nature, row["natures"])), "data": tuple(map(Data, row["data"])),
        "origin": Origin(row["origin"]), "risk": Risk(row["risk"]), "history": tuple(row["history"]),
        "ending": None if row["ending"] is None else Ending(row["ending"]),
    })  # fmt: skip
