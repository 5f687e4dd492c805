"""The checkpoints that left: the compacted topic `checkpoints.latest`, read to its end when the signer starts."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.crypto.checkpoint import Checkpoint
from shared.crypto.note import Verifier, open_note
from shared.errors import IntegrityError, Unavailable
from shared.kafka.connection import client_options
from shared.settings import Settings
from shared.topics import CHECKPOINTS_LATEST

READ_S = 60.0


async def latest_notes(settings: Settings) -> dict[str, bytes]:
    """The newest note of each log, by origin. Raises `Unavailable` when the topic cannot be read to its end."""
    consumer = AIOKafkaConsumer(
        **client_options(settings, "signer-reader"), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        async with asyncio.timeout(READ_S):
            return await _read(consumer)
    except (TimeoutError, KafkaError) as error:
        raise Unavailable(f"topic {CHECKPOINTS_LATEST.name} cannot be read to its end now") from error
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer) -> dict[str, bytes]:
    while not (numbers := consumer.partitions_for_topic(CHECKPOINTS_LATEST.name)):
        await consumer._client.force_metadata_update()  # noqa: SLF001 - no public way to ask for one topic's partitions
        await consumer.topics()
    partitions = [TopicPartition(CHECKPOINTS_LATEST.name, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    notes: dict[str, bytes] = {}
    while [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                if record.key is not None and record.value is not None:
                    notes[record.key.decode("utf-8", "replace")] = record.value
    return notes


def open_latest(origin: str, note: bytes, verifier: Verifier) -> Checkpoint:
    """The checkpoint of a note of ours. Raises IntegrityError when our key did not sign it, or it names another log."""
    checkpoint = Checkpoint.parse(open_note(note, [verifier]).text)
    if checkpoint.origin != origin:
        raise IntegrityError("the note names another log than its key")
    return checkpoint
