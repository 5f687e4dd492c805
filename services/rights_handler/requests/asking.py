"""Requests that enter by HTTP: read as the collector will read them, then written to `in.platform.rights` like any other input.

The id starts with who sends it (`<party>.`, `platform.` for the operator) and derives from what it asks: no two callers can
take each other's, and a repetition is the same request.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from aiokafka.errors import KafkaError

from services.rights_handler.ports import Outbox
from services.rights_handler.requesting import object_of
from services.rights_handler.teller import Registry
from services.rights_handler.tokens import Reference
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.partner_rights import RIGHT_REQUESTED, Identity, RightRequested
from shared.contracts.types import EventId, Instant
from shared.errors import Unavailable
from shared.instants import format_instant
from shared.intake.accept import accept
from shared.kafka.publisher import Outgoing
from shared.topics import IN_PLATFORM_RIGHTS, PLATFORM_PARTY

_ID_DIGITS = 22
_OF_A_STOP = ("contacts", "subject_ref", "collector", "record", "country")


class RightAsked(RightRequested):
    """Body of `POST /v1/requests`: a request of a person, with defaults for what its sender need not know."""

    request_id: EventId | None = None  # type: ignore[assignment]
    """The sender's own name of it: the same one is the same request. Default: a new request each time."""
    received_at: Instant | None = None  # type: ignore[assignment]
    """Default: now."""
    identity: Identity = Identity(verified=False)


class Asking:
    """Publishes requests; returns once they are stored. Raises InputError, or Unavailable where Kafka does not confirm."""

    def __init__(self, outbox: Outbox, registry: Registry, clock: Clock) -> None:
        self._outbox, self._registry, self._clock = outbox, registry, clock

    async def by_caller(self, caller: Caller, body: bytes) -> str:
        """`POST /v1/requests`; returns its name, `platform/<id>`. `received_at` defaults to now, `identity` to unverified."""
        data = object_of(body)
        return await self._publish(caller.party, str(data.get("request_id") or uuid.uuid4().hex), data)

    async def with_stop(self, caller: Caller, body: bytes, stop: str) -> str:
        """The erasure that a withdrawal asks for too (RGPD 17(1)(b)): about the same person, known as well or as little."""
        told: dict[str, Any] = orjson.loads(body)
        data = {name: told[name] for name in _OF_A_STOP if told.get(name)}
        identity = told.get("identity") or {"verified": False, "method": None}
        return await self._publish(caller.party, f"erase {stop}", {**data, "right": "erasure", "identity": identity})

    async def by_link(self, reference: Reference) -> str:
        """The erasure offered after a one-click withdrawal. The link is in a sender's hands too: it proves no identity."""
        data = {"right": "erasure", "record": reference.record, "identity": {"verified": False, "method": "link"}}
        return await self._publish(None, f"link {reference.record} {reference.party}", data)

    async def _publish(self, party: str | None, wanted: str, data: Mapping[str, Any]) -> str:
        sender = party or PLATFORM_PARTY
        digest = hashlib.sha256(f"request\0{sender}\0{wanted}".encode()).hexdigest()[:_ID_DIGITS]
        name = f"{sender}.{digest}"
        now = self._clock.now()
        full = {"received_at": format_instant(now), "identity": {"verified": False}, **data, "request_id": name}
        if party is not None:
            full.setdefault("collector", party)
        value = orjson.dumps(full)
        envelope = Envelope(id=name, source=PLATFORM_PARTY, type=RIGHT_REQUESTED)
        accept(envelope, value, party=PLATFORM_PARTY, received_at=now, registry=self._registry.view)
        message = Outgoing(IN_PLATFORM_RIGHTS.name, name.encode(), value, tuple(to_headers(envelope)))
        try:
            await self._outbox.send_all([message])
        except KafkaError as error:
            raise Unavailable("Kafka did not confirm the request") from error
        return f"{PLATFORM_PARTY}/{name}"
