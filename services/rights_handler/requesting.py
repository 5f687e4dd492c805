"""Stops that enter by HTTP: written to `in.platform.rights` like any other input, so that nothing has a side door.

The stop's id derives from who asks and what it asks, so that a repeated request is the same stop: the collector's guard
answers a repetition with `duplicate`, and no two callers can take each other's id.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiokafka.errors import KafkaError

from services.rights_handler.ports import Outbox
from services.rights_handler.tokens import Reference
from shared.auth import Caller
from shared.clock import Clock
from shared.contracts.envelope import Envelope, to_headers
from shared.contracts.partner_rights import STOP_REQUESTED
from shared.contracts.types import UUID_PATTERN
from shared.errors import InputError, Problem, Unavailable
from shared.kafka.publisher import Outgoing
from shared.topics import IN_PLATFORM_RIGHTS, PLATFORM_PARTY

MAX_BYTES = 65_536
_UUID = re.compile(UUID_PATTERN)


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is. Raises InputError."""
    try:
        data = orjson.loads(body) if len(body) <= MAX_BYTES else None
        orjson.dumps(data)  # what is nested deeper than can be written cannot be passed on
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        data = None
    if not isinstance(data, dict):
        raise InputError([Problem("JSON", "", f"the body is one JSON object of at most {MAX_BYTES} bytes")])
    return data


class Requesting:
    """Publishes stop requests; returns once they are stored. Raises Unavailable where Kafka does not confirm."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock

    async def by_caller(self, caller: Caller, body: bytes) -> str:
        """A stop from a party's own system or from the operator; returns its identity, `platform/<id>`."""
        data = object_of(body)
        if not any(data.get(name) for name in ("contacts", "contact", "subject_ref", "record", "consent_id")):
            message = "the stop names nobody: give a contact, a subject_ref or a record"
            raise InputError([Problem("STOP-NOBODY", "/contacts", message)])
        wanted = data.get("stop_id")
        stop_id = stop_identity(
            "http", caller.party or "operator", wanted if isinstance(wanted, str) else uuid.uuid4().hex
        )
        return await self._one({**_as_party(data, caller.party), "stop_id": stop_id})

    async def by_link(self, reference: Reference, *, everyone: bool = False) -> str:
        """A click on a one-click link: this party stops (or `everyone`), on all channels, for the person of this record.

        The instant is left to the broker and the id changes every second: a request repeated by a mail system is one stop,
        and a click after a later consent is another.
        """
        second = int(self._clock.now().timestamp())
        stop_id = stop_identity("link", reference.record, "" if everyone else reference.party, str(second))
        data = {
            "stop_id": stop_id,
            "record": reference.record,
            "recipients": "all" if everyone else [reference.party],
            "kind": "withdrawal",
            "via": "one_click",
        }
        return await self._one(data)

    async def publish(self, stops: Sequence[Mapping[str, Any]]) -> None:
        """Store stops, each with the `stop_id` that makes it count once."""
        messages = [
            Outgoing(
                IN_PLATFORM_RIGHTS.name, str(stop["stop_id"]).encode(), orjson.dumps(stop),
                tuple(to_headers(Envelope(id=str(stop["stop_id"]), source=PLATFORM_PARTY, type=STOP_REQUESTED))),
            )
            for stop in stops
        ]  # fmt: skip
        try:
            await self._outbox.send_all(messages)
        except KafkaError as error:
            raise Unavailable("Kafka did not confirm the stop") from error

    async def _one(self, data: Mapping[str, Any]) -> str:
        await self.publish([data])
        return f"{PLATFORM_PARTY}/{data['stop_id']}"


def _as_party(data: dict[str, Any], party: str | None) -> dict[str, Any]:
    """The same stop, with what its sender would have meant on its own topic: its references, its records, itself."""
    if party is None:
        return data
    meant = dict(data)
    meant.setdefault("collector", party)
    record = meant.get("record") or meant.get("consent_id")
    if isinstance(record, str) and _UUID.fullmatch(record.strip()):
        meant["record"] = record.strip().lower()
    to_sender = meant.get("kind") == "stop_reply" or meant.get("via") == "one_click"
    if to_sender and not meant.get("recipients"):
        meant["recipients"] = [party]
    return meant


def stop_identity(*cause: str) -> str:
    """The same cause always gives the same stop: 32 hex digits of SHA-256. A cause holds no contact."""
    return hashlib.sha256("\0".join(cause).encode()).hexdigest()[:32]
