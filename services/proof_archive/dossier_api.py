"""`GET /v1/dossiers/{record}` and `GET /v1/operations/{operation}`: what the logs hold, for the operator to read, not to prove.

Facts only: nothing sealed is opened and nothing is disclosed, so that looking is no delivery of a proof. Entries that no signed
checkpoint covers yet are there too, and say so. Operator and auditor.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.proof_archive.bundles.dossier import Item, Search
from services.proof_archive.bundles.entries import read_entry
from services.proof_archive.bundles.timeline import event_of
from services.proof_archive.proofs import Proofs
from services.proof_archive.verifying.codes import Refused
from shared import canonical
from shared.auth import Authenticator
from shared.instants import format_instant, from_millis
from shared.problems import Refusal
from shared.topics import OPERATIONS, REGISTRY, VERDICTS

HIDDEN = frozenset({"commitments", "v"})
"""Facts that say nothing to a reader."""
NAMING = ("kind", "id", "version", "collector", "prospector")
"""Facts of a registry object that are shown: the object itself is the registry's to show."""


class DossierRoutes:
    """The routes and what they need."""

    def __init__(self, auth: Authenticator, proofs: Proofs) -> None:
        self._auth, self._proofs = auth, proofs

    async def dossier(self, record: str, request: Request) -> JSONResponse:
        """Every entry about a record, in the order the brokers took them."""
        self._auth.caller(request).require("operator", "auditor")
        search = await self._proofs.search()
        found = (await search.dossier(record)).items if "/" in record else ()
        if not found:
            raise Refusal(404, "NOT-FOUND", "No entry of a log names this record")
        entries = sorted((_entry(item) for item in found), key=lambda one: (one["ts"], one["origin"], one["index"]))
        erased = any(str(item.kind).endswith(("erased", "shredded")) for item in found)
        return JSONResponse({"record": record, "erased": erased, "entries": entries})

    async def operation(self, operation: str, request: Request) -> JSONResponse:
        """What an operator did in the console, as the log has it; 404 until it is there."""
        self._auth.caller(request).require("operator", "auditor")
        search: Search = await self._proofs.search()
        found = await search.referred(f"operation:{operation}", OPERATIONS.name)
        if not found:
            raise Refusal(404, "NOT-FOUND", "No entry of the log names this operation (yet)")
        return JSONResponse(_entry(found[0]))


def make_dossier_router(routes: DossierRoutes) -> APIRouter:
    """Both routes."""
    router = APIRouter()
    router.add_api_route("/v1/dossiers/{record:path}", routes.dossier, methods=["GET"])
    router.add_api_route("/v1/operations/{operation}", routes.operation, methods=["GET"])
    return router


def _entry(item: Item) -> dict[str, Any]:
    entry = canonical.loads(item.data)
    facts = {n: v for n, v in item.facts.items() if n not in HIDDEN and not n.endswith("_commitments")}
    if item.topic == VERDICTS.name:
        facts |= {"lines": [dict(line) for line in item.lines]}
    if item.topic == REGISTRY.name:
        facts = {name: value for name, value in facts.items() if name in NAMING}
    return {
        "origin": item.origin, "index": item.index, "topic": item.topic, "kind": item.kind,
        "ts": format_instant(from_millis(entry["ts"])), "covered": item.covered, "facts": facts, **_told(item),
    }  # fmt: skip


def _told(item: Item) -> dict[str, Any]:
    """The party and the sentence that the proof tells of the same entry."""
    try:
        event = event_of(read_entry(item.origin, item.index, item.data, item.body))
    except Refused:  # archived as it was received, but not of a form that a proof can explain
        return {"party": None, "text_fr": None}
    return {"party": event["party"], "text_fr": event["text_fr"]}
