"""Brings what an authority answers into the form of `token.py`: what is signed is kept to the byte, the rest is left out.

Left out: a text beside the status, the digest algorithms listed once more, certificates other than the signer's,
revocation lists, unsigned attributes. An authority's full answer is kept in the store beside it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import rfc3161_client

from services.proof_archive.timestamps.certificate import read_certificate
from services.proof_archive.timestamps.der import INTEGER, OCTETS, OID, SEQUENCE, SET, Der, element
from services.proof_archive.timestamps.token import EXPLICIT_0, GRANTED, SIGNED_DATA, parse_token
from shared.errors import IntegrityError

LISTS = 0xA1


_GRANTED = (0, 1)
"""PKIStatus `granted` and `grantedWithMods`."""


@dataclass(frozen=True, slots=True)
class Normal:
    """A timestamp in the form that bundles hold, and the certificates that came with it."""

    token: bytes
    certificates: tuple[bytes, ...]

    def read(self) -> rfc3161_client.TimeStampResponse:
        """As rfc3161-client reads it. Raises IntegrityError where it does not."""
        try:
            return rfc3161_client.decode_timestamp_response(self.token)
        except ValueError as error:
            raise IntegrityError("rfc3161-client does not read the authority's answer") from error


def normal(response: bytes) -> Normal:
    """The same timestamp in the form that bundles hold. Raises IntegrityError where it cannot be brought into it."""
    answer = Der(response).take(SEQUENCE)
    status = int.from_bytes(answer.take(SEQUENCE).content(INTEGER), "big")
    if status not in _GRANTED:
        raise IntegrityError(f"the authority refused (status {status})")
    info = answer.take(SEQUENCE)
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
    every = _all_of(certificates)
    certificate = _signer_of(name, every)
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
    found = Normal(made, tuple(every))
    found.read()
    return found


def _all_of(certificates: Der) -> list[bytes]:
    every = []
    while certificates:
        every.append(certificates.raw(certificates.tag))
    return every


def _signer_of(name: bytes, certificates: list[bytes]) -> bytes:
    """The certificate that the signer's `name` (issuer and serial number) names."""
    for data in certificates:
        try:
            certificate = read_certificate(data)
        except IntegrityError:  # another kind of certificate
            continue
        if element(SEQUENCE, certificate.issuer, certificate.serial) == name:
            return data
    raise IntegrityError("the answer does not hold the signer's certificate")
