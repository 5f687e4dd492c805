"""Reads `dead` whole, and says which letters still wait: a letter is resolved by a later record of `dead` that names it.

A resolution has no value; its headers are `opposable-resolution` (replayed | dropped), `opposable-of`
(`<partition>/<offset>` of the letter) and `opposable-reason`. Only services and operators write to `dead`, and the names
starting with `opposable-` are taken off what senders wrote, so neither can be forged by a party.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.errors import ConfigurationError, InputError, Problem, Unavailable
from shared.kafka.connection import client_options
from shared.kafka.dead import original_headers
from shared.kafka.publisher import Headers, Outgoing
from shared.kafka.reading import find_partitions
from shared.kafka.record import Record
from shared.provisioning import require_topics
from shared.settings import Settings
from shared.topics import DEAD

Resolution = Literal["replayed", "dropped"]
READ_S = 120.0
ONE_S = 10.0
_NAME = re.compile(r"(\d{1,6})/(\d{1,18})")
RESOLUTION, OF, REASON = "opposable-resolution", "opposable-of", "opposable-reason"


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter: where it lies in `dead`, what failed, and the record as its sender wrote it."""

    partition: int
    offset: int
    timestamp: int
    code: str
    message: str
    topic: str
    source_partition: int
    source_offset: int
    attempts: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    resolution: str | None = None

    @property
    def id(self) -> str:
        """`<partition>/<offset>` in `dead`: how commands name it."""
        return f"{self.partition}/{self.offset}"


def letters_of(records: Iterable[Record]) -> list[Letter]:
    """Every letter among the records of `dead`, oldest first, each with how it was resolved, if it was. Pure."""
    records = list(records)
    resolved = resolutions_of(records)
    letters = [_letter(record, resolved.get(f"{record.partition}/{record.offset}")) for record in records
               if RESOLUTION not in _ours(record)]  # fmt: skip
    return sorted(letters, key=lambda letter: (letter.timestamp, letter.partition, letter.offset))


def resolutions_of(records: Iterable[Record]) -> dict[str, str]:
    """How letters were resolved, by letter, as far as these records say. Pure."""
    found = {}
    for record in records:
        ours = _ours(record)
        if RESOLUTION in ours:
            found[ours.get(OF, "")] = ours[RESOLUTION]
    return found


def _ours(record: Record) -> dict[str, str]:
    return {
        name: (value or b"").decode("utf-8", "replace")
        for name, value in record.headers
        if name.startswith("opposable-")
    }


def _letter(record: Record, resolution: str | None) -> Letter:
    ours = _ours(record)
    return Letter(
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        code=ours.get("opposable-error-code", "?"),
        message=ours.get("opposable-error", ""),
        topic=ours.get("opposable-topic", ""),
        source_partition=_number(ours.get("opposable-partition")),
        source_offset=_number(ours.get("opposable-offset")),
        attempts=_number(ours.get("opposable-attempts")),
        key=_key(ours.get("opposable-key")),
        value=record.value,
        headers=original_headers(record.headers),
        resolution=resolution,
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else -1


def _key(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def replay_of(letter: Letter) -> Outgoing:
    """The record as its sender wrote it, to its topic and partition. Raises ConfigurationError where neither is known."""
    if not letter.topic or letter.source_partition < 0:
        raise ConfigurationError(f"letter {letter.id} does not say where it came from: it cannot be replayed")
    return Outgoing(letter.topic, letter.key, letter.value, letter.headers, letter.source_partition)


def resolution_of(letter: Letter, how: Resolution, reason: str) -> Outgoing:
    """The record that resolves a letter; it stands in the letter's own partition, after it."""
    headers = ((RESOLUTION, how.encode()), (OF, letter.id.encode()), (REASON, reason.encode()))
    return Outgoing(DEAD.name, None, None, headers, letter.partition)


def pick(
    letters: Sequence[Letter], ids: Sequence[str], *, code: str | None, topic: str | None, everything: bool
) -> list[Letter]:
    """The unresolved letters that a command names. Raises InputError for an id that is no unresolved letter."""
    waiting = {letter.id: letter for letter in letters if letter.resolution is None}
    unknown = [one for one in ids if one not in waiting]
    if unknown:
        raise InputError([Problem("DEAD-UNKNOWN", one, "no unresolved letter has this number") for one in unknown])
    if ids:
        return [waiting[one] for one in ids]
    if code is None and topic is None and not everything:
        raise InputError([Problem("DEAD-WHICH", "", "name letters, or give --code, --topic or --all")])
    return matching(waiting.values(), code=code, topic=topic)


def matching(letters: Iterable[Letter], *, code: str | None, topic: str | None) -> list[Letter]:
    """Those with this error code and from this topic (None = any)."""
    return [one for one in letters if code in {None, one.code} and topic in {None, one.topic}]


async def read_dead(settings: Settings) -> list[Letter]:
    """Read `dead` from its beginning to its end. Raises ConfigurationError where there is none, Unavailable after READ_S."""
    await require_topics(settings, [DEAD.name])
    consumer = AIOKafkaConsumer(
        DEAD.name,  # without a group: every partition is assigned at start
        **client_options(settings, "dead-reader"),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(READ_S):
            partitions = sorted(consumer.assignment())
            ends = await consumer.end_offsets(partitions)
            await consumer.seek_to_beginning(*partitions)
            records: list[Record] = []
            while any([await consumer.position(one) < end for one, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    records += batch
    except TimeoutError:
        raise Unavailable(f"{DEAD.name} cannot be read to its end within {READ_S:.0f} s") from None
    finally:
        await consumer.stop()
    return letters_of(records)


async def read_letter(settings: Settings, name: str) -> Letter | None:
    """One letter by `<partition>/<offset>`; None where there is none (any more). Raises Unavailable after ONE_S."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    consumer = AIOKafkaConsumer(
        **client_options(settings, "dead-reader"), enable_auto_commit=False, auto_offset_reset="none"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(ONE_S):
            place, offset = TopicPartition(DEAD.name, int(found[1])), int(found[2])
            if place not in await find_partitions(settings, [DEAD.name]):
                return None
            consumer.assign([place])
            first = (await consumer.beginning_offsets([place]))[place]
            end = (await consumer.end_offsets([place]))[place]
            if not first <= offset < end:
                return None
            consumer.seek(place, offset)
            record = await consumer.getone(place)
    except TimeoutError:
        raise Unavailable(f"{DEAD.name} cannot be read within {ONE_S:.0f} s") from None
    finally:
        await consumer.stop()
    return next(iter(letters_of([record])), None) if record.offset == offset else None


class DeadFollower:
    """Reads `dead` from its beginning and goes on as letters come."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._consumer = AIOKafkaConsumer(
            DEAD.name, **client_options(settings, name), enable_auto_commit=False, auto_offset_reset="earliest"
        )

    async def batches(self) -> AsyncIterator[tuple[list[Letter], dict[str, str], bool]]:
        """Letters, resolutions by letter, and whether the end of the topic is reached; for ever."""
        consumer = self._consumer
        await consumer.start()
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        at_end = False
        while True:
            found = await consumer.getmany(timeout_ms=1000, max_records=500)
            records = [record for batch in found.values() for record in batch]
            if not at_end:
                at_end = all([await consumer.position(one) >= end for one, end in ends.items()])
            yield letters_of(records), resolutions_of(records), at_end

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
