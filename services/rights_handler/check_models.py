"""The bodies of permission checks: one question, or one about many persons (contracts.md, HTTP)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter

from shared.contracts.types import Channel, ContactType, Contract, Country, Instant, PartyId, Purpose, Sector

MOST_CONTACTS = 10_000
"""Persons of one call."""


class Contact(Contract):
    """The contact about to be used, as the party knows it."""

    type: ContactType
    value: Annotated[str, StringConstraints(max_length=1000)]


class MatchKey(Contract):
    """The same contact, as the party's own match key names it (`match_keys` of permissions and orders)."""

    type: ContactType
    key: Annotated[str, StringConstraints(pattern=r"^m[0-9]{1,4}\.[A-Za-z0-9_-]{43}$")]


class Person(Contract):
    """Who is asked about, by `contact` or by `match_key`.

    `zone`: the person's IANA zone, needed for calls. `appointment`: the instant the person expressly gave.
    """

    contact: Contact | None = None
    match_key: MatchKey | None = None
    country: Country | None = None
    """Of a telephone number in national form; FR unless said."""
    zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    appointment: Instant | None = None


class Use(Contract):
    """What for. `recipient`: the asker itself, unless the operator asks. `at`: now, unless given."""

    channel: Channel
    purpose: Purpose = "prospecting"
    sector: Sector = "general"
    at: Instant | None = None
    recipient: PartyId | None = None


class CheckRequest(Person, Use):
    """One permission check."""


class Listed(Person):
    """One person of a batch. `ref`: the asker's own word for it, given back unread."""

    ref: Annotated[str, StringConstraints(max_length=128)] | None = None


class BatchRequest(Use):
    """The same question about many persons. `zone`, `country`: of those that do not say their own.

    `with_notices`: give each text to attach too; without it, only that one is owed.
    """

    country: Country | None = None
    zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    with_notices: bool = False
    contacts: Annotated[tuple[Listed, ...], Field(min_length=1, max_length=MOST_CONTACTS)]


def schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON Schema of a body, whole: references into a part of an OpenAPI document would lead nowhere."""
    schema = adapter.json_schema()
    parts = schema.pop("$defs", {})

    def whole(node: Any) -> Any:
        if isinstance(node, list):
            return [whole(item) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if reference is not None:
            return whole(parts[reference.removeprefix("#/$defs/")])
        return {name: whole(value) for name, value in node.items()}

    found: dict[str, Any] = whole(schema)
    return found
