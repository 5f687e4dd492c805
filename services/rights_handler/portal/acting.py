"""What a person does here becomes an event on `in.platform.rights`, like any other input: nothing has a side door.

Ids derive from the contact key, what is asked and the minute, so that a form sent twice is one event: the collector's
guard answers a repetition with `duplicate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiokafka.errors import KafkaError

from services.rights_handler.portal.contact import Typed
from services.rights_handler.ports import Outbox
from shared.clock import Clock
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.partner_rights import RIGHT_REQUESTED, STOP_REQUESTED
from shared.errors import Unavailable
from shared.instants import format_instant
from shared.kafka.publisher import Outgoing
from shared.topics import IN_PLATFORM_RIGHTS, PLATFORM_PARTY

MINUTE = 60
DETAILS_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Acting:
    """Publishes what persons ask; returns once it is stored. Raises Unavailable where Kafka does not confirm."""

    outbox: Outbox
    clock: Clock

    async def stop(
        self, contact: Typed, contact_key: str, *, recipients: Sequence[str] = (), channels: Sequence[str] = ()
    ) -> str:
        """A withdrawal by this contact; empty scopes are the widest. Its identity, `platform/<id>`."""
        scope = {"recipients": sorted(recipients) or "all", "channels": sorted(channels) or "all"}
        stop_id = self._id("portal-stop", contact_key, orjson.dumps(scope).decode())
        data = {"stop_id": stop_id, "contacts": [contact.as_wire()], "kind": "withdrawal", "via": "portal", **scope}
        return await self._publish(stop_id, STOP_REQUESTED, data)

    async def request(self, contact: Typed, contact_key: str, right: str, details: str = "") -> str:
        """A right (RGPD 15 to 20) or a dispute, of somebody who proved to hold the contact."""
        request_id = self._id("portal-right", contact_key, right, details)
        data: dict[str, Any] = {
            "request_id": request_id, "right": right, "received_at": format_instant(self._minute()), "country": "FR",
            "contacts": [contact.as_wire()], "identity": {"verified": True, "method": "portal"},
        }  # fmt: skip
        if details:
            data["details"] = details
        return await self._publish(request_id, RIGHT_REQUESTED, data)

    async def _publish(self, event_id: str, kind: str, data: dict[str, Any]) -> str:
        headers = tuple(to_headers(Envelope(id=event_id, source=PLATFORM_PARTY, type=kind)))
        try:
            await self.outbox.send_all(
                [Outgoing(IN_PLATFORM_RIGHTS.name, event_id.encode(), orjson.dumps(data), headers)]
            )
        except KafkaError as error:
            raise Unavailable("Kafka did not confirm what a person asked") from error
        return f"{PLATFORM_PARTY}/{event_id}"

    def _minute(self) -> datetime:
        return self.clock.now().replace(second=0, microsecond=0)

    def _id(self, *cause: str) -> str:
        minute = str(int(self.clock.now().timestamp()) // MINUTE)
        return hashlib.sha256("\0".join((*cause, minute)).encode()).hexdigest()[:32]
