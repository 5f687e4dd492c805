"""What a collector submits for the registry itself: a signed document, the operator's decision, and where each stands.

The signature is a whole C2SP signed note by the party over `opposable-registry`, the document's key and the SHA-256 of its
canonical JSON, each on its line. Submissions and decisions are kept for ever on `registry.submissions`, in one order. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from shared import canonical
from shared.crypto.note import Verifier, open_note
from shared.errors import InputError, IntegrityError, Problem
from shared.instants import format_instant
from shared.registry.models import key_of

SUBMITTED, DECIDED = "registry.submitted", "registry.decided"
KINDS = frozenset({"form", "list", "notice"})
"""Kinds that a collector may submit; parties and agreements are the operator's alone."""

State = Literal["queued", "applied", "refused"]


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission as it stands. `reason`: why it is queued or refused. Its id derives from what was submitted."""

    id: str
    party: str
    document: Mapping[str, Any]
    signature: str
    submitted_at: datetime | None
    state: State = "queued"
    reason: str | None = None

    @property
    def key(self) -> str:
        """`kind:id:version`."""
        return key_of(self.document)

    def as_dict(self) -> dict[str, Any]:
        """As shown: without the document's body."""
        at = None if self.submitted_at is None else format_instant(self.submitted_at)
        return {
            "id": self.id,
            "key": self.key,
            "party": self.party,
            "state": self.state,
            "reason": self.reason,
            "submitted_at": at,
        }


def note_text(document: Mapping[str, Any]) -> str:
    """What the party signs."""
    return f"opposable-registry\n{key_of(document)}\n{canonical.sha256_hex(canonical.dumps(dict(document)))}\n"


def submission_id(party: str, document: Mapping[str, Any]) -> str:
    """The same document of the same party is the same submission: 16 hex digits of SHA-256."""
    return hashlib.sha256(f"{party}\0{note_text(document)}".encode()).hexdigest()[:16]


def check_signature(document: Mapping[str, Any], signature: str, vkeys: Sequence[str]) -> None:
    """Raise InputError unless one of the party's registered keys signed this very document."""
    try:
        note = open_note(signature.encode(), [Verifier.parse(vkey) for vkey in vkeys])
    except IntegrityError:
        note = None
    if note is None or note.text != note_text(document):
        message = "no good signature by a registered key of the party over this key and this document's hash"
        raise InputError([Problem("REGISTRY-SIGNATURE", "/signature", message)])


def submitted(submission: Submission) -> dict[str, Any]:
    """The record of a submission."""
    return {
        "kind": SUBMITTED,
        "v": 1,
        "id": submission.id,
        "party": submission.party,
        "document": dict(submission.document),
        "signature": submission.signature,
        "reason": submission.reason,
    }


def decided(submission: Submission, state: State, reason: str | None) -> dict[str, Any]:
    """The record of a decision."""
    return {
        "kind": DECIDED,
        "v": 1,
        "id": submission.id,
        "party": submission.party,
        "key": submission.key,
        "state": state,
        "reason": reason,
    }


def fold(records: Iterable[tuple[Mapping[str, Any], datetime | None]]) -> dict[str, Submission]:
    """Where each submission stands, by id, in the order of first submission. The first decision counts."""
    found: dict[str, Submission] = {}
    for record, at in records:
        known = found.get(record["id"])
        if record["kind"] == SUBMITTED and known is None:
            found[record["id"]] = Submission(
                record["id"], record["party"], record["document"], record["signature"], at, "queued", record["reason"]
            )
        elif record["kind"] == DECIDED and known is not None and known.state == "queued":
            found[record["id"]] = replace(known, state=record["state"], reason=record["reason"])
    return found
