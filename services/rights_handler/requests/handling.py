"""What is done about requests: taken in, acted upon, relayed, answered, refused, extended, and closed when all have applied it.

Each step is stored before the next is taken, and can be done again: a suspension travels by the protocol of stops, a letter
stands on the request before it is ordered, an erasure goes on by itself once begun.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.rights_handler.erasing.door import Erases
from services.rights_handler.erasing.model import Cause, Planned
from services.rights_handler.kinds import RELAYED
from services.rights_handler.protocol import Crossing
from services.rights_handler.requests import domain, texts
from services.rights_handler.requests.addressing import Addressing
from services.rights_handler.requests.answering import Answering
from services.rights_handler.requests.changing import Changing
from services.rights_handler.requests.controllers import Controller
from services.rights_handler.requests.gathering import Dossier, Gathering
from services.rights_handler.requests.letters import Addressee, Letters, Written
from services.rights_handler.requests.model import Request
from services.rights_handler.requests.proving import Proving
from services.rights_handler.requests.settling import Settling
from shared.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Handling:
    """The one way to change a request."""

    change: Changing
    settling: Settling
    crossing: Crossing
    gathering: Gathering
    answering: Answering
    addressing: Addressing
    letters: Letters
    proving: Proving
    erasing: Erases

    async def receive(self, arrived: Sequence[Request]) -> None:
        """Take requests in; those that suspend act at once, before anything is looked at."""
        await self.change.store.put(arrived)
        for request in await self.change.store.get({one.id for one in arrived}):
            if request.live and request.right == "dispute":
                await self.proving.demand(request, await self._dossier(request))
            if request.live and domain.acts_at_once(request) and not request.acted:
                await self._act(request)
            if request.live and request.right == "erasure" and request.verified:
                await self._answer_by_itself(request)

    async def answer(
        self, name: str, *, outcome: str | None = None, note: str | None = None, to: Addressee | None = None
    ) -> Request:
        """Do what was asked, and answer. Raises InputError where the request, its state or its address does not allow it."""
        request = await self.change.one(name)
        if not request.live:
            raise InputError([Problem("REQUEST-CLOSED", "", "this request has been answered")])
        if (request.right == "dispute") != (outcome in ("upheld", "withdrawn")):
            message = "a dispute ends `upheld` or `withdrawn`; no other right"
            raise InputError([Problem("REQUEST-OUTCOME", "/outcome", message)])
        if request.right == "dispute" and not note:
            raise InputError([Problem("REQUEST-REASONS", "/note", "say to the person why its dispute ends so")])
        dossier = await self._dossier(request)
        target = await self.addressing.target(request, dossier, to)
        if request.right in ("access", "portability", "erasure") and not request.erased:
            self.addressing.must_be_the_person(request, dossier, target)
        if request.right in RELAYED and not request.acted:
            request = await self._act(request)
        planned: list[Planned] = []
        if request.right == "erasure":
            planned, request = await self._erase(request, dossier)
        written = await self.answering(
            request, dossier, planned=planned, outcome=outcome, note=note, at=self.change.now()
        )
        letter = await self.letters.seal(request, written, target, self.change.now())
        done = await self.change(request, lambda now, at: domain.answered(now, at, letter, outcome))
        return await self.settling.deliver(done)

    async def refuse(self, name: str, reason: str, note: str | None, to: Addressee | None = None) -> Request:
        """Refuse with reasons (RGPD 12(4)); what was suspended is free again, and everyone is told."""
        _known(reason, texts.REFUSALS, "/reason")
        request = await self.change.one(name)
        if request.erased:
            raise InputError([Problem("REQUEST-STATE", "", "this erasure has begun and cannot be refused")])
        dossier = await self._dossier(request)
        attached = await self.proving.bundles(dossier) if reason == "proven" else ()
        if reason == "proven" and not attached:
            raise InputError(
                [Problem("PROOF-MISSING", "/reason", "the archive has no proof of these records to attach")]
            )
        written = Written(
            "request.refused", texts.subject(request, "Réponse à votre demande"), texts.refusal_text(request, reason, note),
            attached, (("reason", reason),),
        )  # fmt: skip
        letter = await self.addressing.letter(request, dossier, written, to, self.change.now())
        return await self.settling.deliver(
            await self.change(request, lambda now, at: domain.refused(now, at, reason, letter))
        )

    async def extend(self, name: str, reason: str, note: str | None, to: Addressee | None = None) -> Request:
        """Two more months (RGPD 12(3)), told to the person at once."""
        _known(reason, texts.EXTENSIONS, "/reason")
        request = await self.change.one(name)
        until = domain.until_extended(request)
        text = texts.extension_text(request, reason, until, note)
        written = Written(
            "request.extended", texts.subject(request, "Votre demande demande plus de temps"), text,
            facts=(("reason", reason), ("due_at", until)),
        )  # fmt: skip
        letter = await self.addressing.letter(request, await self._dossier(request), written, to, self.change.now())
        return await self.settling.deliver(
            await self.change(request, lambda now, at: domain.extended(now, at, reason, letter))
        )

    async def ask_identity(self, name: str, note: str | None, to: Addressee | None = None) -> Request:
        """Ask who it is, on reasonable doubt only (RGPD 12(6)); the month stands still."""
        request = await self.change.one(name)
        subject = texts.subject(request, "Une précision sur votre demande")
        written = Written("request.identity", subject, texts.identity_text(request, note))
        letter = await self.addressing.letter(request, await self._dossier(request), written, to, self.change.now())
        return await self.settling.deliver(
            await self.change(request, lambda now, at: domain.identity_asked(now, at, letter))
        )

    async def identity_given(self, name: str) -> Request:
        """The person showed who it is: the month runs again."""
        return await self.change(await self.change.one(name), domain.identity_given)

    async def lift(self, name: str, note: str | None, to: Addressee | None = None) -> Request:
        """End a restriction; the person is told (RGPD 18(3)), then whoever had a permission."""
        request = await self.change.one(name)
        subject = texts.subject(request, "Fin de la limitation")
        written = Written("request.lifted", subject, texts.lifted_text(request, note))
        letter = await self.addressing.letter(request, await self._dossier(request), written, to, self.change.now())
        return await self.settling.deliver(await self.change(request, lambda now, at: domain.lifted(now, at, letter)))

    async def settle(self, names: Collection[str]) -> None:
        """Orders of these requests were answered: close those that wait for nothing more."""
        await self.settling.settle(names)

    async def who(self, request: Request) -> list[Controller]:
        """The controllers that answer the person, as the agreements in force at collection say."""
        return self.answering.who(await self._dossier(request))

    async def _answer_by_itself(self, request: Request) -> None:
        """An erasure whose author is known needs nobody's decision. Where it cannot be answered, it waits for the operator."""
        try:
            await self.answer(request.id)
        except InputError:
            return

    async def _act(self, request: Request) -> Request:
        await self.crossing.stops([(await self.gathering.fresh(request)).as_stop])
        return await self.change(request, domain.acting)

    async def _erase(self, request: Request, dossier: Dossier) -> tuple[list[Planned], Request]:
        """Begin the erasure; which records it is about is stored first, since nothing finds them afterwards."""
        records = dossier.records
        request = await self.change(request, lambda now, at: domain.erased_records(now, records, at))
        if not request.erased:
            return [], request
        cause = Cause.WITHDRAWN if dossier.stops else Cause.PERSON_REQUEST
        return await self.erasing.erase(request.erased, cause=cause), request

    async def _dossier(self, request: Request) -> Dossier:
        return await self.gathering.dossier(request, self.change.now())


def _known(word: str, words: Collection[str], pointer: str) -> None:
    if word not in words:
        raise InputError([Problem("VALUE-UNKNOWN", pointer, f"one of: {', '.join(sorted(words))}")])
