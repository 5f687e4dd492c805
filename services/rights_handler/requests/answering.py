"""Writes the answer to a granted request: its text, and the documents that go with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from services.rights_handler.domain import Instant
from services.rights_handler.erasing.model import Planned
from services.rights_handler.requests import texts
from services.rights_handler.requests.access import access_answer
from services.rights_handler.requests.controllers import Controller, controllers, of_planned
from services.rights_handler.requests.gathering import Dossier
from services.rights_handler.requests.letters import Attachment, Written
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.pdf import access_pdf
from services.rights_handler.requests.portability import as_csv, provided
from services.rights_handler.requests.proving import Proving
from services.rights_handler.teller import Registry
from shared.instants import parse_instant

JSON, CSV, PDF = "application/json", "text/csv", "application/pdf"


@dataclass(frozen=True, slots=True)
class Answering:
    """Makes answers. `proof_url`: base address of the archive, for the links to proofs."""

    registry: Registry
    proving: Proving
    proof_url: str

    def who(self, dossier: Dossier, planned: Sequence[Planned] = ()) -> list[Controller]:
        """The controllers that answer the person."""
        return controllers(dossier, self.registry) or of_planned(planned, self.registry)

    async def __call__(
        self, request: Request, dossier: Dossier, *, planned: Sequence[Planned], outcome: str | None, note: str | None,
        at: Instant,
    ) -> Written:  # fmt: skip
        """The answer, ready to be sealed. Raises Unavailable where a proof is needed and the archive is away."""
        who = self.who(dossier, planned)
        attachments = await self._documents(request, dossier, who, at)
        text = texts.answer_text(
            request, dossier, who, planned=planned, outcome=outcome, note=note,
            proofs=len(attachments) if request.right == "dispute" else 0,
        )  # fmt: skip
        facts = (("records", str(len(planned) or len(dossier.found))), *((("outcome", outcome),) if outcome else ()))
        return Written("request.answered", texts.subject(request, "Réponse à votre demande"), text, attachments, facts)

    async def _documents(
        self, request: Request, dossier: Dossier, who: Sequence[Controller], at: Instant
    ) -> tuple[Attachment, ...]:
        if request.right == "access":
            names = {party.id: party.legal_name for party in self.registry.view.parties()}
            answer = access_answer(request, dossier, who, names, at=at, proof_url=self.proof_url)
            pdf = await asyncio.to_thread(access_pdf, answer, parse_instant(at))
            text = orjson.dumps(answer, option=orjson.OPT_INDENT_2)
            return (("acces.json", JSON, text), ("acces.pdf", PDF, pdf))
        if request.right == "portability":
            document = provided(dossier.found)
            text = orjson.dumps(document, option=orjson.OPT_INDENT_2)
            return (("donnees.json", JSON, text), ("donnees.csv", CSV, as_csv(document)))
        if request.right == "dispute":
            return await self.proving.bundles(dossier)
        return ()
