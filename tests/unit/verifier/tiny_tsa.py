"""A timestamp authority in a few lines, for tests: honest tokens, and every dishonest one that we could think of.

Its keys are in `keys/`, made for these tests alone. Tokens are deterministic, so that a mutant is made again from its name.
"""

import functools
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.proof_archive.timestamps.der import element

KEYS = Path(__file__).with_name("keys")
OIDS = {
    "sha256": "608648016503040201", "sha384": "608648016503040202", "sha512": "608648016503040203", "sha1": "2b0e03021a",
    "rsa": "2a864886f70d010101", "rsa-sha256": "2a864886f70d01010b", "rsa-sha384": "2a864886f70d01010c",
    "rsa-sha512": "2a864886f70d01010d", "rsa-pss": "2a864886f70d01010a", "rsa-sha1": "2a864886f70d010105",
    "ecdsa-sha256": "2a8648ce3d040302", "ecdsa-sha384": "2a8648ce3d040303", "ecdsa-sha512": "2a8648ce3d040304",
    "signed-data": "2a864886f70d010702", "tst-info": "2a864886f70d0109100104", "content-type": "2a864886f70d010903",
    "message-digest": "2a864886f70d010904", "policy": "2a030401", "data": "2a864886f70d010701",
    "signing-time": "2a864886f70d010905", "signing-certificate": "2a864886f70d010910022f",
}  # fmt: skip
HASHES: dict[str, Any] = {
    "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512(), "sha1": hashes.SHA1(),  # noqa: S303
}  # fmt: skip


def oid(name: str) -> bytes:
    return element(0x06, bytes.fromhex(OIDS[name]))


def algorithm(name: str, *, null: bool) -> bytes:
    return element(0x30, oid(name), b"\5\0" if null else b"")


@dataclass(frozen=True)
class Authority:
    """A key and its certificate. `sign_with` is the key that signs, where it is not the certificate's."""

    key: Any
    certificate: bytes
    sign_with: Any = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.certificate).hexdigest()

    def line(self, name: str = "horloge") -> str:
        """Its line in a trust file."""
        return f"# timestamp-authority {name} sha256:{self.sha256}\n"

    def response(self, statement: bytes, at: str = "20261104120000Z", **changes: Any) -> bytes:
        """A granted response over a statement. `changes` replace what an honest authority would write."""
        digest = changes.get("digest", "sha256")
        names = x509.load_der_x509_certificate(self.certificate)
        is_rsa = isinstance(self.key, rsa.RSAPrivateKey)
        imprint = changes.get("imprint", hashlib.sha256(statement).digest())
        info = element(
            0x30, b"\2\1\1", oid("policy"),
            element(0x30, algorithm(changes.get("imprint_algorithm", "sha256"), null=True), element(0x04, imprint)),
            b"\2\1\x2a", element(0x18, at.encode()), changes.get("info_rest", element(0x30, b"\2\1\1") + b"\2\1\7"),
        )  # fmt: skip
        stated = changes.get("stated_digest") or _digest(digest, info)
        named = element(0x04, hashlib.sha256(self.certificate).digest())
        attributes = changes.get("attributes") or b"".join(sorted([
            element(0x30, oid("content-type"), element(0x31, oid(changes.get("content_type", "tst-info")))),
            element(0x30, oid("message-digest"), element(0x31, element(0x04, stated))),
            element(0x30, oid("signing-certificate"), element(0x31, element(0x30, element(0x30, element(0x30, named))))),
        ]))  # fmt: skip
        default = algorithm("rsa", null=True) if is_rsa else algorithm(f"ecdsa-{digest}", null=False)
        signature = self._sign(element(0x31, attributes), changes.get("signed_with", digest))
        digest_algorithm = algorithm(digest, null=changes.get("null", is_rsa))
        signer = element(
            0x30, b"\2\1\1",
            element(0x30, names.issuer.public_bytes(), element(0x02, _integer(names.serial_number))),
            digest_algorithm, element(0xA0, attributes), changes.get("signature_algorithm", default),
            element(0x04, changes.get("signature", signature)), changes.get("unsigned", b""),
        )  # fmt: skip
        signed_data = element(
            0x30, b"\2\1\3", element(0x31, digest_algorithm, changes.get("more_digests", b"")),
            element(0x30, oid("tst-info"), element(0xA0, element(0x04, info))),
            element(0xA0, self.certificate, changes.get("more_certificates", b"")), changes.get("lists", b""),
            element(0x31, signer, changes.get("more_signers", b"")),
        )  # fmt: skip
        token = element(0x30, oid("signed-data"), element(0xA0, signed_data))
        return element(0x30, changes.get("status", bytes.fromhex("3003020100")), token)

    def _sign(self, data: bytes, digest: str) -> bytes:
        key = self.sign_with or self.key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), HASHES[digest])
        return key.sign(data, ec.ECDSA(HASHES[digest], deterministic_signing=True))


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data).digest()


def _integer(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


@functools.cache
def key_of(name: str) -> Any:
    return load_pem_private_key((KEYS / f"tsa-{name}.pem").read_bytes(), None)


@functools.cache
def authority(
    name: str = "rsa", *, usage: str = "critical", begin: int = 2026, end: int = 2036, other_key: bool = False
) -> Authority:
    """An authority whose certificate is signed by the RSA key, whatever its own (so that it is the same each time)."""
    key = key_of(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Horloge {name}")])
    issuer = subject if name == "rsa" else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Racine")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(0x1234567890ABCDEF + len(name))
        .not_valid_before(datetime(begin, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(end, 1, 1, tzinfo=UTC))
    )
    if usage != "none":
        purposes = [ExtendedKeyUsageOID.TIME_STAMPING] + ([ExtendedKeyUsageOID.SERVER_AUTH] if usage == "two" else [])
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=usage != "loose")
    certificate = builder.sign(key_of("rsa"), hashes.SHA256())
    return Authority(key, certificate.public_bytes(Encoding.DER), key_of("p256") if other_key else None)
