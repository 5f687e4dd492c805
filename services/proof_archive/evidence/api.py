"""HTTP of evidence: `PUT` and `GET /v1/evidence/{sha256}`, `GET /v1/evidence/owed`. Errors are RFC 9457 problems.

A collector puts and gets what its own objects or consents cite. A prospecteur gets what its proofs carry (`?record=…`).
The auditor and the operator get everything. What nobody cites is not taken: the store holds what a log names, and no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from services.proof_archive.evidence.citations import HASH
from services.proof_archive.evidence.files import Files, Name, OtherHash, Stored, TooLong
from services.proof_archive.evidence.owed import Owed
from shared.auth import Authenticator, Caller
from shared.clock import Clock
from shared.crypto.sealing import RecordKey
from shared.problems import Refusal
from shared.vault import Vault

PAGE_MOST = 1000
_DIGITS_MOST = 15
COPIES_MOST = 16
"""Records for which one upload stores a copy of a file about a person; more are served by another upload."""

Carried = Callable[[str, Caller], Awaitable[set[str]]]
"""The hashes that the proof of a record carries for a caller; raises Refusal where it is not entitled to that proof."""


class EvidenceRoutes:
    """What the routes of evidence do."""

    def __init__(
        self, auth: Authenticator, files: Files, owed: Owed, vault: Vault, *, clock: Clock, most: int, carried: Carried
    ) -> None:
        self._auth, self._files, self._owed, self._vault = auth, files, owed, vault
        self._clock, self._most, self._carried = clock, most, carried

    async def put(self, sha256: str, request: Request) -> Response:
        """`PUT /v1/evidence/{sha256}`: the file as the body. 201 stored, 200 already there."""
        caller = self._auth.caller(request)
        caller.require("collector", "operator")
        _check(sha256)
        if int(_digits(request.headers.get("content-length"))) > self._most:
            raise _too_long(self._most)
        owner = None if "operator" in caller.scopes else caller.party
        rows = await self._owed.of(sha256, owner)
        if not rows:
            raise _forbidden("No form, notice, contract or consent of this key's party cites this file yet")
        names = _names(sha256, rows)
        held = await self._files.held(names)
        missing = [name for name in names if name not in held][:COPIES_MOST]
        if not missing:
            await _check_body(sha256, request, self._most)
            await self._settle(names, owner)
            return JSONResponse({"sha256": sha256, "status": "held", "bytes": held[names[0]].size})
        records = [record for _, record in missing if record is not None]
        keys: dict[str | None, RecordKey | None] = {**dict((await self._vault.read(records)).items())}
        if any(record is None for _, record in missing):
            keys[None] = None
        if not keys:
            raise Refusal(409, "EVIDENCE-ERASED", "The personal data of the consent that cites this file was erased")
        try:
            stored = await self._files.put(sha256, request.stream(), keys, most=self._most, now=self._clock.now())
        except TooLong:
            raise _too_long(self._most) from None
        except OtherHash:
            raise _other_hash() from None
        await self._settle([name for name in names if name in held], owner)
        kept = await self._settle(stored, owner)
        if not kept:
            raise Refusal(409, "EVIDENCE-ERASED", "The personal data of the consent that cites this file was erased")
        size = (await self._files.held(kept))[kept[0]].size
        return JSONResponse({"sha256": sha256, "status": "stored", "bytes": size}, status_code=201)

    async def get(self, sha256: str, request: Request) -> Response:
        """`GET /v1/evidence/{sha256}`: the file's bytes."""
        caller = self._auth.caller(request)
        caller.require("collector", "prospector", "auditor", "operator")
        _check(sha256)
        stored = await self._readable(sha256, caller, request.query_params.get("record"))
        key = None
        if stored.record is not None:
            key = (await self._vault.read([stored.record])).get(stored.record)
            if key is None:
                raise Refusal(410, "EVIDENCE-ERASED", "The personal data that this file holds is erased or restricted")
        headers = {
            "Content-Length": str(stored.size),
            "Content-Disposition": f'attachment; filename="{sha256}.bin"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "ETag": f'"{sha256}"',
        }
        stream = self._files.stream(stored, key)
        return StreamingResponse(stream, media_type="application/octet-stream", headers=headers)

    async def owed(self, request: Request) -> Response:
        """`GET /v1/evidence/owed?after=…&limit=…`: what is cited and not uploaded; a collector sees its own."""
        caller = self._auth.caller(request)
        caller.require("collector", "auditor", "operator")
        everyone = bool(caller.scopes & {"auditor", "operator"})
        owner = request.query_params.get("owner") if everyone else caller.party
        limit = min(PAGE_MOST, max(1, int(_digits(request.query_params.get("limit"), "100"))))
        rows = await self._owed.open_of(owner, request.query_params.get("after", ""), limit)
        return JSONResponse({"owed": rows, "after": rows[-1]["id"] if len(rows) == limit else None})

    async def _settle(self, names: Sequence[Name], owner: str | None) -> list[Name]:
        """Close what an upload settles; what was erased while it was sent is not kept. Returns what is."""
        kept = []
        for sha256, record in names:
            if await self._owed.uploaded(sha256, record, owner):
                kept.append((sha256, record))
            elif record is not None:
                await self._files.erase([record])
        return kept

    async def _readable(self, sha256: str, caller: Caller, record: str | None) -> Stored:
        names: list[Name]
        if caller.scopes & {"auditor", "operator"}:
            names = _names(sha256, await self._owed.of(sha256))
        elif "collector" in caller.scopes:
            rows = await self._owed.of(sha256, caller.party)
            names = _names(sha256, [row for row in rows if not row["open"]])
            if rows and not names:
                raise _not_uploaded()
        else:
            if record is None:
                raise _forbidden("Say by ?record=<collector>/<consent id> which proof of yours carries this file")
            if sha256 not in await self._carried(record, caller):
                raise _not_yours()
            names = [(sha256, None)] if await self._owed.settled([sha256], record.partition("/")[0]) else []
            if not names:
                raise _not_uploaded()
        if not names:
            raise _not_yours()
        held = await self._files.held(names)
        if not held:
            raise _not_uploaded()
        return next(held[name] for name in names if name in held)


