"""Asks a timestamp authority over HTTP (RFC 3161 §3.4) and checks what it answers before anything relies on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import rfc3161_client
from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder

from services.proof_archive.timestamps.judge import judge
from services.proof_archive.timestamps.normal import Normal, normal
from services.proof_archive.timestamps.token import parse_token
from shared.errors import ConfigurationError, IntegrityError, Unavailable
from shared.instants import parse_instant

TIMEOUT_S = 20.0
MAX_ANSWER = 256 * 1024
OFF_MOST = timedelta(minutes=10)
"""How far the authority's clock and ours may differ before its answer is not kept."""

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class Answer:
    """A timestamp: in the form that bundles hold, as the authority answered, and its time."""

    token: bytes
    answer: bytes
    at: datetime


class Authority:
    """One authority. `roots`: certificates that its chain must lead to; none = whoever verifies decides by the trust file."""

    def __init__(self, url: str, roots: Sequence[x509.Certificate] = ()) -> None:
        self._url, self._roots = url, roots

    @classmethod
    def of(cls, url: str, certificates: Path | None) -> Authority:
        """From the settings. Raises ConfigurationError where they cannot be used."""
        if not url.startswith(("http://", "https://")):
            raise ConfigurationError("OPPOSABLE_TSA_URL is an http:// or https:// address")
        if certificates is None:
            return cls(url)
        try:
            return cls(url, x509.load_pem_x509_certificates(certificates.read_bytes()))
        except (OSError, ValueError) as error:
            raise ConfigurationError("OPPOSABLE_TSA_CA_FILE is no readable file of PEM certificates") from error

    async def stamp(self, client: httpx.AsyncClient, statement: bytes, now: datetime) -> Answer:
        """Timestamp these bytes. Raises Unavailable where the authority does not answer, IntegrityError on a bad answer."""
        query = (
            TimestampRequestBuilder()
            .data(statement)
            .hash_algorithm(HashAlgorithm.SHA256)
            .cert_request(cert_request=True)
        )
        request = query.nonce(nonce=True).build()
        answer = await self._post(client, request.as_bytes())
        try:
            found = normal(answer)
        except IntegrityError as error:
            raise IntegrityError(f"the authority's answer cannot be used: {error}") from error
        judge(found.token, statement, {})
        self._check(request, found)
        at = parse_instant(parse_token(found.token).at)
        if abs(at - now) > OFF_MOST:
            raise IntegrityError("the authority's clock and ours differ by more than ten minutes")
        return Answer(found.token, answer, at)

    async def _post(self, client: httpx.AsyncClient, query: bytes) -> bytes:
        try:
            async with client.stream(
                "POST", self._url, content=query, headers={"Content-Type": QUERY, "Accept": REPLY}, timeout=TIMEOUT_S
            ) as response:
                if response.status_code != httpx.codes.OK:
                    raise Unavailable(f"the timestamp authority answers {response.status_code}")
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > MAX_ANSWER:
                        raise IntegrityError("the timestamp authority's answer is too long")
                return bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"the timestamp authority does not answer ({type(error).__name__})") from error

    def _check(self, request: rfc3161_client.TimeStampRequest, found: Normal) -> None:
        response = found.read()
        if response.tst_info.nonce != request.nonce:
            raise IntegrityError("the authority answered another question (nonce)")
        if not self._roots:
            return
        roots = [one for one in self._roots if one.issuer == one.subject]
        between = [one for one in self._roots if one.issuer != one.subject]
        try:
            came = [x509.load_der_x509_certificate(data) for data in found.certificates]
            between += [one for one in came if one not in between and one.issuer != one.subject]
            VerifierBuilder(roots=roots, intermediates=between).build().verify(
                response, request.message_imprint.message
            )
        except (rfc3161_client.VerificationError, ValueError) as error:
            raise IntegrityError("the authority's certificate does not lead to OPPOSABLE_TSA_CA_FILE") from error
