"""Dead letters: the exact bytes and headers of a record nobody can use, where it stood, and why (promise P1).

`dead` holds clear data: seven days, operator only. Header names starting with `opposable-` are ours.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from shared.kafka.publisher import Outgoing
from shared.kafka.record import Record
from shared.topics import DEAD

PREFIX = "opposable-"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record to put aside. `code` is stable, `message` a sentence without personal data."""

    record: Record
    code: str
    message: str
    attempts: int = 1


def to_outgoing(letter: DeadLetter) -> Outgoing:
    """The record for `dead`: no key (it may be anything), original headers first, ours after."""
    record = letter.record
    ours: list[tuple[str, bytes | None]] = [
        ("opposable-error-code", letter.code.encode()),
        ("opposable-error", letter.message.encode()),
        ("opposable-topic", record.topic.encode()),
        ("opposable-partition", str(record.partition).encode()),
        ("opposable-offset", str(record.offset).encode()),
        ("opposable-attempts", str(letter.attempts).encode()),
    ]
    if record.key is not None:
        ours.append(("opposable-key", base64.b64encode(record.key)))
    return Outgoing(DEAD.name, None, record.value, (*original_headers(record.headers), *ours))


def original_headers(headers: Sequence[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes | None], ...]:
    """What the sender wrote, without names reserved to us (a sender must not forge where a record stood)."""
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX))
