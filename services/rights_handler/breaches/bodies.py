"""Bodies of the routes of breaches."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from services.rights_handler.breaches.codes import Data, Ending, Exemption, Nature, Origin, Risk
from services.rights_handler.breaches.model import Scope
from shared.instants import format_instant, parse_instant

MAX_BYTES = 1_048_576
RECORDS_MOST = 10_000
Instant = Annotated[str, AfterValidator(lambda text: format_instant(parse_instant(text)))]
Words = Annotated[str, Field(max_length=8000)]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")]
Names = Annotated[tuple[str, ...], Field(max_length=RECORDS_MOST)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScopeBody(_Body):
    """Named records, or those received in a time range (end excluded) by collectors, held by recipients."""

    records: Names = ()
    collectors: Names = ()
    recipients: Names = ()
    received_from: Instant | None = None
    received_until: Instant | None = None


class OpenBody(_Body):
    """Body of `POST /v1/breaches`."""

    id: Slug
    noticed_at: Instant
    author: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")] = "dpo"
    natures: Annotated[tuple[Nature, ...], Field(min_length=1)]
    data: Annotated[tuple[Data, ...], Field(min_length=1)]
    origin: Origin = Origin.UNKNOWN
    risk: Risk = Risk.RISK
    what: Annotated[str, Field(min_length=8, max_length=8000)]
    effects: Words = ""
    measures: Words = ""
    began_at: Instant | None = None
    ended_at: Instant | None = None
    scope: ScopeBody | None = None


class AmendBody(_Body):
    """More is known: only what is given changes."""

    natures: tuple[Nature, ...] | None = None
    data: tuple[Data, ...] | None = None
    origin: Origin | None = None
    risk: Risk | None = None
    what: Words | None = None
    effects: Words | None = None
    measures: Words | None = None
    began_at: Instant | None = None
    ended_at: Instant | None = None
    scope: ScopeBody | None = None


class AuthorityBody(_Body):
    """The authority was notified, or (`waived`) need not be."""

    notified_at: Instant | None = None
    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,64}$")] | None = None
    late_because: Words | None = None
    waived: bool = False


class PersonsBody(_Body):
    """The persons were told, or why they need not be."""

    informed_at: Instant | None = None
    exempt: Exemption | None = None


class PartiesBody(_Body):
    """Whom to tell; empty: all that were counted."""

    parties: Names = ()


class CloseBody(_Body):
    """How it ended."""

    ending: Ending


OPEN, AMEND = TypeAdapter(OpenBody), TypeAdapter(AmendBody)


def scope_of(body: ScopeBody) -> Scope:
    """The scope that a body names."""
    return Scope(**{name: getattr(body, name) for name in ScopeBody.model_fields})
