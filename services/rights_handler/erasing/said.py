"""What is said of an erasure: the entries of `erasures` (archived), and `permission.ended` to the parties. From stored values only.

Kinds: `record.erased`, `record.restricted` (a record and the keys that go with it, `also`), `owner.shredded` (a key that is no
consent's: a stop, a report, a request), `hold.added|reviewed|released`. No personal data and no pseudonym: a hold on a contact
says only that it is one. Event ids derive from what caused them, so that saying twice says the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from services.rights_handler import messages
from services.rights_handler.domain import Decision, Grant, Instant
from services.rights_handler.erasing.holds import Hold, ScopeKind
from services.rights_handler.erasing.model import SOURCES, Erasure, Fate
from services.rights_handler.former import Name, name_of, vanished
from shared import canonical
from shared.errors import IntegrityError
from shared.kafka.publisher import Outgoing
from shared.topics import ERASURES

ERASED = "ERASED"
"""Reason of a permission that ends because the person's data is erased, or kept for legal claims only."""
RECORD_ERASED, RECORD_RESTRICTED, OWNER_SHREDDED = "record.erased", "record.restricted", "owner.shredded"
KEY_DESTROYED = "key.destroyed"


def is_owner(name: str) -> bool:
    """Whether a name in the vault is another's than a consent's: `stop/…`, `report/…`, `request/…` have one part more."""
    return name.count("/") >= 2  # noqa: PLR2004 - <kind>/<source>/<id>


def source_of(name: str) -> str:
    """The party that a name in the vault begins with: `acme/…`, `stop/acme/…`."""
    return name.split("/")[1 if is_owner(name) else 0]


def entry(erasure: Erasure) -> Outgoing:
    """The entry that settles a record. Raises IntegrityError where its fate is not settled."""
    fate = erasure.fate
    if fate is None:
        raise IntegrityError("an erasure is said before its fate is settled")
    kind = OWNER_SHREDDED if is_owner(erasure.record) else RECORD_ERASED
    facts: dict[str, Any] = {
        "v": 1,
        "record": erasure.record,
        "also": list(erasure.owners),
        "cause": erasure.cause.value,
        "source": SOURCES[erasure.cause],
        "requested_at": erasure.requested_at,
        "stop": erasure.stop,
    }
    if fate.outcome == "restrict":
        kind = RECORD_RESTRICTED
        facts |= {"until": fate.until, "because": list(fate.codes)}
    return _event(kind, erasure.record, facts, erasure.requested_at, fate.outcome)


def hold_entry(act: str, hold: Hold, at: Instant) -> Outgoing:
    """The entry of an act on a hold: `added`, `reviewed`, `released`."""
    facts: dict[str, Any] = {
        "v": 1, "hold": hold.id, "scope": hold.kind.value, "author": hold.author, "reason": hold.reason.value,
        "review_at": hold.review_at, "at": at,
    }  # fmt: skip
    if hold.kind is not ScopeKind.CONTACT:
        facts[hold.kind.value] = hold.scope.partition(":")[2]
    key = facts.get("record", hold.id)
    return _event(f"hold.{act}", str(key), facts, hold.id, at)


def ended(grant: Grant, once: Collection[Name], known: Collection[str]) -> list[Outgoing]:
    """`permission.ended` for every line that ever permitted something, to the registered party it permitted."""
    decisions: Sequence[Decision] = [
        Decision(line, granted=False, reasons=(*line.reasons, ERASED))
        for line in grant.lines
        if line.verdict == "valid" or name_of(line) in once
    ]
    gone = [Decision(d.line, granted=False, reasons=(*d.reasons, ERASED)) for d in vanished(grant, once)]
    return [
        messages.ended(grant, decision, f"{ERASED}|{name_of(decision.line)}")
        for decision in [*decisions, *gone]
        if decision.line.recipient in known
    ]


def recipients(grant: Grant) -> set[str]:
    """Every party that its lines name."""
    return {line.recipient for line in grant.lines if line.recipient is not None}


def parties_of(grant: Grant, transferred_to: Collection[str] = ()) -> tuple[str, ...]:
    """Its collector, the hands it passed through, everyone named and not refused, and who really received the data."""
    named = {line.recipient for line in grant.lines if line.recipient is not None and line.value != "refused"}
    return tuple(sorted({grant.collector, *grant.via, *named, *transferred_to}))


def fate_view(fate: Fate) -> dict[str, Any]:
    """The form of a fate in answers."""
    return {"outcome": fate.outcome, "until": fate.until, "because": list(fate.codes)}


def _event(kind: str, key: str, facts: dict[str, Any], *cause: str) -> Outgoing:
    headers = messages.headers_of(messages.event_id(kind, key, *cause), f"opposable.{kind}.v1")
    return Outgoing(ERASURES.name, key.encode(), canonical.dumps({"facts": {"kind": kind, **facts}}), headers)
