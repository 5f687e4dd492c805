"""What a group of attempts makes of its events and of their endpoint. No I/O; chance only shortens delays."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.webhook_relay.domain import Answer, Breaker, Meaning, Policy, after_failure, next_attempt
from services.webhook_relay.store import Endpoint, Waiting

DISABLED = timedelta(days=1)
"""How far the events of a disabled endpoint are put off; it is not tried before it is enabled, however late that is."""
Again = tuple[Waiting, datetime, str, bool]
"""An event that waits on: until when, why, and whether it was tried."""


@dataclass(slots=True)
class Judged:
    """What to write down: the endpoint as it is now, events delivered with their answers, events that wait on."""

    endpoint: Endpoint
    delivered: list[tuple[Waiting, Answer]] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)


def judge(
    taken: Sequence[tuple[Waiting, Answer]],
    endpoint: Endpoint,
    now: datetime,
    policy: Policy,
    *,
    url: str | None,
    after: Callable[[Waiting], Sequence[Waiting]],
) -> Judged:
    """Judge attempts in the order in which they ended. `after`: the events in hand that wait behind one on its thread."""
    judged = Judged(endpoint)
    for row, answer in taken:
        if answer.meaning is Meaning.DELIVERED:
            judged.delivered.append((row, answer))
            judged.endpoint = replace(judged.endpoint, breaker=Breaker())
            continue
        at, code = _failed(judged, row, answer, now, policy, url)
        judged.again.append((row, at, code, True))
        judged.again += [(later, at, "behind", False) for later in after(row)]
    return judged


def _failed(
    judged: Judged, row: Waiting, answer: Answer, now: datetime, policy: Policy, url: str | None
) -> tuple[datetime, str]:
    """When the event is tried again, and why it waits; moves the endpoint."""
    at = next_attempt(row.attempts + 1, now, policy, random.random(), answer.retry_after)
    before = judged.endpoint
    if answer.meaning is Meaning.REFUSED:
        judged.endpoint = replace(before, breaker=Breaker())  # it answers: nothing is wrong with it
        return at, answer.code
    if answer.meaning is Meaning.GONE:
        judged.endpoint = replace(before, disabled=url)
        return now + DISABLED, "GONE"
    breaker = after_failure(before.breaker, answer.code, now, policy, random.random())
    judged.endpoint = replace(before, breaker=breaker)
    if breaker.until is not None and not before.breaker.open_at(now):
        at = min(at, breaker.until)  # the probe
    return at, answer.code
