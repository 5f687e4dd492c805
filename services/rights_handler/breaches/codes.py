"""The closed words of the register of breaches: what the log may say. Law: RGPD 4(12), 33, 34."""

from __future__ import annotations

from enum import StrEnum


class Nature(StrEnum):
    """What was broken (RGPD 4(12))."""

    CONFIDENTIALITY = "confidentiality"
    INTEGRITY = "integrity"
    AVAILABILITY = "availability"


class Data(StrEnum):
    """Categories of data concerned."""

    CONTACTS = "contacts"
    REFERENCES = "references"
    CHOICES = "choices"
    CONNECTION = "connection"
    EVIDENCE = "evidence"
    PSEUDONYMS = "pseudonyms"


class Risk(StrEnum):
    """For the rights and freedoms of persons: unlikely (33(1): no notification), a risk, a high risk (34: persons are told)."""

    UNLIKELY = "unlikely"
    RISK = "risk"
    HIGH = "high"


class Origin(StrEnum):
    """What caused it."""

    ATTACK = "attack"
    ACCESS = "unauthorised_access"
    MISDIRECTED = "misdirected"
    MISCONFIGURATION = "misconfiguration"
    LOSS = "loss"
    PROCESSOR = "processor"
    UNKNOWN = "unknown"


class Exemption(StrEnum):
    """Why persons are not told one by one (RGPD 34(1), 34(3))."""

    NOT_HIGH = "risk_not_high"
    PROTECTED = "data_unintelligible"
    CURED = "measures_taken_after"
    PUBLIC = "public_communication"


class Ending(StrEnum):
    """Why it is closed."""

    REMEDIED = "remedied"
    NO_BREACH = "no_breach"
    AUTHORITY_CLOSED = "authority_closed"
