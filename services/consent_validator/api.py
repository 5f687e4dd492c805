"""HTTP: `POST /v1/assess` (dry run, nothing is recorded) and `GET /v1/rules` (the law of a day)."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from fastapi import APIRouter, Request

from services.consent_validator.dry_run import assess_line, unreadable
from services.consent_validator.rules.book import RuleBook
from services.consent_validator.rules.days import paris_day
from services.consent_validator.rules.model import Rule
from shared.auth import Authenticator
from shared.bodies import limited
from shared.clock import Clock
from shared.contracts.types import lenient_instant
from shared.errors import InputError, Problem
from shared.problems import Refusal
from shared.registry.feed import RegistryFeed


def make_router(auth: Authenticator, registry: RegistryFeed, clock: Clock, book: RuleBook) -> APIRouter:
    """The validator's routes."""
    router = APIRouter()

    @router.post("/v1/assess")
    async def assess(request: Request, at: str | None = None, why: bool = False) -> dict[str, Any]:
        """One line of evidence in, its verdict lines out. A party assesses its own evidence; the operator anyone's."""
        caller = auth.caller(request)
        caller.require("collector", "prospector", "operator")
        instant = lenient_instant(at)
        if at is not None and instant is None:
            raise InputError([Problem("FIELD-FORMAT", "/at", "an instant needs a date, a time and a zone")])
        try:
            line = orjson.loads(await limited(request))
        except orjson.JSONDecodeError:
            return unreadable()
        if caller.party is not None and _source(line) != caller.party:
            raise Refusal(403, "IDENTITY", "A party's key assesses the evidence of that party only")
        answer = assess_line(line, registry.view, at=instant, now=clock.now(), book=book, why=why)
        return {**answer, "ruleset": book.version, "registry_offset": registry.view.offset}

    @router.get("/v1/rules")
    async def rules(at: date | None = None) -> dict[str, Any]:
        """The rules in force on a day (default: today in Paris)."""
        day = at or paris_day(clock.now())
        return {"ruleset": book.version, "at": day.isoformat(), "rules": [as_dict(rule) for rule in book.on(day)]}

    return router


def as_dict(rule: Rule) -> dict[str, Any]:
    """A rule as it is shown to programs."""
    return {
        "code": rule.code,
        "phase": rule.phase,
        "effect": rule.effect,
        "applies_from": rule.applies_from.isoformat(),
        "applies_until": None if rule.applies_until is None else rule.applies_until.isoformat(),
        "source": rule.source,
        "confidence": rule.confidence,
        "title": {"fr": rule.title_fr, "en": rule.title_en},
        "cure": {"fr": rule.cure_fr, "en": rule.cure_en},
    }


def _source(line: Any) -> Any:
    envelope = line.get("ce") if isinstance(line, dict) else None
    return envelope.get("source") if isinstance(envelope, dict) else None
