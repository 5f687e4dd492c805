"""Postal addresses that look alike become reviews, owned by the operator, and are never reported as applied. Pure.

A near match orders nothing and withholds nothing by itself: it is a question to a person, with a due time. The answer `same`
enters as a stop of its own that names the record (like any other, archived, with its orders); `other` closes the question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from services.rights_handler.deliveries import OPERATOR
from services.rights_handler.domain import Grant, Instant, Stop, about, scoped, since
from services.rights_handler.kinds import request_of
from services.rights_handler.ports import Obligation
from shared.instants import format_instant, parse_instant

NEAR = "postal-near-match"
REVIEW_WITHIN = timedelta(hours=48)
"""An objection acts at once (RGPD 21(3)); two days is what a doubt about *who* objected may take."""


def near_pairs(stops: Sequence[Stop], grants: Sequence[Grant]) -> Iterator[tuple[Stop, Grant]]:
    """Each stop and record that share a postal trait, that the stop could concern, and that no exact match joins."""
    by_key: defaultdict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        for key in grant.near_keys:
            by_key[key].append(grant)
    for stop in stops:
        if request_of(stop.id) is not None:
            continue  # a request is about the records it names
        found = {grant.record: grant for key in stop.near_keys for grant in by_key.get(key, ())}
        for grant in found.values():
            touched = any(line.value != "refused" and scoped(stop, line) for line in grant.lines)
            if touched and since(stop, grant) and not about(stop, grant):
                yield stop, grant


def review_id(stop: str, record: str) -> str:
    """The identity of a question: asked once, whoever finds it."""
    return f"near/{stop}/{record}"


def review(stop: Stop, grant: Grant, now: Instant) -> Obligation:
    """The question for the operator."""
    due = format_instant(parse_instant(now) + REVIEW_WITHIN)
    return Obligation(
        id=review_id(stop.id, grant.record),
        kind=NEAR,
        owner=OPERATOR,
        cause="the postal address of this stop resembles that of this record without being equal: compare the two, then "
        "answer `same` (the stop is applied to the record) or `other`; nothing was ordered for this record meanwhile",
        opened_at=now,
        due_at=due,
        next_at=due,
        refs=(("stop", stop.id), ("record", grant.record), ("collector", grant.collector)),
    )
