"""What a cluster holds of credentials, access entries and quotas, and making it hold what is wanted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DescribeAclsRequest

from shared.access.plan import SERVICE_PREFIX, Entry, Operation, Pattern, Resource
from shared.access.wire import SCRAM_SHA_512, AlterQuotas, AlterScram, CreateAclBatch, DeleteAclBatch, Filter
from shared.errors import ConfigurationError
from shared.kafka.connection import client_options
from shared.settings import Settings

ITERATIONS = 8192
"""Of SCRAM: passwords here are 256 random bits, so that more would only slow connections down."""
ANY, ALLOW = 1, 3
SECURITY_DISABLED, NO_SUCH_USER = 54, 91
_USER = "User:"
_CHUNK = 500
"""Entries of one request."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Of one party: bytes a second it may write and read, each on every broker."""

    written: int = 2 * 1_048_576
    read: int = 8 * 1_048_576


class NoAuthorizerError(ConfigurationError):
    """The cluster lets anyone do anything: it was started without an authorizer."""


class AccessAdmin:
    """Access of one cluster. Needs the super user's credentials. Every method raises ConfigurationError with Kafka's own word."""

    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def entries(self) -> set[Entry]:
        """Every entry that allows a user something of the kinds we use. Raises NoAuthorizerError."""
        answer = await self._send(DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY))
        if answer.error_code == SECURITY_DISABLED:
            raise NoAuthorizerError("this Kafka has no authorizer: anyone who reaches it may read and write everything")
        _check(answer.error_code, "list access entries")
        found = set()
        for kind, name, pattern, acls in answer.resources:
            for principal, _host, operation, permission in acls:
                if permission == ALLOW and kind in set(Resource) and operation in set(Operation):
                    user = principal.removeprefix(_USER)
                    found.add(Entry(user, Resource(kind), Pattern(pattern), name, Operation(operation)))
        return found

    async def add(self, entries: Iterable[Entry]) -> None:
        """Allow. Idempotent."""
        for chunk in _chunks(sorted(entries)):
            answer = await self._send(CreateAclBatch([_filter(entry) for entry in chunk]))
            for code, *_ in answer.creation_responses:
                _check(code, "add an access entry")

    async def remove(self, entries: Iterable[Entry]) -> None:
        """Allow no more. Idempotent."""
        for chunk in _chunks(sorted(entries)):
            answer = await self._send(DeleteAclBatch([_filter(entry) for entry in chunk]))
            for code, *_ in answer.filter_responses:
                _check(code, "remove an access entry")

    async def credentials(self, passwords: dict[str, str]) -> None:
        """Set the password of each user; a former one is void for new connections at once."""
        rows: list[tuple[Any, ...]] = []
        for user, password in passwords.items():
            salt = os.urandom(32)
            salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
            rows.append((user, SCRAM_SHA_512, ITERATIONS, salt, salted, {}))
        answer = await self._send(AlterScram([], rows))
        for _user, code, *_ in answer.results:
            _check(code, "set credentials")

    async def forget(self, users: Sequence[str]) -> None:
        """Delete the credentials of users; one that has none is no error."""
        answer = await self._send(AlterScram([(user, SCRAM_SHA_512, {}) for user in users], []))
        for _user, code, *_ in answer.results:
            if code != NO_SUCH_USER:
                _check(code, "delete credentials")

    async def quotas(self, users: Iterable[str], quotas: Quotas) -> None:
        """Set the quotas of users."""
        values = [
            ("producer_byte_rate", float(quotas.written), False),
            ("consumer_byte_rate", float(quotas.read), False),
        ]
        entries = [([("user", user)], values) for user in users]
        if not entries:
            return
        answer = await self._send(AlterQuotas(entries))
        for code, *_ in answer.entries:
            _check(code, "set quotas")

    async def _send(self, request: Any) -> Any:
        return await self._admin._send_to_controller(request)  # noqa: SLF001 - its admin client has no public way to send one


@asynccontextmanager
async def access_admin(settings: Settings) -> AsyncIterator[AccessAdmin]:
    """Connect as the operator."""
    admin = AIOKafkaAdminClient(**client_options(settings, "access"))
    await admin.start()
    try:
        yield AccessAdmin(admin)
    finally:
        await admin.close()


def ours(entries: Iterable[Entry], parties: Iterable[str]) -> set[Entry]:
    """Those of services and of these parties: what an operator granted to others is not ours to remove."""
    known = set(parties)
    return {one for one in entries if one.principal.startswith(SERVICE_PREFIX) or one.principal in known}


def _filter(entry: Entry) -> Filter:
    return entry.resource, entry.name, entry.pattern, f"{_USER}{entry.principal}", "*", entry.operation, ALLOW


def _chunks(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    return (entries[start : start + _CHUNK] for start in range(0, len(entries), _CHUNK))


def _check(code: int, what: str) -> None:
    if code:
        raise ConfigurationError(f"Kafka refuses to {what}: {for_code(code).__name__}")
