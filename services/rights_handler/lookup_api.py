"""`POST /v1/lookups` and `GET /v1/records/{record}`: what is known of a contact or a record, for the operator's console.

A contact is posted, never part of an address, and answered by its key alone: whoever asks writes that key into its own audit
log. Nothing here opens a sealed contact. The operator's alone; what a person may see of themselves is the portal's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.rights_handler.deliveries import Delivery
from services.rights_handler.domain import Decision, Grant, Stop, decide
from services.rights_handler.persons import Persons
from services.rights_handler.portal.contact import Typed, read_contact, read_postal
from services.rights_handler.portal.inviting import as_stop
from services.rights_handler.ports import Index, Ledger
from services.rights_handler.views import stop_view
from shared.auth import Authenticator
from shared.errors import InputError, Problem
from shared.intake.contacts import ContactFault
from shared.problems import Refusal

MOST = 100
"""Records and stops of one answer, the newest first; how many more there are is said."""


class Lookup(BaseModel):
    """Body of `POST /v1/lookups`: an e-mail address, a telephone number, or a postal address on several lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    contact: str = Field(min_length=1, max_length=400)


class LookupApi:
    """The routes and what they need."""

    def __init__(self, *, auth: Authenticator, index: Index, ledger: Ledger, persons: Persons) -> None:
        self._auth, self._index, self._ledger, self._persons = auth, index, ledger, persons

    def router(self) -> APIRouter:
        """Both routes."""
        router = APIRouter()
        router.add_api_route("/v1/lookups", self.lookup, methods=["POST"])
        router.add_api_route("/v1/records/{record:path}", self.record, methods=["GET"])
        return router

    async def lookup(self, request: Request, body: Lookup) -> JSONResponse:
        """The records and withdrawals that have a contact; 422 where the text is no contact."""
        self._auth.caller(request).require("operator")
        typed = _typed(body.contact)
        key = self._persons.contact_key(typed.kind, typed.value)
        grants = [one for one in await self._index.grants_about([as_stop(key)]) if key in one.contact_keys]
        stops = [one for one in await self._index.stops_about([], {key}) if key in one.contact_keys]
        grants.sort(key=lambda one: (one.collected_at, one.record), reverse=True)
        stops.sort(key=lambda one: (one.at, one.id), reverse=True)
        return JSONResponse({
            "type": typed.kind, "key": key,
            "records": [_summary(one) for one in grants[:MOST]], "more_records": max(0, len(grants) - MOST),
            "stops": [_stop(one) for one in stops[:MOST]], "more_stops": max(0, len(stops) - MOST),
        })  # fmt: skip

    async def record(self, request: Request, record: str) -> JSONResponse:
        """A record (or a consent id that one collector alone has used) as it stands: every line with what is told of it now, withdrawals with their orders, reported transfers."""
        self._auth.caller(request).require("operator")
        named = self._index.grants_of([record]) if "/" in record else self._index.grants_about([_naming(record)])
        found = await named
        if len(found) > 1:
            raise Refusal(409, "AMBIGUOUS", "Several collectors used this consent id: ask for <collector>/<consent id>")
        if not found:
            raise Refusal(404, "RECORD-UNKNOWN", "No record of this name is in the index (not assessed yet, or erased)")
        grant = found[0]
        stops = sorted(await self._index.stops_about([grant]), key=lambda one: (one.at, one.id))
        transfers = await self._index.transfers_of([grant.record])
        views = [
            stop_view(stop, self._about(grant.record, await self._ledger.deliveries_of_stop(stop.id)), None)
            for stop in stops[:MOST]
        ]
        return JSONResponse({
            **_summary(grant), "consent_id": grant.consent_id, "ruleset": grant.ruleset, "form": grant.form,
            "via": list(grant.via), "confirmed": grant.confirmed,
            "lines": [_line(one) for one in decide(grant, stops)], "stops": views,
            "transfers": [{"to": one.to, "at": one.at} for one in transfers],
        })  # fmt: skip

    def _about(self, record: str, rows: Sequence[Delivery]) -> list[Delivery]:
        return [row for row in rows if row.record == record]


def _naming(consent_id: str) -> Stop:
    """A question in the form that the index is asked in: everything under a consent id."""
    return Stop("lookup", "platform", "question", "", frozenset(), None, consent_id)


def _typed(text: str) -> Typed:
    try:
        return read_postal(text) if "\n" in text.strip() else read_contact(text)
    except ContactFault as fault:
        raise InputError([Problem(fault.code, "/contact", str(fault))]) from None


def _summary(grant: Grant) -> dict[str, Any]:
    return {
        "record": grant.record, "collector": grant.collector, "collected_at": grant.collected_at,
        "received_at": grant.received_at, "valid_lines": sum(line.verdict == "valid" for line in grant.lines),
        "lines_count": len(grant.lines),
        "recipients": sorted({line.recipient for line in grant.lines if line.recipient is not None}),
    }  # fmt: skip


def _stop(stop: Stop) -> dict[str, Any]:
    return {"stop": stop.id, "source": stop.source, "kind": stop.kind, "at": stop.at}


def _line(decision: Decision) -> dict[str, Any]:
    line = decision.line
    return {
        "recipient": line.recipient, "channel": line.channel, "purpose": line.purpose, "sector": line.sector,
        "value": line.value, "verdict": line.verdict, "granted": decision.granted, "valid_from": line.valid_from,
        "valid_until": line.valid_until, "reasons": list(decision.reasons),
    }  # fmt: skip
