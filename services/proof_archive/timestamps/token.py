"""The form of the timestamps that bundles hold: a granted RFC 3161 response with nothing in it but what is signed or checked.

One signer (named by issuer and serial number), its certificate alone, signed attributes, no unsigned ones, no revocation
lists: `normal.py` brings what an authority answers into this form. Whatever differs is refused, so that three programs
that share no code read every token alike. Pure. RFC 3161 §2.4.2, RFC 5652 §5, RFC 5280 §4.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.proof_archive.timestamps.certificate import Certificate, read_certificate
from services.proof_archive.timestamps.der import (
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTETS,
    OID,
    SEQUENCE,
    SET,
    Der,
)
from shared.errors import IntegrityError
from shared.instants import format_instant, parse_instant

GRANTED = bytes.fromhex("3003020100")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
VERSION_1, VERSION_3 = bytes.fromhex("020101"), bytes.fromhex("020103")
EXPLICIT_0, EXPLICIT_1 = 0xA0, 0xA1
_OPTIONAL = (SEQUENCE, BOOLEAN, INTEGER, EXPLICIT_0, EXPLICIT_1)
"""What may follow the time, in this order: accuracy, ordering, nonce, the authority's name, extensions."""


_GEN_TIME = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9])(?:\.([0-9]{0,8}[1-9]))?Z"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A timestamp, read and not verified. Algorithms as the whole elements that name them."""

    content: bytes
    """The TSTInfo, as digested."""
    imprint_algorithm: bytes
    imprint: bytes
    at: str
    second: str
    """The time's whole seconds, `YYYYMMDDHHMMSS`."""
    digest_algorithm: bytes
    digest: bytes
    """The digest of the content that the signed attributes state."""
    signed: bytes
    """What the signature signs."""
    signature_algorithm: bytes
    signature: bytes
    certificate: Certificate


def parse_token(data: bytes) -> Token:
    """Read a timestamp. Raises IntegrityError on any other form."""
    outer = Der(data)
    response = outer.take(SEQUENCE)
    outer.done()
    _same(response.raw(SEQUENCE), GRANTED)
    info = response.take(SEQUENCE)
    response.done()
    _same(info.raw(OID), SIGNED_DATA)
    signed_data = _only(_only(info, EXPLICIT_0), SEQUENCE)
    _same(signed_data.raw(INTEGER), VERSION_3)
    digest_algorithm = _only_raw(signed_data.take(SET), SEQUENCE)
    inner = signed_data.take(SEQUENCE)
    _same(inner.raw(OID), TST_INFO)
    holder = _only(inner, EXPLICIT_0)
    content = holder.content(OCTETS)
    holder.done()
    certificate = read_certificate(_only_raw(signed_data.take(EXPLICIT_0), SEQUENCE))
    signer = _only(_only(signed_data, SET), SEQUENCE)
    _same(signer.raw(INTEGER), VERSION_1)
    name = signer.take(SEQUENCE)
    if (name.raw(SEQUENCE), name.raw(INTEGER)) != (certificate.issuer, certificate.serial):
        raise IntegrityError("the certificate is not the signer's")
    name.done()
    _same(signer.raw(SEQUENCE), digest_algorithm)
    attributes = signer.raw(EXPLICIT_0)
    digest = _stated_digest(Der(attributes).take(EXPLICIT_0))
    signature_algorithm, signature = signer.raw(SEQUENCE), signer.content(OCTETS)
    signer.done()
    imprint_algorithm, imprint, at, second = _read_info(content)
    return Token(
        content, imprint_algorithm, imprint, at, second, digest_algorithm, digest, bytes([SET]) + attributes[1:],
        signature_algorithm, signature, certificate,
    )  # fmt: skip


def _stated_digest(attributes: Der) -> bytes:
    found: dict[bytes, Der] = {}
    while attributes:
        attribute = attributes.take(SEQUENCE)
        name = attribute.raw(OID)
        if name in found:
            raise IntegrityError("an attribute stands twice")
        found[name] = _only(attribute, SET)
    if CONTENT_TYPE not in found or MESSAGE_DIGEST not in found:
        raise IntegrityError("the signed attributes lack the content's type or digest")
    _same(_only_raw(found[CONTENT_TYPE], OID), TST_INFO)
    digest = found[MESSAGE_DIGEST].content(OCTETS)
    found[MESSAGE_DIGEST].done()
    return digest


def _read_info(content: bytes) -> tuple[bytes, bytes, str, str]:
    outer = Der(content)
    info = outer.take(SEQUENCE)
    outer.done()
    _same(info.raw(INTEGER), VERSION_1)
    info.raw(OID)
    imprint = info.take(SEQUENCE)
    algorithm, digest = imprint.raw(SEQUENCE), imprint.content(OCTETS)
    imprint.done()
    info.raw(INTEGER)
    match = _GEN_TIME.fullmatch(_ascii(info.content(GENERALIZED_TIME)))
    if match is None:
        raise IntegrityError("not a time as DER writes it")
    for tag in _OPTIONAL:
        if info.tag == tag:
            info.skip()
    info.done()
    year, month, day, hour, minute, second, fraction = match.groups()
    text = f"{year}-{month}-{day}T{hour}:{minute}:{second}.{(fraction or '')[:3]:0<3}Z"
    try:
        at = format_instant(parse_instant(text))
    except ValueError as error:
        raise IntegrityError("not a time of our calendar") from error
    return algorithm, digest, at, "".join(match.groups()[:6])


def _ascii(data: bytes) -> str:
    return data.decode("latin-1")


def _only(outer: Der, tag: int) -> Der:
    inner = outer.take(tag)
    outer.done()
    return inner


def _only_raw(outer: Der, tag: int) -> bytes:
    inner = outer.raw(tag)
    outer.done()
    return inner


def _same(one: bytes, other: bytes) -> None:
    if one != other:
        raise IntegrityError("not what this form has here")
