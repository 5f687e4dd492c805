"""Whether a timestamp is to be believed under a trust file. Pure: the time of verification is of no consequence.

Believed: SHA-2 digests, RSA PKCS#1 v1.5 of 2048 bits or more, ECDSA on P-256 and P-384 (RFC 8017 §8.2.2, FIPS 186-5), by a
certificate that the trust file names by its hash, meant for timestamps only, valid at the time it states. What holds here is
read again by rfc3161-client: two readings that differ refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import rfc3161_client
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.proof_archive.timestamps.certificate import Certificate
from services.proof_archive.timestamps.der import INTEGER, SEQUENCE, Der, unsigned
from services.proof_archive.timestamps.token import Token, parse_token
from shared import canonical
from shared.errors import IntegrityError

_SHA256 = [bytes.fromhex(text) for text in ("300b0609608648016503040201", "300d06096086480165030402010500")]
_DIGESTS: dict[bytes, hashes.HashAlgorithm] = {
    **dict.fromkeys(_SHA256, hashes.SHA256()),
    bytes.fromhex("300b0609608648016503040202"): hashes.SHA384(),
    bytes.fromhex("300d06096086480165030402020500"): hashes.SHA384(),
    bytes.fromhex("300b0609608648016503040203"): hashes.SHA512(),
    bytes.fromhex("300d06096086480165030402030500"): hashes.SHA512(),
}
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
_RSA_WITH = {
    "sha256": bytes.fromhex("300d06092a864886f70d01010b0500"),
    "sha384": bytes.fromhex("300d06092a864886f70d01010c0500"),
    "sha512": bytes.fromhex("300d06092a864886f70d01010d0500"),
}
_ECDSA_WITH = {
    "sha256": bytes.fromhex("300a06082a8648ce3d040302"),
    "sha384": bytes.fromhex("300a06082a8648ce3d040303"),
    "sha512": bytes.fromhex("300a06082a8648ce3d040304"),
}
_CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("301006072a8648ce3d020106052b81040022"): ec.SECP384R1(),
}
_RSA_BITS = range(2048, 8193)
_EXPONENT_BITS = range(2, 65)
_UNCOMPRESSED = 4


class Unverified(StrEnum):
    """Why a well-formed timestamp of the right bytes is not believed."""

    AUTHORITY = "authority"
    """The trust file does not name its certificate."""
    ALGORITHM = "algorithm"
    """Its digest, signature or key is of a kind that the verifiers do not know."""


class Wrong(IntegrityError):  # noqa: N818 - an answer, not a fault
    """The timestamp is of other bytes, or its authority did not make it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A timestamp: believed at a time (`at`, UTC with milliseconds), or not and why; `authority`: its name in the trust file."""

    authority: str | None
    at: str | None
    reason: Unverified | None


def judge(data: bytes, statement: bytes, authorities: Mapping[str, str]) -> Judged:
    """Judge a timestamp of a statement's bytes; `authorities` as in a trust file.

    Raises IntegrityError where it has another form, Wrong where it is of other bytes or not by who it says.
    """
    token = parse_token(data)
    digest = canonical.sha256_hex(statement)
    if token.imprint_algorithm not in _SHA256 or token.imprint.hex() != digest:
        raise Wrong("the timestamp is of other bytes")
    name = authorities.get(canonical.sha256_hex(token.certificate.data))
    if name is None:
        return Judged(None, None, Unverified.AUTHORITY)
    if not _is_signed(token):
        return Judged(name, None, Unverified.ALGORITHM)
    certificate = token.certificate
    if not certificate.for_time_stamping or not certificate.not_before <= token.second <= certificate.not_after:
        raise Wrong("the certificate is not for timestamps, or was not valid then")
    _confirm(data, token)
    return Judged(name, token.at, None)


def _is_signed(token: Token) -> bool:
    """False where an algorithm is not known. Raises Wrong where the signature is not the certificate's over the content."""
    digest = _DIGESTS.get(token.digest_algorithm)
    key = public_key(token.certificate)
    if digest is None or key is None:
        return False
    known = (_RSA, _RSA_WITH[digest.name]) if isinstance(key, rsa.RSAPublicKey) else (_ECDSA_WITH[digest.name],)
    if token.signature_algorithm not in known:
        return False
    hasher = hashes.Hash(digest)
    hasher.update(token.content)
    if hasher.finalize() != token.digest:
        raise Wrong("the signed digest is not that of the content")
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(token.signature, token.signed, padding.PKCS1v15(), digest)
        else:
            key.verify(token.signature, token.signed, ec.ECDSA(digest))
    except InvalidSignature as error:
        raise Wrong("the signature is not the certificate's") from error
    return True


def public_key(certificate: Certificate) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None:
    """The key of a certificate, None where it is of a kind or size that is not known. Raises IntegrityError on bad bits."""
    if not certificate.key or certificate.key[0]:
        raise IntegrityError("a public key is whole bytes")
    data = certificate.key[1:]
    if certificate.key_algorithm == _RSA:
        outer = Der(data)
        numbers = outer.take(SEQUENCE)
        outer.done()
        modulus, exponent = unsigned(numbers.content(INTEGER)), unsigned(numbers.content(INTEGER))
        numbers.done()
        fits = modulus.bit_length() in _RSA_BITS and exponent.bit_length() in _EXPONENT_BITS
        if not fits or not modulus & exponent & 1:
            return None
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    curve = _CURVES.get(certificate.key_algorithm)
    if curve is None or not data or data[0] != _UNCOMPRESSED:
        return None
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, data)
    except ValueError:
        return None


def _confirm(data: bytes, token: Token) -> None:
    """Raise Wrong where rfc3161-client reads something else.

    It follows chains to a root only, so the signature is checked here. What it cannot read at all (of the parts that no
    one here reads, and that a believed authority has signed) is refused when a timestamp is taken in: `normal.py`.
    """
    try:
        response = rfc3161_client.decode_timestamp_response(data)
        certificate = x509.load_der_x509_certificate(token.certificate.data)
        (signer,) = response.signed_data.signer_infos
        info = response.tst_info
        same = (
            response.status == rfc3161_client.PKIStatus.GRANTED
            and list(response.signed_data.certificates) == [token.certificate.data]
            and (signer.issuer, signer.serial_number) == (certificate.issuer, certificate.serial_number)
            and info.message_imprint.message == token.imprint
            and info.gen_time.strftime("%Y%m%d%H%M%S") == token.second
        )
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        same = same and usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    except x509.ExtensionNotFound as error:
        raise Wrong("the certificate has no purpose") from error
    except ValueError:
        return
    if not same:
        raise Wrong("rfc3161-client reads something else")
