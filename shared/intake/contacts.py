"""Normalises the addresses of a person, so that the same person always gives the same contact (contracts.md).

E-mail: trimmed, lower case, IDNA; no provider's own dot or plus games. Phone: E.164; `is_possible_number` decides and a
merely unassigned range is a warning, since numbering plans age. Post: one block, white space and case evened out. Plain
ASCII e-mails and French numbers, nearly all of them, take a short way that gives exactly what the libraries give (tested).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any, NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from shared.contracts.types import ContactType
from shared.errors import OpposableError

GENERIC_MAILBOXES = frozenset({
    "accueil", "achat", "achats", "admin", "administration", "agence", "assistance", "atelier", "billing", "bonjour",
    "boutique", "bureau", "cabinet", "candidature", "commande", "commandes", "commercial", "communication",
    "compta", "comptabilite", "contact", "contacts", "devis", "direction", "dpo", "etude", "facturation", "facture",
    "factures", "formation", "gestion", "hello", "hotel", "info", "information", "informations", "infos", "jobs",
    "location", "magasin", "mail", "mairie", "marketing", "newsletter", "no-reply", "noreply", "office", "orders",
    "postmaster", "presse", "qualite", "reception", "recrutement", "renseignements", "reservation", "reservations",
    "restaurant", "rh", "sales", "sav", "secretariat", "service", "service-client", "serviceclient", "standard",
    "support", "vente", "ventes", "webmaster",
})  # fmt: skip
"""Local parts that name a function, not a person: the mailbox of a legal person (CNIL)."""

_PLAIN_EMAIL = re.compile(
    r"(?=[^@]{1,64}@)(?!.*--)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
_SPECIAL_TLDS = ("arpa", "invalid", "local", "localhost", "onion", "test")
_MAX_PLAIN_EMAIL = 200
_FRENCH = re.compile(r"(0|\+33|0033)([1-9][0-9]{8})")
_SEPARATORS = str.maketrans("", "", " .-\u00a0")
_FRENCH_DIGITS = 9


class ContactFault(OpposableError):  # noqa: N818 - a fault of the input, told as a problem
    """A contact that cannot be normalised; `code` is that of the problem table."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Normal(NamedTuple):
    """A normalised contact. `unassigned`: a possible number of a range that nobody was given, as far as known."""

    value: str
    unassigned: bool = False


def normalise(kind: ContactType, value: str, region: str | None) -> Normal:
    """The normal form of one contact. `region`: ISO 3166 country of a number in national form. Raises ContactFault."""
    if kind == "email":
        return Normal(email(value))
    if kind == "phone":
        return phone(value, region)
    text = postal(value) if kind == "post" else unicodedata.normalize("NFC", value).strip()
    if not text:
        raise ContactFault("CONTACT-EMPTY", "a contact is not blank")
    return Normal(text)


def email(value: str) -> str:
    """Normalised e-mail address. Raises ContactFault where no such address can exist."""
    text = value.strip()
    lowered = text.lower()
    plain = len(lowered) <= _MAX_PLAIN_EMAIL and text.isascii() and _PLAIN_EMAIL.fullmatch(lowered)
    if plain and not lowered.endswith(_SPECIAL_TLDS):
        return lowered
    try:
        valid = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        raise ContactFault("CONTACT-EMAIL", "no e-mail address can have this form") from None
    return f"{valid.local_part.lower()}@{(valid.ascii_domain or valid.domain).lower()}"


def is_generic(address: str) -> bool:
    """Whether a normalised address is a function's mailbox (`contact@`, `info@`…)."""
    return address.partition("@")[0].partition("+")[0] in GENERIC_MAILBOXES


def phone(value: str, region: str | None) -> Normal:
    """E.164 number. Raises ContactFault where the number is impossible."""
    match = _FRENCH.fullmatch(value.translate(_SEPARATORS)) if value.isascii() else None
    if match and (region == "FR" or match[1] == "+33"):
        return Normal("+33" + match[2], not _french_range().fullmatch(match[2]))
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        raise ContactFault("CONTACT-PHONE", "not a telephone number, or of an unknown country") from None
    if not phonenumbers.is_possible_number(number):
        raise ContactFault("CONTACT-PHONE", "no number of this country has this length")
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Normal(text, not phonenumbers.is_valid_number(number))


@cache
def _french_range() -> re.Pattern[str]:
    """The assigned ranges of +33 in the library's own metadata, as one pattern."""
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region("FR")
    kinds = (
        metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip, metadata.personal_number,
        metadata.pager, metadata.uan, metadata.voicemail, metadata.fixed_line, metadata.mobile,
    )  # fmt: skip
    patterns = [
        kind.national_number_pattern for kind in kinds
        if kind is not None and kind.national_number_pattern
        and (not kind.possible_length or _FRENCH_DIGITS in kind.possible_length)
    ]  # fmt: skip
    return re.compile(f"(?={metadata.general_desc.national_number_pattern}$)(?:{'|'.join(patterns)})")


def postal(value: str) -> str:
    """A postal block: lines trimmed, blank ones dropped, runs of spaces made one, upper case (as envelopes are written)."""
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", value).splitlines())
    return "\n".join(line for line in lines if line).upper()
