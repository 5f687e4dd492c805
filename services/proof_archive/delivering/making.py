"""Makes a proof in the format asked for, and keeps that it was delivered before it is answered.

JSON for programs, ZIP to verify, PDF to read. What takes long (pages, archives) is done in threads, a few at a time. A ZIP
holds its attestation; where that cannot be made, the ZIP is given without it: the proof does not depend on its retelling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import typst
from fastapi import Response

from services.proof_archive.attestation.case import Case
from services.proof_archive.attestation.independence import independence_of
from services.proof_archive.attestation.render import Renderer
from services.proof_archive.bundles.dossier import Dossier
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.checkpoints.standing import Standing
from services.proof_archive.delivering.event import Delivered
from services.proof_archive.delivering.outbox import Outbox
from services.proof_archive.proofs import Proof, Proofs
from services.proof_archive.verifying.codes import Refused
from shared.clock import Clock
from shared.errors import IntegrityError
from shared.problems import problem

MEDIA: Mapping[str, str] = {"json": "application/json", "zip": "application/zip", "pdf": "application/pdf"}
"""Media types of proofs, by format."""


class Making:
    """Answers with a proof."""

    def __init__(
        self, proofs: Proofs, renderer: Renderer, standing: Standing, outbox: Outbox, clock: Clock, log: Any
    ) -> None:
        self._proofs, self._renderer, self._standing = proofs, renderer, standing
        self._outbox, self._clock, self._log = outbox, clock, log

    async def answer(self, dossier: Dossier, audience: Audience, format_: str, *, for_claims: bool = False) -> Response:
        """The proof of a record whose consent is under a signed checkpoint, for an audience that is entitled to it."""
        try:
            made = await self._proofs.prove(dossier, audience, for_claims=for_claims, files=format_ != "json")
            content = await self._content(made, format_)
        except (IntegrityError, Refused) as error:
            self._log.error("no proof: the archive contradicts itself", record=dossier.record, exc_info=error)
            return problem(500, "The archive contradicts itself; it has been logged", code="INTEGRITY")
        await self._outbox.keep(Delivered.now(dossier.record, audience, format_, content, self._clock.now()))
        headers = {"Cache-Control": "no-store"}
        if format_ != "json":
            file = dossier.record.replace("/", "-") + f".{format_}"
            headers["Content-Disposition"] = f'attachment; filename="{file}"'
        return Response(content, media_type=MEDIA[format_], headers=headers)

    async def _content(self, made: Proof, format_: str) -> bytes:
        if format_ == "json":
            return orjson.dumps(made.as_json())
        if format_ == "pdf":
            return await self._attestation(made)
        try:
            attestation = await self._attestation(made)
        except typst.TypstError as error:
            self._log.error("a bundle is given without its attestation", record=made.bundle.record, exc_info=error)
        else:
            made = replace(made, bundle=replace(made.bundle, attestation=attestation))
        return await asyncio.to_thread(self._proofs.zip, made)

    async def _attestation(self, made: Proof) -> bytes:
        consent = next(item for item in made.items if item.kind == "consent.recorded")
        independence = independence_of(made.bundle, self._standing.policy(), (consent.origin, consent.index))
        now = self._clock.now().replace(microsecond=0)
        return await self._renderer.pdf(Case.of(made.bundle, now, independence, len(made.pending)))