def make_evidence_router(routes: EvidenceRoutes) -> APIRouter:
    """The routes of evidence."""
    router = APIRouter()
    router.add_api_route("/v1/evidence/owed", routes.owed, methods=["GET"], response_model=None)
    router.add_api_route("/v1/evidence/{sha256}", routes.put, methods=["PUT"], response_model=None)
    router.add_api_route("/v1/evidence/{sha256}", routes.get, methods=["GET"], response_model=None)
    return router


def _names(sha256: str, rows: list[dict[str, Any]]) -> list[Name]:
    """The copies that these citations ask for, the one for everyone first, each once."""
    records = {row.get("record") for row in rows}
    common: list[Name] = [(sha256, None)] if None in records else []
    return common + [(sha256, record) for record in sorted(record for record in records if record is not None)]


def _check(sha256: str) -> None:
    if not HASH.fullmatch(sha256):
        raise Refusal(422, "EVIDENCE-NAME", "A file is named by its SHA-256: 64 lower-case hexadecimal digits")


def _digits(text: str | None, default: str = "0") -> str:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MOST):
        raise Refusal(422, "INPUT", "A number is written in decimal digits")
    return text


async def _check_body(sha256: str, request: Request, most: int) -> None:
    """Read and forget a file that is stored already: whoever sends it has shown to hold it."""
    digest, size = hashlib.sha256(), 0
    parts: AsyncIterator[bytes] = request.stream()
    async for part in parts:
        digest.update(part)
        size += len(part)
        if size > most:
            raise _too_long(most)
    if digest.hexdigest() != sha256:
        raise _other_hash()


def _other_hash() -> Refusal:
    return Refusal(422, "EVIDENCE-HASH", "The SHA-256 of the body is not the one in the address")


def _not_uploaded() -> Refusal:
    return Refusal(404, "EVIDENCE-OWED", "This file is cited but was not uploaded: its collector owes it")


def _too_long(most: int) -> Refusal:
    return Refusal(413, "EVIDENCE-TOO-LARGE", f"A file of evidence has at most {most} bytes here")


def _not_yours() -> Refusal:
    return _forbidden("This key is not entitled to this file, or there is no such file")


def _forbidden(title: str) -> Refusal:
    return Refusal(403, "FORBIDDEN", title)
