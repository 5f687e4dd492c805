"""`GET /v1/feed/{receipts,permissions,withdrawals,requests}`: a party that has no Kafka reads its own topics by HTTP.

The topic derives from the caller's key, so nobody reads another's. The cursor is the partner's to keep, at least once: a
partner stores `next` after it has dealt with the events. A cursor whose events were deleted is answered 410 with what is
missing. Orders are acknowledged by `POST /v1/events`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from services.collector import feed_cursor
from services.collector.feed_reading import FeedReader, Page
from shared.auth import Authenticator
from shared.contracts.envelope import from_headers
from shared.contracts.structured import to_structured
from shared.errors import InputError
from shared.instants import format_instant, from_millis
from shared.kafka.record import Record
from shared.pace import Pace
from shared.problems import Refusal, problem
from shared.topics import OUT_PERMISSIONS, OUT_RECEIPTS, OUT_REQUESTS, OUT_WITHDRAWALS

LIMIT, LIMIT_MOST, WAIT_MOST_S = 100, 500, 30
PER_SECOND, BURST, WAITS = 10.0, 20, 8
GONE = 410
END = "end"
"""In place of a cursor: from now on."""


class Feed(StrEnum):
    """What may be read."""

    RECEIPTS = "receipts"
    PERMISSIONS = "permissions"
    WITHDRAWALS = "withdrawals"
    REQUESTS = "requests"


ROWS = {
    Feed.RECEIPTS: OUT_RECEIPTS,
    Feed.PERMISSIONS: OUT_PERMISSIONS,
    Feed.WITHDRAWALS: OUT_WITHDRAWALS,
    Feed.REQUESTS: OUT_REQUESTS,
}


def make_feed_router(auth: Authenticator, reader: FeedReader, pace: Pace, log: Any) -> APIRouter:
    """The feed's route."""
    router = APIRouter()

    @router.get("/v1/feed/{feed}", response_model=None)
    async def read(
        request: Request,
        feed: Feed,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MOST)] = LIMIT,
        wait: Annotated[float, Query(ge=0, le=WAIT_MOST_S)] = 0,
    ) -> Response:
        """The events after a cursor, oldest first in each record or order; with `wait`, as soon as there are some.

        `after=end`: no event, and the cursor of what comes from now on.
        """
        caller = auth.caller(request)
        caller.require("collector", "prospector")
        party = caller.party
        if party is None:
            raise Refusal(403, "FORBIDDEN", "A feed belongs to a party; the operator has none")
        pace.take(party)
        if after == END:
            page = await reader.end(ROWS[feed].of(party))
            return _answer(page, feed_cursor.write(party, feed.value, page.after), log)
        offsets = None if after is None else feed_cursor.read(after, party, feed.value)
        pace.begin_wait(party)
        try:
            page = await reader.page(ROWS[feed].of(party), offsets, limit, wait)
        finally:
            pace.end_wait(party)
        following = feed_cursor.write(party, feed.value, page.after)
        return _gone(page, following) if page.gaps else _answer(page, following, log)

    return router


def _gone(page: Page, earliest: str) -> Response:
    """Part of what the cursor points to is no more: which, and where to go on once that is dealt with."""
    gaps = [{"partition": gap.partition, "first": gap.first, "last": gap.last} for gap in page.gaps]
    lost = any(gap.last is not None for gap in page.gaps)
    title = (
        "Events after this cursor were deleted: their retention has passed. Ask for the state of each person (permission "
        "checks), then go on from `earliest`"
        if lost
        else "This cursor lies beyond the feed's end: the feed was begun anew. Go on from `earliest`"
    )
    return problem(GONE, title, code="FEED-GAP", gap=gaps, earliest=earliest)


def _answer(page: Page, following: str, log: Any) -> Response:
    events = [event for record in page.records if (event := _event(record, log)) is not None]
    body = {"events": [orjson.Fragment(event) for event in events], "next": following, "at_end": page.at_end}
    return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})


def _event(record: Record, log: Any) -> bytes | None:
    try:
        envelope, data = from_headers(record.headers, record.value)
        return to_structured(envelope, data, format_instant(from_millis(record.timestamp)))
    except (InputError, ValueError):  # written by ourselves: never, and then it is said
        log.error(
            "a record of a feed cannot be read", topic=record.topic, partition=record.partition, offset=record.offset
        )
        return None
