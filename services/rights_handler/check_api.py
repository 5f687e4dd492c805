"""`POST /v1/permissions/check` and `/v1/permissions/check-batch`: may this party contact this person, this way, now?

Fails closed: when the database is away or the index may lag, the answer is 503 and never yes. A yes holds fifteen minutes at
most, less where the hours of calls, the permission or the delay of RGPD 14 end sooner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from services.rights_handler.check_models import BatchRequest, CheckRequest, Person, Use, schema_of
from services.rights_handler.checking import Asked, Checking
from services.rights_handler.noticing import Noticing
from services.rights_handler.permissions import Question, Ruling
from services.rights_handler.persons import Persons
from services.rights_handler.sending.book import judge
from services.rights_handler.sending.model import ANSWER_VALID, Check
from services.rights_handler.sending.notice import Notice
from shared.auth import Authenticator, Caller
from shared.bodies import limited
from shared.clock import Clock
from shared.contracts.types import CONTACT_OF_CHANNEL
from shared.errors import InputError, Problem, Unavailable
from shared.instants import format_instant
from shared.intake.accepted import read
from shared.intake.contacts import ContactFault, normalise
from shared.metrics import Metrics
from shared.pace import Pace
from shared.pacing import in_turns
from shared.problems import Refusal, problem

MAX_BYTES = 4 * 1_048_576
"""Of a body: ten thousand contacts with their zones and references."""
COUNTRY = "FR"

Body = TypeVar("Body", CheckRequest, BatchRequest)
_CHECK: TypeAdapter[CheckRequest] = TypeAdapter(CheckRequest)
_BATCH: TypeAdapter[BatchRequest] = TypeAdapter(BatchRequest)


class CheckApi:
    """The routes of permission checks and what they need."""

    def __init__(
        self, *, auth: Authenticator, checking: Checking, persons: Persons, noticing: Noticing, clock: Clock, pace: Pace,
        metrics: Metrics,
    ) -> None:  # fmt: skip
        self._pace, self._metrics = pace, metrics
        self._auth, self._checking, self._persons = auth, checking, persons
        self._noticing, self._clock = noticing, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        for path, endpoint, adapter in (
            ("/v1/permissions/check", self.check, _CHECK), ("/v1/permissions/check-batch", self.check_batch, _BATCH),
        ):  # fmt: skip
            content = {"application/json": {"schema": schema_of(adapter)}}
            body = {"requestBody": {"required": True, "content": content}}
            router.add_api_route(path, endpoint, methods=["POST"], openapi_extra=body)
        return router

    async def check(self, request: Request) -> Response:
        """One question, one answer."""
        caller = self._caller(request)
        body = await _read(request, _CHECK)
        recipient, now = _recipient(caller, body), self._clock.now()
        self._count(caller, 1)
        asked = self._asked(recipient, body, body, now, "")
        try:
            (ruling,) = await self._checking(recipient, [asked])
        except Unavailable as error:
            return self._unreachable(error, body.channel, now)
        self._told([ruling])
        notice = self._noticing.of(asked.question, ruling)
        return _json({**_answer(ruling, notice, now), "checked_at": format_instant(now)})

    async def check_batch(self, request: Request) -> Response:
        """The same question about many persons. A contact that cannot be read is answered no, with what is wrong with it."""
        caller = self._caller(request)
        body = await _read(request, _BATCH)
        recipient, now = _recipient(caller, body), self._clock.now()
        self._count(caller, len(body.contacts))
        asked: list[Asked] = []
        results: list[dict[str, Any]] = []
        places: list[int] = []
        async for place, listed in in_turns(enumerate(body.contacts)):
            results.append({} if listed.ref is None else {"ref": listed.ref})
            defaults = {"country": listed.country or body.country, "zone": listed.zone or body.zone}
            try:
                asked.append(
                    self._asked(recipient, body, listed.model_copy(update=defaults), now, f"/contacts/{place}")
                )
            except InputError as error:
                results[place] |= {"allowed": False, "reasons": [], "problems": [p.as_dict() for p in error.problems]}
            else:
                places.append(place)
        try:
            rulings = await self._checking(recipient, asked)
        except Unavailable as error:
            return self._unreachable(error, body.channel, now)
        self._told(rulings)
        async for place, ruling, one in in_turns(zip(places, rulings, asked, strict=True)):
            notice = self._noticing.of(one.question, ruling) if body.with_notices else None
            results[place] |= _answer(ruling, notice, now)
        return _json({"checked_at": format_instant(now), "results": results})

    def _caller(self, request: Request) -> Caller:
        caller = self._auth.caller(request)
        caller.require("prospector", "collector", "operator")
        return caller

    def _count(self, caller: Caller, contacts: int) -> None:
        """Against the party's quota. Raises 429 past it: a party that fishes is slowed down, and seen."""
        if caller.party is None:
            return
        try:
            self._pace.take(caller.party, contacts)
        except Refusal:
            self._metrics.checks.labels("over_quota").inc(contacts)
            raise

    def _told(self, rulings: Sequence[Ruling]) -> None:
        """Counts the disclosures: how many, and nothing of whom."""
        allowed = sum(ruling.allowed for ruling in rulings)
        self._metrics.checks.labels("allowed").inc(allowed)
        self._metrics.checks.labels("refused").inc(len(rulings) - allowed)

    def _unreachable(self, error: Unavailable, channel: str, now: datetime) -> Response:
        self._metrics.checks.labels("unreachable").inc()
        return _unreachable(error, channel, now)

    def _asked(self, recipient: str, use: Use, person: Person, now: datetime, pointer: str) -> Asked:
        """Raises InputError where the contact cannot be one, or is not of the channel."""
        named = person.contact or person.match_key
        if named is None or (person.contact is not None and person.match_key is not None):
            raise InputError([Problem("CONTACT-NAMED", pointer, "give a contact or a match_key, one of the two")])
        field = "contact" if person.contact is not None else "match_key"
        needed = CONTACT_OF_CHANNEL[use.channel]
        if needed is not None and named.type != needed:
            message = f"this channel uses a contact of type {needed}"
            raise InputError([Problem("CONTACT-CHANNEL", f"{pointer}/{field}/type", message)])
        keys: frozenset[str] = frozenset()
        alias = None
        if person.match_key is not None:
            alias = self._persons.alias(recipient, named.type, person.match_key.key)
        elif person.contact is not None:
            try:
                value = normalise(named.type, person.contact.value, person.country or COUNTRY).value
            except ContactFault as fault:
                raise InputError([Problem(fault.code, f"{pointer}/contact/value", str(fault))]) from None
            keys = frozenset([self._persons.contact_key(named.type, value)])
        question = Question(
            keys, recipient, use.channel, use.purpose, use.sector, format_instant(use.at or now), person.zone,
            person.appointment,
        )  # fmt: skip
        return Asked(question, alias)


