"""An erasure that does not end has a name: an obligation of the operator, with its cause (promise P7). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services.rights_handler.deliveries import OPERATOR
from services.rights_handler.domain import Instant
from services.rights_handler.erasing.model import UNFINISHED, Erasure
from services.rights_handler.ports import Obligation
from shared.instants import format_instant, parse_instant

STUCK = timedelta(minutes=10)
"""An erasure that is not done by then is an operator's matter; looked at again every so often."""


def stuck(rows: Sequence[Erasure], since: Instant) -> list[Erasure]:
    """Those that should be done by now: asked before that instant, and not said since."""
    late = [row for row in rows if row.state in UNFINISHED and row.requested_at <= since]
    return [row for row in late if row.published_at is None or row.published_at <= since]


def owed(row: Erasure, now: Instant) -> Obligation:
    """What the operator owes for one of them."""
    causes = {
        "objecting": "the stop that must come first has not reached everyone",
        "deciding": "what becomes of the data is not settled",
        "decided": "the entry is not published",
        "published": "the index is not cleared, though the entry is published",
        "erased": "the key is not destroyed: the eraser waits for the archive or for the index, or is not running",
    }
    due = format_instant(parse_instant(row.requested_at) + STUCK)
    return Obligation(
        id=f"erasure/{row.record}", kind="erasure", owner=OPERATOR, cause=causes[row.state], opened_at=now,
        due_at=due, next_at=row.next_at, refs=(("record", row.record), *((("stop", row.stop),) if row.stop else ())),
    )  # fmt: skip
