"""Assesses one line of evidence without recording anything: `opposable assess` and `POST /v1/assess`. Pure.

A line is `{"ce": {"id", "source", "type", "time"}, "received_at": "…", "data": {…}}`; the answer is the line that the
command prints (contracts.md). What is refused at intake is refused here, with the same problems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from services.consent_validator.domain import assess, explain
from services.consent_validator.rules.book import STANDARD, RuleBook
from services.consent_validator.rules.model import Rule
from services.consent_validator.verdict import VerdictLine
from shared.contracts.envelope import SPEC_VERSION, envelope_of
from shared.contracts.partner import CONSENT_COLLECTED
from shared.contracts.types import instant, lenient_instant
from shared.errors import InputError, Problem
from shared.intake.accept import door_of
from shared.intake.consents import accept_consent
from shared.registry.view import RegistryView


def assess_line(
    line: Any, registry: RegistryView, *, at: datetime | None = None, now: datetime | None = None,
    book: RuleBook = STANDARD, why: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The answer to one parsed line. `at`: evaluation instant (default: its receipt); `now`: receipt where it has none.

    `why`: with the facts that made each rule fire, in French, and what would cure it.
    """
    answer: dict[str, Any] = {
        "event_id": _text(line, "ce", "id"),
        "consent_id": _text(line, "data", "consent_id"),
        "status": "rejected",
        "problems": [],
        "lines": [],
    }
    try:
        facts = facts_of_line(line, registry, now)
        moment = at or instant(facts["received_at"])
        if why:
            lines = [as_explained(line, rules) for line, rules in explain(facts, registry, moment, book)]
        else:
            lines = [as_printed(line) for line in assess(facts, registry, moment, book).lines]
    except InputError as error:
        answer["problems"] = [problem.as_dict() for problem in error.problems]
    else:
        answer["status"] = "accepted"
        answer["lines"] = lines
    return answer


def unreadable() -> dict[str, Any]:
    """The answer to a line that is no JSON."""
    problem = Problem("JSON", "", "the line is not JSON")
    return {"event_id": None, "consent_id": None, "status": "rejected", "problems": [problem.as_dict()], "lines": []}


def as_printed(line: VerdictLine) -> dict[str, Any]:
    """The fields of a verdict line that are printed."""
    return {
        "recipient": line.recipient,
        "channel": line.channel,
        "purpose": line.purpose,
        "sector": line.sector,
        "verdict": line.verdict,
        "basis": line.basis,
        "reasons": list(line.reasons),
        "valid_until": line.valid_until,
    }


def as_explained(line: VerdictLine, rules: Sequence[tuple[Rule, str]]) -> dict[str, Any]:
    """A line as printed, with why each rule fired."""
    why = [
        {"code": rule.code, "title": rule.title_fr, "facts": text, "cure": rule.cure_fr, "source": rule.source}
        for rule, text in rules
    ]
    return {**as_printed(line), "why": why}


def facts_of_line(line: Any, registry: RegistryView, now: datetime | None = None) -> dict[str, Any]:
    """The facts of a line, as they would be recorded. Raises InputError with what intake refuses."""
    if not isinstance(line, dict) or not isinstance(line.get("ce"), dict) or "data" not in line:
        raise InputError([Problem("ENVELOPE-MISSING", "", "a line has ce (id, source, type), received_at and data")])
    received = lenient_instant(line["received_at"]) if "received_at" in line else now
    if received is None:
        raise InputError([Problem("FIELD-FORMAT", "/received_at", "an instant needs a date, a time and a zone")])
    envelope = envelope_of({"specversion": SPEC_VERSION, **line["ce"]}, "/ce/")
    if envelope.type != CONSENT_COLLECTED:
        raise InputError([Problem("TYPE-UNKNOWN", "/ce/type", f"only {CONSENT_COLLECTED} is evidence to assess")])
    try:
        data = orjson.dumps(line["data"])
    except orjson.JSONEncodeError:
        raise InputError([Problem("JSON", "/data", "the data is nested beyond reason")]) from None
    door_of(envelope, envelope.source, registry)
    return accept_consent(envelope, data, received, registry, guarded=False).facts


def _text(line: Any, part: str, name: str) -> str | None:
    value = line.get(part) if isinstance(line, Mapping) else None
    text = value.get(name) if isinstance(value, Mapping) else None
    return text if isinstance(text, str) else None
