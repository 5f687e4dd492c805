"""Brings what an authority answers into the form of `token.py`: what is signed is kept to the byte, the rest is left out.

Left out: a text beside the status, the digest algorithms listed once more, certificates other than the signer's,
revocation lists, unsigned attributes. An authority's full answer is kept in the store beside it. Pure.
"""

from __future__ import annotations

import rfc3161_client

from services.proof_archive.timestamps.der import INTEGER, OCTETS, OID, SEQUENCE, SET, Der, element
from services.proof_archive.timestamps.token import EXPLICIT_0, GRANTED, SIGNED_DATA, parse_token, read_certificate
from shared.errors import IntegrityError

LISTS = 0xA1


def normal(response: bytes) -> bytes:
    """The same timestamp in the form that bundles hold. Raises IntegrityError where it cannot be brought into it."""
    try:
        read = rfc3161_client.decode_timestamp_response(response)
        granted = read.status in (rfc3161_client.PKIStatus.GRANTED, rfc3161_client.PKIStatus.GRANTED_WITH_MODS)
        if not granted:
            raise IntegrityError(f"the authority refused (status {read.status})")
        info = Der(read.time_stamp_token()).take(SEQUENCE)
    except ValueError as error:
        raise IntegrityError("the authority's answer cannot be read") from error
    info.raw(OID)
    signed = info.take(EXPLICIT_0).take(SEQUENCE)
    version = signed.raw(INTEGER)
    signed.raw(SET)
    content = signed.raw(SEQUENCE)
    certificates = signed.take(EXPLICIT_0) if signed.tag == EXPLICIT_0 else Der(b"")
    if signed.tag == LISTS:
        signed.skip()
    signers = signed.take(SET)
    signer = signers.take(SEQUENCE)
    signers.done()
    signer_version, name, digest = signer.raw(INTEGER), signer.raw(SEQUENCE), signer.raw(SEQUENCE)
    attributes, algorithm, signature = signer.raw(EXPLICIT_0), signer.raw(SEQUENCE), signer.raw(OCTETS)
    signer_info = element(SEQUENCE, signer_version, name, digest, attributes, algorithm, signature)
    certificate = _signer_of(name, certificates)
    token = element(
        SEQUENCE,
        SIGNED_DATA,
        element(
            EXPLICIT_0,
            element(
                SEQUENCE, version, element(SET, digest), content, element(EXPLICIT_0, certificate),
                element(SET, signer_info),
            ),
        ),
    )  # fmt: skip
    made = element(SEQUENCE, GRANTED, token)
    parse_token(made)
    return made


def _signer_of(name: bytes, certificates: Der) -> bytes:
    """The certificate that the signer's `name` (issuer and serial number) names."""
    while certificates:
        data = certificates.raw(certificates.tag)
        try:
            certificate = read_certificate(data)
        except IntegrityError:  # another kind of certificate
            continue
        if element(SEQUENCE, certificate.issuer, certificate.serial) == name:
            return data
    raise IntegrityError("the answer does not hold the signer's certificate")
