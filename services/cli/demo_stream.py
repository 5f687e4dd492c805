"""The demonstration's inputs: lines of a file made by `deploy/example/generate.py`, published as partners would.

Dates in the file are relative. They are written into each event when it is published, so that the stream is always fresh:
`after_s` maps a JSON pointer to seconds after the moment of publication (of the wave named by `anchor`). The client is a
plain idempotent producer: nothing here knows how the platform works inside.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaProducer

from shared.errors import ConfigurationError
from shared.instants import format_instant
from shared.topics import party_of

Line = dict[str, Any]
Headers = list[tuple[str, bytes | None]]
Place = tuple[str, int, int]
"""Topic, partition, offset."""

PARIS = ZoneInfo("Europe/Paris")
IN_FLIGHT = 100
"""Sends awaited together: enough to keep the broker busy, few enough to move the progress bar."""


@dataclass(frozen=True, slots=True)
class Message:
    """One input, ready to publish, with the line it comes from."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    line: Line


def read_lines(path: Path) -> list[Line]:
    """Lines of a stream file. Raises ConfigurationError naming the file, or the line that is no JSON object."""
    lines = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                line = json.loads(text)
                if not isinstance(line, dict) or "topic" not in line or "ce" not in line:
                    raise ConfigurationError(f"{path.name}, line {number}: not a line of the example's stream")
                lines.append(line)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{path.name}, line {len(lines) + 1}: not JSON ({error})") from None
    return lines


def wave(lines: Sequence[Line], number: int) -> list[Line]:
    """Lines of one wave: 1 first, 2 after the withdrawals."""
    return [line for line in lines if line.get("wave", 1) == number]


def message(line: Line, bases: Mapping[int, datetime]) -> Message:
    """The input of one line. `bases` gives the moment from which each wave counts."""
    value = base64.b64decode(line["raw_b64"]) if "raw_b64" in line else json.dumps(_dated(line, bases)).encode()
    return Message(line["topic"], line["key"].encode(), value, _headers(line), line)


def _dated(line: Line, bases: Mapping[int, datetime]) -> Any:
    data = copy.deepcopy(line["data"])
    base = bases[int(line.get("anchor") or line.get("wave") or 1)]
    for pointer, seconds in line.get("after_s", {}).items():
        moment = base + timedelta(seconds=seconds)
        *parents, name = pointer.removeprefix("/").split("/")
        target = data
        for part in parents:
            target = target[int(part)] if isinstance(target, list) else target[part]
        # A period ends with a day of the French calendar; everything else is an instant.
        day = name == "valid_until"
        target[name] = moment.astimezone(PARIS).date().isoformat() if day else format_instant(moment)
    return data


def _headers(line: Line) -> Headers:
    if "raw_headers" in line:
        return [(name, None if value is None else base64.b64decode(value)) for name, value in line["raw_headers"]]
    ce = line["ce"]
    attributes = {"specversion": "1.0", "id": ce["id"], "source": ce["source"], "type": ce["type"]}
    binary: Headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return [*binary, ("content-type", b"application/json")]


async def publish(bootstrap: str, messages: Sequence[Message], progress: Callable[[int], None]) -> list[Place]:
    """Publish everything, each party with its own producer and its own events in order.

    `progress` hears how many more are stored. The answer tells where each message stands, in the order given.
    """
    by_party: defaultdict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(messages):
        by_party[party_of(one.topic)].append(index)
    places: dict[int, Place] = {}
    async with asyncio.TaskGroup() as group:
        for party, indices in by_party.items():
            group.create_task(_publish_as(bootstrap, party, messages, indices, places, progress))
    return [places[index] for index in range(len(messages))]


async def _publish_as(
    bootstrap: str,
    party: str,
    messages: Sequence[Message],
    indices: Sequence[int],
    places: dict[int, Place],
    progress: Callable[[int], None],
) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, client_id=f"{party}.crm", acks="all", enable_idempotence=True, linger_ms=5
    )
    await producer.start()
    try:
        for start in range(0, len(indices), IN_FLIGHT):
            chunk = indices[start : start + IN_FLIGHT]
            futures = [await producer.send(m.topic, value=m.value, key=m.key, headers=m.headers)
                       for m in (messages[index] for index in chunk)]  # fmt: skip
            for index, stored in zip(chunk, await asyncio.gather(*futures), strict=True):
                places[index] = (stored.topic, stored.partition, stored.offset)
            progress(len(chunk))
    finally:
        await producer.stop()
