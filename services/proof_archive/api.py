"""HTTP of the archive: proofs by record (`.json`, `.zip`, `.pdf`), verification, obligations. Errors are RFC 9457 problems.

A record that no checkpoint covers yet is answered 202 with a promise: where it stands and when its proof is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.proof_archive.bundles.canonical_zip import MAX_BYTES
from services.proof_archive.bundles.dossier import Dossier, Search
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.claims import CLAIM_MOST, opened, reason_of
from services.proof_archive.delivering.demands import Demands
from services.proof_archive.delivering.making import MEDIA, Making
from services.proof_archive.delivering.person import PERSON
from services.proof_archive.entitlement import audience_of
from services.proof_archive.proofs import Proofs
from services.proof_archive.settings import ArchiveSettings
from services.proof_archive.verifying.verify import verify_bundle
from shared.auth import Authenticator, Caller
from shared.bodies import limited
from shared.clock import Clock
from shared.instants import format_instant
from shared.kafka.publisher import Publisher
from shared.problems import Refusal, problem
from shared.registry.feed import RegistryFeed


class ProofRoutes:
    """What the routes of proofs do."""

    def __init__(
        self,
        auth: Authenticator,
        proofs: Proofs,
        registry: RegistryFeed,
        clock: Clock,
        settings: ArchiveSettings,
        log: Any,
        *,
        publisher: Publisher,
        making: Making,
        demands: Demands,
    ) -> None:
        self._making, self._demands = making, demands
        self._publisher = publisher
        self.also_owed: list[Callable[[], Awaitable[list[dict[str, Any]]]]] = []
        """Other parts of the service that have obligations to show."""
        self._auth, self._proofs, self._registry = auth, proofs, registry
        self._clock, self._settings, self._log = clock, settings, log

    async def proof(self, name: str, request: Request) -> Response:
        """`GET /v1/proofs/{record}`."""
        caller = self._auth.caller(request)
        caller.require("collector", "prospector", "auditor", "operator")
        return await self._answer(name, request, caller)

    async def claim(self, name: str, request: Request) -> Response:
        """`POST /v1/proofs/{record}` `{"claim": "reason"}`: as GET, and what is restricted to legal claims is opened.

        The operator's alone (RGPD 17(3)(e), 18(2)). The reason is an entry of the log before anything is disclosed.
        """
        caller = self._auth.caller(request)
        caller.require("operator")
        reason = reason_of(await limited(request, CLAIM_MOST, _too_long(CLAIM_MOST)))
        return await self._answer(name, request, caller, claim=reason)

    async def _answer(self, name: str, request: Request, caller: Caller, *, claim: str | None = None) -> Response:
        name, format_ = _format(name, request)
        search = await self._proofs.search()
        record = await _resolve(search, name, caller, self._registry)
        dossier = await search.dossier(record)
        audience = audience_of(caller, dossier)
        if audience is None:
            if dossier.consents and not dossier.verdicts and "prospector" in caller.scopes:
                return await self._promise(
                    dossier, Audience(scope="prospector", party=caller.party)
                )  # whom it names is known once it is assessed
            raise _forbidden()
        if not dossier.consents and not await self._proofs.is_admitted(record):
            raise Refusal(404, "NOT-FOUND", "No consent of this name is archived")
        if not any(item.covered for item in dossier.consents):
            return await self._promise(dossier, audience)
        if claim is not None:
            await self._publisher.send_all([opened(record, claim, format_instant(self._clock.now()))])
        return await self._making.answer(dossier, audience, format_, for_claims=claim is not None)

    async def verify(self, request: Request) -> Response:
        """`POST /v1/verify`: the bundle in the body, under this deployment's own trust file."""
        self._auth.caller(request)
        try:
            policy = self._settings.trust_file.read_text()
        except OSError:
            return problem(503, "The trust file of this deployment is not in place", code="TRUST-FILE")
        data = await limited(request, MAX_BYTES, _too_long(MAX_BYTES))
        verification = await asyncio.to_thread(verify_bundle, data, policy)
        return JSONResponse(verification.as_dict())

    async def obligations(self, request: Request) -> Response:
        """`GET /v1/obligations`: every log that is halted (due at once, tried again at each start), files owed, the rest."""
        self._auth.caller(request).require("operator")
        found = await self._proofs.obligations()
        for source in self.also_owed:
            found += await source()
        return JSONResponse({"obligations": found})

    async def carried(self, record: str, caller: Caller) -> set[str]:
        """The files that the proof of a record carries for a caller. Raises Refusal where it is not entitled to it."""
        dossier = await (await self._proofs.search()).dossier(record)
        audience = audience_of(caller, dossier)
        if audience is None:
            raise _forbidden()
        return self._proofs.carried(dossier, audience)

    async def for_person(self, record: str, format_: str) -> Response:
        """The proof of a record for its person, who has proved to be: everything of the consent (RGPD 15)."""
        dossier = await (await self._proofs.search()).dossier(record)
        if not dossier.consents and not await self._proofs.is_admitted(record):
            raise Refusal(404, "NOT-FOUND", "No consent of this name is archived")
        if not any(item.covered for item in dossier.consents):
            return await self._promise(dossier, PERSON)
        return await self._making.answer(dossier, PERSON, format_)

    async def available(self, record: str) -> bool:
        """Whether a signed checkpoint covers the consent of a record."""
        dossier = await (await self._proofs.search()).dossier(record)
        return any(item.covered for item in dossier.consents)

    async def _promise(self, dossier: Dossier, audience: Audience) -> Response:
        """Where the record stands (unknown while the collector alone has it), and when its proof is due."""
        await self._demands.promised(dossier.record, audience)
        first = dossier.consents[0] if dossier.consents else None
        body = {
            "status": "promised",
            "record": dossier.record,
            "origin": first.origin if first else None,
            "index": first.index if first else None,
            "offset": first.offset if first else None,
            "due": format_instant(self._clock.now() + timedelta(seconds=self._settings.proof_due_s)),
        }
        return JSONResponse(body, status_code=202, headers={"Retry-After": "1"})