def _answer(ruling: Ruling, notice: Notice | None, now: datetime) -> dict[str, Any]:
    """What is told of a ruling."""
    grant, line, ends = ruling.grant, ruling.line, ruling.answer.holds_until
    valid_until = now + ANSWER_VALID if ends is None else min(now + ANSWER_VALID, ends)
    told: dict[str, Any] = {
        "allowed": ruling.allowed,
        "reasons": [{"code": reason.code, "text_fr": reason.text_fr} for reason in ruling.reasons],
        "attach_notice": ruling.answer.attach_notice,
        "valid_until": format_instant(valid_until) if ruling.allowed else None,
        "record": None if grant is None else grant.record,
        "basis": None if line is None else line.basis,
    }
    return told if notice is None else {**told, "notice_fr": notice.text_fr, "notice_lacks": notice.lacks}


def _recipient(caller: Caller, use: Use) -> str:
    recipient = use.recipient or caller.party
    if recipient is None:
        raise InputError([Problem("FIELD-MISSING", "/recipient", "say for whom the check is")])
    if caller.party is not None and recipient != caller.party:
        raise Refusal(403, "FORBIDDEN", "A party checks for itself only")
    return recipient


async def _read(request: Request, adapter: TypeAdapter[Body]) -> Body:
    return read(adapter, await limited(request, MAX_BYTES))


def _json(body: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})


def _unreachable(error: Unavailable, channel: str, now: datetime) -> Response:
    """The rule UNREACHABLE speaks alone: nothing else can be said while nothing is known."""
    reasons = judge(Check(channel, now, unreachable=True)).reasons
    told = [{"code": r.code, "text_fr": r.text_fr} for r in reasons if r.code == "UNREACHABLE"]
    sentence = str(error)
    return problem(503, sentence[0].upper() + sentence[1:], code="UNREACHABLE", allowed=False, reasons=told)
