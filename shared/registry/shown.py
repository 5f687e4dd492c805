"""What a person was shown: notices, form versions, recipient lists, as the registry holds them (contracts.md)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from shared.contracts.partner import PostInformation
from shared.contracts.types import (
    Channel,
    Contract,
    Instant,
    Language,
    Medium,
    NoticeVersion,
    ObjectId,
    PartyId,
    Purpose,
    Sha256,
    Version,
)
from shared.registry.balance import unbalance

Siren = Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2048)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Pixels = Annotated[int, Field(ge=0, le=100_000)]
Steps = Annotated[int, Field(ge=0, le=100)]


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a number, or a number as text")  # noqa: TRY004 - pydantic turns ValueError into a problem
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise ValueError("a number, or a number as text") from None


Number = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0)]
"""A decimal, as YAML number or (as published) as text: the public profile has no floats."""


class Named(Contract):
    """A legal person: by SIREN, or by a foreign registration."""

    legal_name: Text
    siren: Siren | None = None
    foreign_id: Text | None = None

    @model_validator(mode="after")
    def _one_registration(self) -> Named:
        if (self.siren is None) == (self.foreign_id is None):
            raise ValueError("exactly one of siren and foreign_id")
        return self

    @property
    def registration(self) -> str:
        """What tells this legal person from any other."""
        return self.siren or str(self.foreign_id)


class Notice(Contract):
    """An information notice and the items of RGPD 13 it holds."""

    kind: Literal["notice"]
    id: ObjectId
    version: NoticeVersion
    sha256: Sha256
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    items: tuple[Text, ...]


class NoticeOfForm(Contract):
    """The notice shown with a form version."""

    id: ObjectId
    version: NoticeVersion


class StepCount(Contract):
    """Clicks or gestures."""

    grant: Steps
    withdraw: Steps


class Control(Contract):
    """The control that accepts, or the one that refuses, as measured on the page."""

    present: bool = True
    label: Text | None = None
    width_px: Pixels | None = None
    height_px: Pixels | None = None
    font_px: Pixels | None = None
    contrast: Number | None = None
    position: Literal["beside", "below", "above"] | None = None


class Box(Contract):
    """One thing that can be ticked."""

    id: ObjectId
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    default: Literal["off", "on", "none"]
    with_terms: bool = False


class TrackerBanner(Contract):
    """Steps on a tracker banner."""

    steps_accept: Steps
    steps_refuse: Steps


class Form(Contract):
    """A form version: page, app screen, paper, call script."""

    kind: Literal["form"]
    id: ObjectId
    version: Version
    collector: PartyId
    published_at: Instant
    html_sha256: Sha256
    screenshot_sha256: Sha256 | None = None
    medium: Medium = "web"
    notice: NoticeOfForm | None
    list_shown: Literal["on_form", "link", "absent"]
    withdrawal_told: bool
    steps: StepCount
    service_conditional: bool
    incentive: str | None = None
    targets_minors: bool
    refusal: Control
    acceptance: Control
    boxes: tuple[Box, ...] = ()
    phone_statements: tuple[Literal["professional", "choice", "period", "withdrawal", "proof_access"], ...] = ()
    phone_objection_told: bool | None = None
    """Where a number is asked: whether the form says that one may object to calls (C. conso. L.223-2); None = not looked at."""
    post_information: PostInformation | None = None
    tracker: TrackerBanner | None = None

    @cached_property
    def boxes_by_use(self) -> Mapping[tuple[str, str], tuple[Box, ...]]:
        """The boxes that ask for each channel and purpose."""
        found: dict[tuple[str, str], tuple[Box, ...]] = {}
        for box in self.boxes:
            for use in dict.fromkeys(product(box.channels, box.purposes)):
                found[use] = (*found.get(use, ()), box)
        return found

    @cached_property
    def unbalance(self) -> int:
        """How much less visible the refusal is than the acceptance, 0 to 100 (see `shared.registry.balance`)."""
        return unbalance(self.refusal, self.acceptance)


class ListEntry(Named):
    """One named recipient, with what it was named for."""

    party: PartyId
    privacy_url: Url | None = None
    purposes: tuple[Purpose, ...]
    channels: tuple[Channel, ...]


class RecipientList(Contract):
    """A version of a list of recipients. `signature`: a whole signed note by the collector."""

    kind: Literal["list"]
    id: ObjectId
    version: Version
    collector: PartyId
    published_at: Instant
    nature: Literal["named", "categories"]
    entries: Annotated[tuple[ListEntry, ...], Field(max_length=500)] = ()
    categories: tuple[Text, ...] = ()
    sha256: Sha256
    signature: Annotated[str, StringConstraints(max_length=8192)] | None = None
