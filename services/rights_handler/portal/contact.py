"""What a person types: an e-mail address, a telephone number, a postal address, in the normal form of consents. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.contracts.person_messages import MAX_ADDRESS_LINES
from shared.intake.contacts import ContactFault, normalise

LONGEST = 254
"""Of an e-mail address (RFC 5321); anything longer is not read."""
POSTAL_LONGEST, POSTAL_FEWEST = 400, 2
"""Characters at most, lines at least."""
REGION = "FR"
"""Of a number typed without its country."""
_HIDDEN = "•"


@dataclass(frozen=True, slots=True)
class Typed:
    """A normalised contact. Memory only."""

    kind: Literal["email", "phone", "post"]
    value: str

    def __repr__(self) -> str:
        return f"Typed({self.kind})"

    @property
    def masked(self) -> str:
        """Enough for its owner to recognise, too little for anyone else."""
        return "votre adresse postale" if self.kind == "post" else mask(self.kind, self.value)

    def as_wire(self) -> dict[str, str]:
        """As contracts have contacts."""
        return {"type": self.kind, "value": self.value}


def read_contact(text: str) -> Typed:
    """The contact that a person typed. Raises ContactFault where it can be neither."""
    if not text.strip() or len(text) > LONGEST:
        raise ContactFault("CONTACT-EMPTY", "give an e-mail address or a telephone number")
    kind: Literal["email", "phone"] = "email" if "@" in text else "phone"
    return Typed(kind, normalise(kind, text.strip(), REGION).value)


def read_postal(text: str) -> Typed:
    """The postal address that a person typed, line by line. Raises ContactFault unless it could stand on an envelope."""
    value = normalise("post", text.replace("\r", "")[: POSTAL_LONGEST + 1], REGION).value
    if not POSTAL_FEWEST <= len(value.split("\n")) <= MAX_ADDRESS_LINES or len(text) > POSTAL_LONGEST:
        raise ContactFault("CONTACT-POST", "a postal address has two to seven lines")
    return Typed("post", value)


def mask(kind: str, value: str) -> str:
    """`j•••@c•••.fr`, `+33 • •• •• •• 78`; anything else is only counted."""
    if kind == "email":
        local, _, domain = value.partition("@")
        name, dot, last = domain.rpartition(".")
        return f"{local[:1]}{_HIDDEN * 3}@{name[:1]}{_HIDDEN * 3}{dot}{last}"
    if kind == "phone":
        return f"{value[:3]} {_HIDDEN} {_HIDDEN * 2} {_HIDDEN * 2} {_HIDDEN * 2} {value[-2:]}"
    return _HIDDEN * 6
