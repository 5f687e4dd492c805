"""HTTP of the registry: a collector submits its own signed documents, and sees what is registered and since when.

`POST /v1/registry` answers 201 where the document is applied at once, 202 where it waits for the operator, 200 where it was there
already, 409 where its version holds another body (versions never change). `GET /v1/registry` lists what a party may see.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.consent_validator.rules.days import paris_day
from services.consent_validator.submitting import Ruling, rule
from shared import canonical
from shared.auth import Authenticator
from shared.bodies import limited
from shared.clock import Clock
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.kafka.publisher import Outgoing, Publisher
from shared.problems import Refusal
from shared.registry.feed import RegistryFeed
from shared.registry.models import parse
from shared.registry.submissions import Submission, decided, submission_id, submitted
from shared.registry.view import Reference, RegistryView
from shared.topics import REGISTRY, SUBMISSIONS

SHOWN = ("form", "list", "notice", "agreement")


class RegistryApi:
    """The routes and what they need."""

    def __init__(self, auth: Authenticator, registry: RegistryFeed, publisher: Publisher, clock: Clock) -> None:
        self._auth, self._registry, self._publisher, self._clock = auth, registry, publisher, clock

    def router(self) -> APIRouter:
        """All routes of this module."""
        router = APIRouter()
        router.add_api_route("/v1/registry", self.submit, methods=["POST"], status_code=201, response_model=None)
        router.add_api_route("/v1/registry", self.versions, methods=["GET"], response_model=None)
        return router

    async def submit(self, request: Request) -> JSONResponse:
        """Take a document in. It is recorded with its signature whatever becomes of it, then applied or queued."""
        caller = self._auth.caller(request)
        caller.require("collector")
        if caller.party is None:
            raise Refusal(
                403, "FORBIDDEN", "Only a party's key submits; the operator publishes with `opposable registry apply`"
            )
        document, signature = _parts(await limited(request))
        await self._registry.catch_up()
        view = self._registry.view
        ruling = rule(document, signature, caller.party, view, paris_day(self._clock.now()))
        if view.reference(ruling.key) is not None:
            return self._there(document, ruling)
        identity = submission_id(caller.party, document)
        submission = Submission(identity, caller.party, document, signature, None, reason=ruling.reason)
        messages = [_record(submission, submitted(submission))]
        if ruling.reason is None:
            messages.append(Outgoing(REGISTRY.name, ruling.key.encode(), canonical.dumps(document)))
            messages.append(_record(submission, decided(submission, "applied", "self-service")))
        await self._publisher.send_all(messages)
        if ruling.reason is not None:
            return _answer(202, ruling, "queued", id=identity, reason=ruling.reason)
        await self._registry.catch_up()
        return self._there(document, ruling, status=201, id=identity)

    async def versions(self, request: Request) -> dict[str, Any]:
        """What is registered and when it was archived: everything for the operator, its own and its agreements for a party."""
        caller = self._auth.caller(request)
        everything = bool(caller.scopes & {"operator", "auditor"})
        view = self._registry.view
        found = [
            shown(reference) for reference in view.references()
            if reference.key.partition(":")[0] in SHOWN and (everything or _concerns(reference.key, caller.party, view))
        ]  # fmt: skip
        return {"registry_offset": view.offset, "documents": sorted(found, key=lambda one: str(one["key"]))}

    def _there(self, document: Any, ruling: Ruling, status: int = 200, **more: Any) -> JSONResponse:
        """The answer where a body stands under the key: ours, or another, which then won."""
        view = self._registry.view
        if not same(document, ruling.key, view):
            raise Refusal(409, "REGISTRY-VERSION", "This version holds another body: give the change a new version")
        reference = view.reference(ruling.key)
        assert reference is not None  # noqa: S101 - it was found by the caller
        return _answer(status, ruling, "applied" if status > 200 else "unchanged", **shown(reference), **more)  # noqa: PLR2004


def same(document: Any, key: str, view: RegistryView) -> bool:
    """Whether the registry holds this very document under its key."""
    kind, _, name = key.partition(":")
    identity, _, version = name.rpartition(":")
    stored: Any = None
    if kind == "form":
        stored = view.form(identity, int(version))
    elif kind == "list":
        stored = view.list_(identity, int(version))
    elif kind == "notice":
        stored = view.notice(identity, version)
    return bool(stored == parse(document))


def shown(reference: Reference) -> dict[str, Any]:
    """A document's place: key, offset on `registry`, archived time."""
    at = None if reference.archived_at is None else format_instant(reference.archived_at)
    return {"key": reference.key, "offset": reference.offset, "archived_at": at}


def _concerns(key: str, party: str | None, view: RegistryView) -> bool:
    """Whether a party may see a document: its own, its agreements, and the lists that name it."""
    kind, _, name = key.partition(":")
    identity, _, version = name.rpartition(":")
    if kind == "form":
        form = view.form(identity, int(version))
        return form is not None and form.collector == party
    if kind == "list":
        published = view.list_(identity, int(version))
        return published is not None and (
            published.collector == party or any(e.party == party for e in published.entries)
        )
    if kind == "agreement":
        return any(
            agreement.id == identity and party in (agreement.collector, agreement.prospector)
            for owner in view.parties() for agreement in view.agreements_of(owner.id)
        )  # fmt: skip
    return True  # a notice is public


def _parts(raw: bytes) -> tuple[Any, str]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise InputError([Problem("JSON", "", "the body is not JSON")]) from None
    if not isinstance(body, dict) or set(body) != {"document", "signature"} or not isinstance(body["signature"], str):
        raise InputError([Problem("FIELD-MISSING", "", "give a document and its signature, and nothing else")])
    return body["document"], body["signature"]


def _record(submission: Submission, value: dict[str, Any]) -> Outgoing:
    return Outgoing(SUBMISSIONS.name, submission.key.encode(), canonical.dumps(value))


def _answer(status: int, ruling: Ruling, state: str, **more: Any) -> JSONResponse:
    warnings = [problem.as_dict() for problem in ruling.warnings]
    return JSONResponse({"status": state, "key": ruling.key, "warnings": warnings, **more}, status_code=status)
