"""The invented world of `tests/cases`, and a valid event in it that each test bends in one place."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from services.consent_validator.domain import assess
from services.consent_validator.rules.book import STANDARD, RuleBook
from services.consent_validator.verdict import VerdictLine
from shared.contracts.envelope import Envelope
from shared.contracts.partner import CONSENT_COLLECTED
from shared.contracts.types import instant
from shared.intake.accept import Accepted, accept
from shared.registry.hashing import list_hash
from shared.registry.load import Document, load_dir, view_of
from shared.registry.models import key_of
from shared.registry.view import RegistryView

CASES = Path(__file__).resolve().parents[2] / "cases"
Json = dict[str, Any]


@functools.cache
def documents() -> tuple[Document, ...]:
    return tuple(load_dir(CASES / "registry"))


@functools.cache
def registry() -> RegistryView:
    """The cases' registry; tests that change it take a copy (`bent_registry`)."""
    return view_of(documents())


def body(key: str) -> Json:
    """A registry document, to be changed."""
    return copy.deepcopy(next(d.body for d in documents() if d.key == key))


def bent_registry(*replaced: Json, extra: Iterable[Json] = ()) -> RegistryView:
    """The registry with some documents in place of those with the same key, and some more."""
    new = {key_of(b): b for b in replaced}
    docs = [Document(d.key, new.pop(d.key, d.body)) for d in documents()]
    assert not new, f"nothing to replace: {list(new)}"
    return view_of(docs + [Document(key_of(b), b) for b in extra])


@functools.cache
def _case_lines() -> tuple[str, ...]:
    return tuple((CASES / "public.jsonl").read_text("utf-8").splitlines())


def public_cases() -> list[Json]:
    return [json.loads(line) for line in _case_lines()]


def case(name: str) -> Json:
    """The input line of one public case."""
    line: Json = next(c for c in public_cases() if c["name"] == name)["input"]
    return line


def event(name: str = "email-one-named-recipient", **changes: Any) -> Json:
    """Data of a case with top-level fields changed."""
    return {**case(name)["data"], **changes}


def decision(channel: str = "email", **more: Any) -> Json:
    return {
        "channel": channel, "purpose": "prospecting", "value": "granted", "recipients": ["televerveine"], **more,
    }  # fmt: skip


def call(**more: Any) -> Json:
    """A decision for calls that holds: object and period included."""
    return decision(
        "call", **{"sector": "general", "object": "abonnements de télévision", "valid_until": "2027-06-01", **more}
    )


def taken(
    data: Json, *, source: str = "ludibrume", received_at: str | None = None, view: RegistryView | None = None
) -> Accepted:
    """The accepted consent; received one second after collection unless told."""
    received = instant(received_at) if received_at else instant(data["collected_at"])
    return accept(
        Envelope("e-1", source, CONSENT_COLLECTED), orjson.dumps(data), party=source, received_at=received,
        registry=view or registry(),
    )  # fmt: skip


def judged(
    data: Json,
    *,
    source: str = "ludibrume",
    at: str | None = None,
    received_at: str | None = None,
    view: RegistryView | None = None,
    book: RuleBook = STANDARD,
    live: bool = False,
) -> tuple[VerdictLine, ...]:
    """The verdict lines of an event."""
    accepted = taken(data, source=source, received_at=received_at, view=view)
    moment: datetime = instant(at or accepted.facts["received_at"])
    return assess(accepted.facts, view or registry(), moment, book, live=live).lines


def one(data: Json, **how: Any) -> VerdictLine:
    """The only line."""
    (line,) = judged(data, **how)
    return line


def bend(key: str, change: Callable[[Json], object]) -> RegistryView:
    """The registry with one document changed in place (a list gets its new hash)."""
    document = body(key)
    change(document)
    if document["kind"] == "list":
        document["sha256"] = list_hash(document)
    return bent_registry(document)
