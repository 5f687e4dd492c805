"""Opening what is restricted to legal claims: the reason asked for, and the entry that archives it before anything is shown.

RGPD 17(3)(e) and 18(2): for the establishment, exercise or defence of legal claims. The entry stands in a log for ever, so the
reason names a file, never a person: what looks like a contact is refused. Pure.
"""

from __future__ import annotations

from hashlib import sha256

import orjson

from services.proof_archive.entitlement import CLAIMED
from shared import canonical
from shared.contracts.envelope import Envelope, to_headers
from shared.errors import InputError, Problem
from shared.kafka.publisher import Outgoing
from shared.reasons import checked
from shared.topics import ERASURES

CLAIM_MOST = 4096
"""Bytes of the question."""
SOURCE = "opposable/proof_archive"


def reason_of(body: bytes) -> str:
    """The reason of a question `{"claim": "…"}`. Raises InputError where it is missing, or could name a person."""
    try:
        reason = orjson.loads(body)["claim"].strip()
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise InputError(
            [Problem("CLAIM-MISSING", "/claim", "say for which claim: a file number or a reason")]
        ) from None
    return checked(reason, "/claim", "CLAIM")


def opened(record: str, reason: str, at: str) -> Outgoing:
    """The entry that says that the operator opened the proof of a record, when, and for which claim."""
    facts = {"kind": CLAIMED, "v": 1, "record": record, "claim": reason, "by": "operator", "at": at}
    identity = sha256(f"{record}\0{at}\0{reason}".encode()).hexdigest()[:40]
    headers = to_headers(Envelope(id=identity, source=SOURCE, type=f"opposable.{CLAIMED}.v1", time=None))
    return Outgoing(ERASURES.name, record.encode(), canonical.dumps({"facts": facts}), tuple(headers))
