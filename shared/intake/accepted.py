"""The result of an accepted input, and the small steps that all kinds of input share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from shared import canonical
from shared.contracts.partner import Contact
from shared.errors import InputError, Problem
from shared.instants import format_instant
from shared.intake.contacts import ContactFault, normalise
from shared.intake.schema import problems_of

Model = TypeVar("Model")


class Accepted(NamedTuple):
    """One input, checked and split.

    `kind`: of the internal event. `record_id`: the vault's id (`<collector>/<consent_id>`, `stop/<source>/<stop_id>`,
    `request/<source>/<request_id>`, `report/<source>/<event id>`). `facts`: no personal data; the collector adds where the
    input stood and the commitments. `sealed`: what is personal; empty when nothing is. `pointers`: JSON pointers into
    `sealed` to commit to. `content`: canonical JSON of the data as sent (what the guard compares), or empty. `warnings`: told in the
    receipt, without effect.
    """

    kind: str
    record_id: str
    facts: dict[str, Any]
    sealed: dict[str, Any]
    pointers: list[str]
    content: bytes
    consent_id: str | None = None
    warnings: Sequence[Problem] = ()


def read(adapter: TypeAdapter[Model], data: bytes) -> Model:
    """The model of the data. Raises InputError with each fault."""
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        try:
            parsed = orjson.loads(data)
        except orjson.JSONDecodeError:
            parsed = None
        raise InputError(problems_of(error, parsed)) from None


def content_of(data: bytes) -> bytes:
    """Canonical JSON of the data as sent. Raises InputError where it is no JSON (or nested beyond reason)."""
    try:
        return canonical.dumps(orjson.loads(data))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise InputError([Problem("JSON", "", "the data is not JSON")]) from None


def contacts_of(contacts: Sequence[Contact], region: str | None, warnings: list[Problem]) -> list[dict[str, str]]:
    """Normalised contacts in order. Raises InputError naming each that cannot be; adds warnings for odd ones."""
    normal: list[dict[str, str]] = []
    problems: list[Problem] = []
    for index, contact in enumerate(contacts):
        try:
            result = normalise(contact.type, contact.value, region)
        except ContactFault as fault:
            problems.append(Problem(fault.code, f"/contacts/{index}/value", str(fault)))
            continue
        if result.unassigned:
            message = "the number's range is not assigned, as far as known"
            warnings.append(Problem("PHONE-UNASSIGNED", f"/contacts/{index}/value", message))
        normal.append({"type": contact.type, "value": result.value})
    if problems:
        raise InputError(problems)
    return normal


def pointers_of(sealed: Mapping[str, Any]) -> list[str]:
    """JSON pointer of every text in a sealed document, except the types of contacts, which say nothing of a person."""
    pointers: list[str] = []
    for name, value in sealed.items():
        if isinstance(value, str):
            pointers.append(f"/{name}")
        elif isinstance(value, dict):
            pointers += [f"/{name}/{key}" for key in value]
        elif isinstance(value, list):
            pointers += [
                f"/{name}/{index}/value" if isinstance(item, dict) else f"/{name}/{index}"
                for index, item in enumerate(value)
            ]
    return pointers


def types_of(contacts: Sequence[Mapping[str, str]]) -> list[str]:
    """The contact types present, sorted."""
    return sorted({contact["type"] for contact in contacts})


def instant_text(value: datetime | None) -> str | None:
    """The wire form of an instant, or None."""
    return None if value is None else format_instant(value)