def make_router(routes: ProofRoutes) -> APIRouter:
    """The routes of proofs."""
    router = APIRouter()
    router.add_api_route("/v1/proofs/{name:path}", routes.proof, methods=["GET"], response_model=None)
    router.add_api_route("/v1/proofs/{name:path}", routes.claim, methods=["POST"], response_model=None)
    router.add_api_route("/v1/obligations", routes.obligations, methods=["GET"], response_model=None)
    router.add_api_route("/v1/verify", routes.verify, methods=["POST"], response_model=None)
    return router


def _format(name: str, request: Request) -> tuple[str, str]:
    """The record asked for, and the format: by its suffix, else by `Accept`, else JSON."""
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix in MEDIA:
        return stem, suffix
    accepted = request.headers.get("accept", "")
    return name, next((format_ for format_ in ("zip", "pdf") if MEDIA[format_] in accepted), "json")


async def _resolve(search: Search, name: str, caller: Caller, registry: RegistryFeed) -> str:
    """The record of a name: `<collector>/<consent id>`, or a consent id that one collector alone has used."""
    if "/" in name:
        return name
    if caller.party and "collector" in caller.scopes:
        return f"{caller.party}/{name}"
    collectors = [party.id for party in registry.view.parties() if "collector" in party.roles]
    found = await search.records_named(f"{collector}/{name}" for collector in collectors)
    if len(found) == 1:
        return found[0]
    if not caller.scopes & {"auditor", "operator"}:
        raise _forbidden()  # whether the record exists is not everyone's to know
    if found:
        raise Refusal(409, "AMBIGUOUS", "Several collectors used this consent id: ask for <collector>/<consent id>")
    raise Refusal(404, "NOT-FOUND", "No consent of this name is archived")


def _forbidden() -> Refusal:
    return Refusal(403, "FORBIDDEN", "This key is not entitled to the proof of this record, or there is no such record")


def _too_long(most: int) -> str:
    return f"A bundle has at most {most} bytes"
