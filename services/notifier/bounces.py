"""Reads a bounce: our JSON, or a delivery status report as mail servers write them (RFC 3464, RFC 6522). Pure.

Of a report only two things are kept: which of our messages it is about, and the status code. It names the person: the rest is
dropped here.
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email.message import Message

import orjson

from shared.contracts.person_messages import MESSAGE_ID_PATTERN
from shared.errors import InputError, Problem

MAX_BYTES = 262_144
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ID = re.compile(MESSAGE_ID_PATTERN)


@dataclass(frozen=True, slots=True)
class Bounce:
    """Which message came back, and the enhanced status code (RFC 3463)."""

    message: str
    status: str

    @property
    def permanent(self) -> bool:
        """Class 5: it will not be delivered. Class 4 is a delay, class 2 a success."""
        return self.status.startswith("5")


def read_bounce(body: bytes, content_type: str, deployment: str) -> Bounce:
    """The bounce of a request's body. Raises InputError (`BOUNCE`)."""
    named, status = _json(body) if "json" in content_type else _report(body)
    found = _STATUS.search(status or "")
    message = (named or "").strip().removeprefix("<").removesuffix(">").removesuffix(f"@{deployment}")
    if found is None or not _ID.match(message):
        raise InputError(
            [Problem("BOUNCE", "", "give the Message-ID we sent and a status such as 5.1.1, or the report itself")]
        )
    return Bounce(message, found[0])


def _json(body: bytes) -> tuple[str | None, str | None]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, None
    if not isinstance(data, dict):
        return None, None
    named, status = data.get("message_id"), data.get("status")
    return (named if isinstance(named, str) else None), (status if isinstance(status, str) else None)


def _report(body: bytes) -> tuple[str | None, str | None]:
    """The original Message-ID and the first recipient's status of a `multipart/report`."""
    named = status = None
    for part in email.message_from_bytes(body).walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            blocks = part.get_payload()
            fields = (
                [block.get("Status") for block in blocks if isinstance(block, Message)]
                if isinstance(blocks, list)
                else []
            )
            status = status or next((field for field in fields if field), None)
        elif kind == "text/rfc822-headers":
            named = named or email.message_from_string(str(part.get_payload())).get("Message-ID")
        elif kind == "message/rfc822":
            original = part.get_payload()
            if isinstance(original, list) and isinstance(original[0], Message):
                named = named or original[0].get("Message-ID")
    return named, status
