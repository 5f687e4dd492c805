"""The bodies of the routes of erasure and holds, read strictly."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter

from services.rights_handler.erasing.holds import AUTHOR, HoldReason, ScopeKind
from services.rights_handler.erasing.model import Cause
from shared.contracts.types import ContactType, Contract, Instant, PartyId

MOST_RECORDS = 1000
Record = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,40}/[A-Za-z0-9._:/-]{1,120}$")]
Author = Annotated[str, StringConstraints(pattern=f"^{AUTHOR.pattern}$")]
HoldId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{2,63}$")]


class AskedContact(Contract):
    """A contact as a person writes it."""

    type: ContactType
    value: Annotated[str, StringConstraints(min_length=1, max_length=512)]


class Subject(Contract):
    """A collector's own reference of its person."""

    collector: PartyId
    ref: Annotated[str, StringConstraints(min_length=1, max_length=512)]


class EraseBody(Contract):
    """`POST /v1/erasures`: records, or a person; exactly one of the three."""

    records: Annotated[list[Record], Field(max_length=MOST_RECORDS)] | None = None
    contact: AskedContact | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "FR"
    subject: Subject | None = None
    reason: Cause = Cause.PERSON_REQUEST
    dry_run: bool = False


class HoldBody(Contract):
    """`POST /v1/holds`: what is held, by whom, why, until when at least somebody looks again."""

    id: HoldId
    scope: ScopeKind
    value: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    """A record, a party, or a contact as `type:value`."""
    author: Author
    reason: HoldReason
    review_at: Instant
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "FR"


class ReviewBody(Contract):
    """`POST /v1/holds/{id}/review`."""

    review_at: Instant


ERASE, HOLD, REVIEW = TypeAdapter(EraseBody), TypeAdapter(HoldBody), TypeAdapter(ReviewBody)
