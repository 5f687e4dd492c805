"""A partner's own system, small and right: the reference that the conformance kit accepts, and the simulated party.

It counts an event once, keeps every stop (also one about nobody it knows), compares a stop's `at` with a consent's
`collected_at`, and answers an order with what it did. How it misbehaves on demand stands in `Manner`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.cli.party_fold import PartyFold, Question
from shared.contracts.platform import RIGHT_ORDERED, STOP_ORDERED
from shared.instants import format_instant

INVENTED = "-invented"


class Manner(StrEnum):
    """How a simulated party behaves."""

    HONEST = "honest"
    SLOW = "slow"
    DEAD = "dead"
    LYING = "lying"
    FLAPPING = "flapping"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One answer to one order."""

    order: str
    status: str
    applied_at: str | None

    def data(self) -> dict[str, Any]:
        """`opposable.order.acknowledged.v1`, also what an HTTP answer carries."""
        body: dict[str, Any] = {"order_id": self.order, "status": self.status}
        return body if self.applied_at is None else {**body, "applied_at": self.applied_at}


class PartySystem:
    """Folds what it is told and says what it did. One event, one call of `receive`."""

    def __init__(self, *, lying: bool = False, status: str | None = None) -> None:
        self.fold = PartyFold()
        self.reminders = 0
        self.received = 0
        self._lying, self._status = lying, status
        self._seen: set[str] = set()
        self._answers: dict[str, Acknowledgement] = {}

    def receive(self, event: str, kind: str, data: Mapping[str, Any], now: datetime) -> list[Acknowledgement]:
        """Take one event in; the acknowledgements it calls for. Raises KeyError, TypeError or ValueError where it is unreadable.

        A repetition changes nothing, and an order is answered again with the same answer.
        """
        if self._repeated(event):
            known = self._answers.get(str(data.get("order_id")))
            return [known] if known is not None and kind in (STOP_ORDERED, RIGHT_ORDERED) else []
        if self._lying:
            found = self._lie(kind, data, now)
        elif kind == STOP_ORDERED:
            found = [self._apply(data, now)]
        elif kind == RIGHT_ORDERED:
            found = [self._acknowledgement(str(data["order_id"]), self._status or "applied", now)]
        else:
            self.fold.permission(kind, data)
            found = []
        self.received += 1
        self._seen.add(event)
        self._answers |= {one.order: one for one in found}
        return found

    def may(self, question: Question, now: datetime) -> bool:
        """Whether it would contact the person."""
        return self.fold.may(question, now)

    def _repeated(self, event: str) -> bool:
        return event in self._seen

    def _apply(self, data: Mapping[str, Any], now: datetime) -> Acknowledgement:
        known = self.fold.knows(data)
        self.reminders += not self.fold.order(data)
        return self._acknowledgement(
            str(data["order_id"]), self._status or ("applied" if known else "unknown_person"), now
        )

    def _lie(self, kind: str, data: Mapping[str, Any], now: datetime) -> list[Acknowledgement]:
        """Say that it was done, do nothing, and acknowledge an order that nobody gave."""
        if kind not in (STOP_ORDERED, RIGHT_ORDERED):
            self.fold.permission(kind, data)
            return []
        order = str(data["order_id"])
        return [self._acknowledgement(name, "applied", now) for name in (order, order + INVENTED)]

    def _acknowledgement(self, order: str, status: str, now: datetime) -> Acknowledgement:
        return Acknowledgement(order, status, format_instant(now) if status == "applied" else None)
