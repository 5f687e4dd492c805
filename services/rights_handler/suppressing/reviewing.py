"""The operator's answer to a question about two postal addresses. `same` is a stop of its own, with its orders and its trace."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.rights_handler.ports import Index, Ledger
from services.rights_handler.requesting import Requesting, stop_identity
from services.rights_handler.suppressing.near import review_id
from shared.clock import Clock
from shared.instants import format_instant
from shared.problems import Refusal
from shared.topics import PLATFORM_PARTY


class Answer(StrEnum):
    """Is it the same person at the same address?"""

    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Applies an answer. The stop is stored before the question is closed: a crash between asks again, with the same id."""

    index: Index
    ledger: Ledger
    requesting: Requesting
    clock: Clock

    async def __call__(self, identity: str, answer: Answer) -> str | None:
        """The stop that `same` gives, else None. Raises Refusal 404 where nobody asked."""
        question = await self.ledger.obligation(identity)
        refs = dict(question.refs) if question is not None else {}
        stop = await self.index.stop(refs["stop"]) if refs.keys() >= {"stop", "record"} else None
        if stop is None or question is None or identity != review_id(stop.id, refs["record"]):
            raise Refusal(404, "REVIEW-UNKNOWN", "No such question is known")
        entered = None
        if answer is Answer.SAME:
            entered = stop_identity("review", stop.id, refs["record"])
            await self.requesting.publish([{
                "stop_id": entered, "record": refs["record"], "at": stop.at, "kind": stop.kind, "via": "letter",
                "recipients": _scope(stop.recipients), "channels": _scope(stop.channels),
                "purposes": _scope(stop.purposes),
            }])  # fmt: skip
        await self.ledger.close_obligations([identity], format_instant(self.clock.now()))
        return None if entered is None else f"{PLATFORM_PARTY}/{entered}"


def _scope(scope: str | frozenset[str]) -> str | list[str]:
    return scope if isinstance(scope, str) else sorted(scope)
