"""One attempt: the registered address, the party's secrets, a fresh timestamp, and what the endpoint answers."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.webhook_relay.client import Client
from services.webhook_relay.domain import Answer, acknowledgement
from services.webhook_relay.keys import PartySecrets, Sealer
from services.webhook_relay.settings import RelaySettings
from services.webhook_relay.store import Waiting
from shared.clock import Clock
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.partner_rights import ORDER_ACKNOWLEDGED
from shared.contracts.platform import RIGHT_ORDERED, STOP_ORDERED
from shared.contracts.structured import CONTENT_TYPE
from shared.errors import ConfigurationError
from shared.kafka.publisher import Outgoing
from shared.registry.feed import RegistryFeed
from shared.topics import IN_RIGHTS
from shared.webhooks import sign

ORDERS = frozenset({STOP_ORDERED, RIGHT_ORDERED})
MakeClient = Callable[[str], Client]


class Sending:
    """Attempts for all parties; one `Client` an address, given up when the address changes."""

    def __init__(
        self, *, registry: RegistryFeed, secrets: PartySecrets, sealer: Sealer, private: Ed25519PrivateKey | None,
        clock: Clock, client: MakeClient, log: Any,
    ) -> None:  # fmt: skip
        self._registry, self._secrets, self._sealer, self._private = registry, secrets, sealer, private
        self._clock, self._client, self._log = clock, client, log
        self._clients: dict[str, Client] = {}

    def url(self, party: str) -> str | None:
        """Where the party wants its events; None where it takes none by HTTP."""
        found = self._registry.view.party(party)
        return found.delivery.url if found is not None and found.delivery.mode == "webhook" else None

    async def attempt(self, row: Waiting) -> Answer:
        """Send one event. Never raises but for cancellation and a body that cannot be opened (IntegrityError)."""
        url = self.url(row.party)
        if url is None:
            return Answer(None, "NOT-WEBHOOK")
        try:
            secrets = self._secrets.of(row.party)
        except (ConfigurationError, OSError) as error:
            self._log.error("a party's secrets cannot be read", party=row.party, exc_info=error)
            secrets = ()
        if not secrets:
            return Answer(None, "NO-SECRET")  # nothing ever leaves unsigned
        body = self._sealer.open(row.id, row.body)
        now = int(self._clock.now().timestamp())
        headers = sign(row.message, now, body, secrets=secrets, private=self._private)
        return await self._of(row.party, url).post({"content-type": CONTENT_TYPE, **headers}, body)

    def _of(self, party: str, url: str) -> Client:
        client = self._clients.get(party)
        if client is None or client.url != url:
            if client is not None:
                client.close()
            client = self._clients[party] = self._client(url)
        return client

    def acknowledged(self, row: Waiting, answer: Answer) -> Outgoing | None:
        """The acknowledgement that the answer to an order carries, as an event of the party's own topic."""
        if row.type not in ORDERS:
            return None
        found = acknowledgement(row.key, row.message, answer.body)
        if found is None:
            return None
        event, data = found
        # No ce_time: the same answer, given again after a crash of ours, is the same event.
        headers = to_headers(Envelope(event, row.party, ORDER_ACKNOWLEDGED, None))
        return Outgoing(IN_RIGHTS.of(row.party), row.key.encode(), data, tuple(headers))

    def close(self) -> None:
        """Drop every connection."""
        for client in self._clients.values():
            client.close()


def make_client(settings: RelaySettings, tls: ssl.SSLContext) -> MakeClient:
    """Clients with the service's settings."""

    def make(url: str) -> Client:
        return Client(
            url, timeout=settings.webhook_timeout, connect_timeout=settings.webhook_connect_timeout,
            answer_bytes=settings.webhook_answer_bytes, allow_loopback=settings.webhook_allow_loopback, tls=tls,
        )  # fmt: skip

    return make
