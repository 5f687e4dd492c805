"""Who calls: a bearer key of the registry (only its SHA-256 is stored) or the operator's token.

Comparison is constant-time over all known keys, so timing tells nothing about which part of a key was right.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from shared.clock import Clock
from shared.errors import ConfigurationError
from shared.instants import parse_instant
from shared.problems import Refusal
from shared.registry.feed import RegistryFeed

OPERATOR_TOKEN_FILE = "operator-token"  # noqa: S105 - a file name
OPERATOR_SCOPES = frozenset({"operator", "auditor"})


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `party` is None for the operator."""

    party: str | None
    scopes: frozenset[str]

    def require(self, *scopes: str) -> None:
        """Raise 403 unless the caller holds one of the scopes."""
        if not self.scopes & set(scopes):
            raise Refusal(403, "FORBIDDEN", f"This key has none of the scopes: {', '.join(scopes)}")


class Authenticator:
    """Finds the caller of a request."""

    def __init__(self, registry: RegistryFeed, clock: Clock, operator_sha256: str) -> None:
        self._registry, self._clock, self._operator = registry, clock, operator_sha256

    def caller(self, request: Request) -> Caller:
        """The caller of a request. Raises 401 where no valid key is presented."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "UNAUTHENTICATED", "A bearer key is needed (Authorization: Bearer …)")
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        found: Caller | None = None
        if hmac.compare_digest(digest, self._operator):
            found = Caller(None, OPERATOR_SCOPES)
        now = self._clock.now()
        for party in self._registry.view.parties():
            for key in party.api_keys:
                alive = key.expires_at is None or parse_instant(key.expires_at) > now
                if hmac.compare_digest(digest, key.sha256) and alive:
                    found = Caller(party.id, frozenset(key.scopes))
        if found is None:
            raise Refusal(401, "UNAUTHENTICATED", "This key is unknown or has expired")
        return found


def operator_digest(secrets_dir: Path) -> str:
    """SHA-256 (hex) of the operator's token file. Raises ConfigurationError where it cannot be read."""
    try:
        token = (secrets_dir / OPERATOR_TOKEN_FILE).read_text().strip()
    except OSError:
        raise ConfigurationError(f"secret file {OPERATOR_TOKEN_FILE!r} is missing in OPPOSABLE_SECRETS_DIR") from None
    return hashlib.sha256(token.encode()).hexdigest()
