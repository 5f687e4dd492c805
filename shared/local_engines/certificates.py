"""A certificate authority and a server certificate for this machine alone, made when they are missing or end soon."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.keyring.ring import write_secret

AUTHORITY, SERVER = "ca.pem", "server.pem"
LOCALHOST = "localhost"
LIFETIME, SPARE = timedelta(days=397), timedelta(days=30)


def ensure_certificates(directory: Path, hosts: Sequence[str] = (LOCALHOST,)) -> None:
    """`ca.pem` (the authority, for clients) and `server.pem` (key and chain, readable by its owner alone), for a server of these names."""
    if _is_good(directory / AUTHORITY) and (directory / SERVER).exists():
        return
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC) - timedelta(minutes=5)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _name("Opposable local authority")
    root = (
        x509.CertificateBuilder().subject_name(authority).issuer_name(authority).public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )  # fmt: skip
    names = [*(x509.DNSName(host) for host in hosts), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        x509.CertificateBuilder().subject_name(_name(hosts[0])).issuer_name(authority)
        .public_key(server_key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now).not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )  # fmt: skip
    key = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = serialization.Encoding.PEM
    write_secret(directory / SERVER, key + leaf.public_bytes(pem) + root.public_bytes(pem))
    (directory / AUTHORITY).write_bytes(root.public_bytes(pem))


def _is_good(path: Path) -> bool:
    if not path.exists():
        return False
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc - datetime.now(UTC) > SPARE


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
