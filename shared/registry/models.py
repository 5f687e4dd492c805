"""What the registry holds: parties, notices, forms, recipient lists, agreements, and topic incarnations (contracts.md).

The documents are what is published and hashed; the models are how they are read. Unknown fields are errors. A list with
a wrong hash or signature loads all the same: it is *assessed* (LIST-HASH, LIST-SIGNATURE), so that the fault has a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints, TypeAdapter

from shared.contracts.types import (
    Channel,
    Contract,
    Country,
    Day,
    Instant,
    ObjectId,
    PartyId,
    Purpose,
    Sector,
    Sha256,
    Version,
)
from shared.registry.shown import Form, Named, Notice, Number, RecipientList, Text, Url
from shared.registry.subprocessors import SubProcessor

Duration = Annotated[str, StringConstraints(pattern=r"^P([0-9]{1,4}D)?(T([0-9]{1,5}[HMS])+)?$", min_length=3)]
"""ISO 8601, days and times only (`PT24H`, `P14D`)."""


class Delivery(Contract):
    """How the party gets what we tell it."""

    mode: Literal["kafka", "webhook"] = "kafka"
    url: Url | None = None


class ApiKey(Contract):
    """A bearer key: only its SHA-256 is kept. `expires_at` is an RFC 3339 text."""

    id: ObjectId
    sha256: Sha256
    scopes: tuple[Literal["collector", "prospector", "operator", "auditor"], ...]
    expires_at: str | None = None


class Party(Named):
    """A company."""

    kind: Literal["party"]
    id: PartyId
    country: Country
    roles: Annotated[tuple[Literal["collector", "prospector", "processor"], ...], Field(min_length=1)]
    contact_dpo: Text | None = None
    privacy_url: Url | None = None
    brands: tuple[Text, ...] = ()
    status: Literal["active", "suspended"] = "active"
    suspended_from: Instant | None = None
    status_reason: Text | None = None
    """Why it was suspended or reinstated: names a file, never a person."""
    public_keys: tuple[Text, ...] = ()
    delivery: Delivery = Delivery()
    api_keys: tuple[ApiKey, ...] = ()


class Audit(Contract):
    """How the prospecteur samples proofs."""

    sample_rate: Number
    correction: Duration


class Agreement(Contract):
    """A contract between a collector and a prospecteur. Both dates are days in Paris, included."""

    kind: Literal["agreement"]
    id: ObjectId
    version: Version
    collector: PartyId
    prospector: PartyId
    qualification: Literal["independent", "joint", "processor"]
    valid_from: Day
    valid_until: Day | None = None
    channels: tuple[Channel, ...]
    purposes: tuple[Purpose, ...]
    sectors: tuple[Sector, ...] = ("general",)
    list_signature_required: bool = False
    proof_sla: Duration | None = None
    stop_sla: Duration | None = None
    onward_transfer: bool = False
    audit: Audit | None = None
    document_sha256: Sha256 | None = None
    signed_at: Instant | None = None
    clauses: tuple[Text, ...] | None = None
    self_service: bool = False


class Topic(Contract):
    """An archived topic's incarnation, written by provisioning."""

    kind: Literal["topic"]
    id: Text
    incarnation: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    partitions: Annotated[int, Field(ge=1)]


Entry = Annotated[Party | Notice | Form | RecipientList | Agreement | SubProcessor | Topic, Field(discriminator="kind")]
AnyEntry = Party | Notice | Form | RecipientList | Agreement | SubProcessor | Topic
VERSIONED = frozenset({"notice", "form", "list", "agreement", "subprocessor"})
"""Kinds of which the first body published under a version wins; of the others the newest counts."""

_ADAPTER: TypeAdapter[AnyEntry] = TypeAdapter(Entry)


def parse(document: Mapping[str, Any]) -> AnyEntry:
    """The model of one document. Raises pydantic's ValidationError (a ValueError)."""
    return _ADAPTER.validate_json(orjson.dumps(document))


def key_of(document: Mapping[str, Any]) -> str:
    """`kind:id` or `kind:id:version`."""
    key = f"{document.get('kind')}:{document.get('id')}"
    return f"{key}:{document.get('version')}" if document.get("kind") in VERSIONED else key
