"""What is read of a timestamp authority's certificate (X.509 version 3, RFC 5280 §4.1). Pure.

Its chain is not followed: the trust file names the certificate itself, by its hash (docs/decisions/0015).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.proof_archive.timestamps.der import (
    BITS,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTETS,
    OID,
    SEQUENCE,
    UTC_TIME,
    Der,
)
from shared.errors import IntegrityError

EXPLICIT_0, EXPLICIT_3 = 0xA0, 0xA3
_KEY_USAGE = bytes.fromhex("0603551d25")
_FOR_TIME_STAMPING = bytes.fromhex("300a06082b06010505070308")
_TRUE = b"\xff"
_NOT_TIME = re.compile(r"(?:[0-9]{2})?[0-9]{12}Z")
_CENTURY_TURNS = "50"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is read of a certificate. `key`: the algorithm and the bits of its public key; times as `YYYYMMDDHHMMSS`."""

    data: bytes
    issuer: bytes
    serial: bytes
    not_before: str
    not_after: str
    key_algorithm: bytes
    key: bytes
    for_time_stamping: bool
    """Whether it is for timestamps and nothing else, critically (RFC 3161 §2.3)."""


def read_certificate(data: bytes) -> Certificate:
    """Read a certificate. Raises IntegrityError where it is not an X.509 version 3 one."""
    outer = Der(data).take(SEQUENCE)
    body = outer.take(SEQUENCE)
    outer.raw(SEQUENCE)
    outer.raw(BITS)
    outer.done()
    body.raw(EXPLICIT_0)
    serial = body.raw(INTEGER)
    body.raw(SEQUENCE)
    issuer = body.raw(SEQUENCE)
    validity = body.take(SEQUENCE)
    not_before, not_after = _time(validity), _time(validity)
    validity.done()
    body.raw(SEQUENCE)
    key = body.take(SEQUENCE)
    key_algorithm, bits = key.raw(SEQUENCE), key.content(BITS)
    key.done()
    for_time_stamping = False
    while body:
        if body.tag == EXPLICIT_3:
            for_time_stamping = _is_for_time_stamping(_extensions(body))
        else:
            body.skip()
    return Certificate(data, issuer, serial, not_before, not_after, key_algorithm, bits, for_time_stamping)


def _is_for_time_stamping(extensions: Der) -> bool:
    found = False
    while extensions:
        extension = extensions.take(SEQUENCE)
        name = extension.raw(OID)
        critical = extension.tag == BOOLEAN and extension.content(BOOLEAN) == _TRUE
        value = extension.content(OCTETS)
        extension.done()
        if name == _KEY_USAGE:
            found = critical and value == _FOR_TIME_STAMPING
    return found


def _extensions(body: Der) -> Der:
    holder = body.take(EXPLICIT_3)
    extensions = holder.take(SEQUENCE)
    holder.done()
    return extensions


def _time(validity: Der) -> str:
    tag = validity.tag
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise IntegrityError("a certificate's validity is two times")
    text = validity.content(tag).decode("latin-1")
    if _NOT_TIME.fullmatch(text) is None or len(text) != (13 if tag == UTC_TIME else 15):
        raise IntegrityError("a certificate's time is not written as DER writes it")
    if tag == UTC_TIME:
        text = ("20" if text[:2] < _CENTURY_TURNS else "19") + text
    return text[:-1]
