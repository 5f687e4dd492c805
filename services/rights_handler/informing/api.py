"""HTTP of RGPD 14: the text to attach to the first message, and the persons that a party has not informed in time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse

from services.rights_handler.domain import decide
from services.rights_handler.informing.overdue import PAGE, OverdueNotices
from services.rights_handler.informing.texts import NoticeTexts
from services.rights_handler.moments import one_month_after
from services.rights_handler.ports import Index
from shared.auth import Authenticator, Caller
from shared.clock import Clock
from shared.contracts.types import PARTY_PATTERN, RECORD_PATTERN
from shared.problems import Refusal

_CURSOR = r"^[0-9TZ:.-]{24}\|" + RECORD_PATTERN.removeprefix("^")


class NoticeApi:
    """The routes and what they need."""

    def __init__(
        self, *, auth: Authenticator, index: Index, texts: NoticeTexts, overdue: OverdueNotices, clock: Clock
    ) -> None:
        self._auth, self._index, self._texts, self._overdue = auth, index, texts, overdue
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/notices/text", self.text, methods=["GET"])
        router.add_api_route("/v1/notices/overdue", self.late, methods=["GET"])
        return router

    async def text(
        self,
        request: HttpRequest,
        record: Annotated[str, Query(pattern=RECORD_PATTERN)],
        recipient: Annotated[str | None, Query(pattern=PARTY_PATTERN)] = None,
    ) -> JSONResponse:
        """The notices of one record for one recipient (a party: itself), one for each use that is permitted to it now."""
        caller = self._auth.caller(request)
        party = _party(caller, recipient)
        grants = await self._index.grants_of([record])
        notices = []
        for grant in grants:
            notices = self._texts.of(grant, party, decide(grant, await self._index.stops_about([grant])))
        if not notices:
            raise Refusal(
                404, "NOTICE-NONE", "Nothing is permitted to this party for this record: no notice goes with it"
            )
        body = {
            "record": record,
            "recipient": party,
            "due_at": one_month_after(grants[0].received_at),
            "notices": [
                {
                    "channel": one.channel, "purpose": one.purpose, "sector": one.sector, "text_fr": one.notice.text_fr,
                    "lacks": list(one.notice.lacks),
                }
                for one in notices
            ],
        }  # fmt: skip
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def late(
        self,
        request: HttpRequest,
        party: Annotated[str | None, Query(pattern=PARTY_PATTERN)] = None,
        after: Annotated[str | None, Query(pattern=_CURSOR)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> JSONResponse:
        """Persons that a party (a party: itself) has not informed within the month, the oldest first; `next`: next page."""
        caller = self._auth.caller(request)
        found, cursor = await self._overdue.page(_party(caller, party), self._clock.now(), after, limit)
        body = {
            "overdue": [{"record": o.record, "received_at": o.received_at, "due_at": o.due_at} for o in found],
            "next": cursor if len(found) == limit else None,
        }
        return JSONResponse(body)


def _party(caller: Caller, named: str | None) -> str:
    """A party's own; the operator and auditors name whose."""
    if caller.scopes & {"operator", "auditor"}:
        if named is None:
            raise Refusal(422, "PARTY-MISSING", "Name the party")
        return named
    if caller.party is None or (named is not None and named != caller.party):
        raise Refusal(403, "FORBIDDEN", "A party sees its own notices only")
    return caller.party
