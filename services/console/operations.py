"""What is written of an operation, and what the log keeps of it for ever. Pure.

The log's fact holds no personal data and no pseudonym: the account by its random id, the thing by its id where that is public
inside (a record, a stop, a letter, a party); a contact only as a commitment (HMAC under a salt that the database alone keeps), since a
contact key could be found again by whoever came to hold the pepper.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.crypto.encoding import b64url
from shared.instants import format_instant
from shared.kafka.publisher import Outgoing
from shared.topics import OPERATIONS

KIND, SOURCE = "operation.recorded", "opposable/console"
SALT_BYTES = 32
_ACTION = re.compile(r"[a-z][a-z_]*(\.[a-z_]+)+")
_OBJECT = re.compile(r"[A-Za-z0-9._:/-]{1,200}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing done. `object`: a public id, or a contact key where `keyed`. `reason`: what the operator wrote, checked."""

    id: str
    at: datetime
    account: str
    role: str
    action: str
    what: str
    """Kind of the object: `record`, `stop`, `contact`, `letter`, `account`, …; empty where there is none."""
    object: str
    keyed: bool
    reason: str
    salt: bytes

    def __post_init__(self) -> None:
        if _ACTION.fullmatch(self.action) is None:
            raise ValueError("an action is named like `record.viewed`")
        if self.object and _OBJECT.fullmatch(self.object) is None:
            raise ValueError("an object is named by an id")

    @property
    def commitment(self) -> str | None:
        """What the log keeps of a keyed object."""
        if not self.keyed:
            return None
        return b64url(hmac.digest(self.salt, f"{self.what}\0{self.object}".encode(), "sha256"))


def facts_of(operation: Operation) -> dict[str, object]:
    """The log's fact. The object stands under a name of its own: it must not make the operation a part of a record's proof."""
    shown: dict[str, object] = {}
    if operation.object:
        shown = {"commitment": operation.commitment} if operation.keyed else {"object": operation.object}
        shown["what"] = operation.what
    return {
        "kind": KIND, "v": 1, "operation": operation.id, "at": format_instant(operation.at), "account": operation.account,
        "role": operation.role, "action": operation.action, **shown,
        **({"reason": operation.reason} if operation.reason else {}),
    }  # fmt: skip


def outgoing(operation: Operation) -> Outgoing:
    """The record for `operations`."""
    headers = to_headers(Envelope(id=operation.id, source=SOURCE, type=f"opposable.{KIND}.v1", time=None))
    return Outgoing(
        OPERATIONS.name, operation.account.encode(), canonical.dumps({"facts": facts_of(operation)}), tuple(headers)
    )
