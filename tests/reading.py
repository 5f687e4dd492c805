"""Reading what topics hold, from their first record to their ends of now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer

from shared.kafka.connection import client_options
from shared.kafka.reading import Cluster, find_partitions, topic_names
from shared.settings import Settings

READ_S = 120


async def every_record(
    cluster: Cluster, names: Iterable[str] | None = None, ends: dict[tuple[str, int], int] | None = None
) -> AsyncGenerator[Any]:
    """Every record of these topics (None: all), by partition in order; where they ended is left in `ends`."""
    options = client_options(cluster, "test") if isinstance(cluster, Settings) else {"bootstrap_servers": cluster}
    consumer = AIOKafkaConsumer(**options, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        parts = await find_partitions(cluster, await topic_names(cluster) if names is None else names)
        consumer.assign(parts)
        upto = await consumer.end_offsets(parts)
        await consumer.seek_to_beginning(*parts)
        async with asyncio.timeout(READ_S):
            while any([await consumer.position(part) < end for part, end in upto.items()]):
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    for record in records:
                        yield record
        if ends is not None:
            ends.update({(part.topic, part.partition): end for part, end in upto.items()})
    finally:
        await consumer.stop()
