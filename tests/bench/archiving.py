"""How many records a second one archive instance turns into committed log entries, against plain inserts of the same bytes.

    MONGODB_URI=… python -m tests.bench.archiving [--records N] [--partitions N] [--json]

Half consents, half verdicts of three lines, in batches of 1 000, with everything an entry costs: canonical bytes, leaf and
tree hashes, tiles, sealed data, references, compare-and-set of the heads, all under majority and journal. The rows are put
under a deployment name of the run and removed afterwards. The ratio is what to compare: both are measured in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import time
import uuid
from collections.abc import Iterable
from typing import Any

from aiokafka import TopicPartition
from bson.binary import Binary

from services.proof_archive.domain import origin
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.ownership import Ownership
from services.proof_archive.log.sequencer import Sequencer
from services.proof_archive.log.store import Store
from shared import canonical
from shared.clock import SystemClock
from shared.kafka.record import StoredRecord
from shared.logging import configure
from shared.metrics import Metrics
from shared.mongo import connect, database
from shared.settings import Settings

BATCH = 1000
SEALED = base64.b64encode(os.urandom(500)).decode()
AT = "2026-09-14T08:31:07.120Z"


class _Consumer:
    """What the sequencer asks of a consumer whose partitions begin at 0."""

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 1 << 40)

    def seek(self, *_: Any) -> None:
        """Records are handed over by the benchmark."""

    pause = resume = seek


def _facts(topic: str, record: str) -> dict[str, Any]:
    lines = [
        {"recipient": f"party-{n}", "channel": "email", "purpose": "prospecting", "sector": "general", "object": None,
         "value": "granted", "verdict": "valid", "basis": "consent", "valid_from": AT, "valid_until": AT, "reasons": []}
        for n in range(3)
    ]  # fmt: skip
    common = {"v": 1, "record": record, "collector": "acme", "collected_at": AT, "received_at": AT}
    if topic == "verdicts":
        references = [{"key": f"list:acme-partners:{n}", "offset": n, "archived_at": AT} for n in range(6)]
        return {**common, "kind": "consent.assessed", "lines": lines, "references": references}
    commitments = {f"/contacts/{n}/value": "A" * 43 for n in range(6)}
    return {**common, "kind": "consent.recorded", "decisions": lines[:1], "commitments": commitments}


def records(count: int, partitions: int) -> list[StoredRecord]:
    """Records as Kafka would give them."""
    offsets: dict[tuple[str, int], int] = {}
    made = []
    for number in range(count):
        topic, partition = ("consents", "verdicts")[number % 2], random.randrange(partitions)
        offset = offsets.get((topic, partition), 0)
        offsets[topic, partition] = offset + 1
        value = canonical.dumps({"facts": _facts(topic, f"acme/{uuid.uuid4()}"), "sealed": SEALED})
        made.append(StoredRecord(topic, partition, offset, 1_790_000_000_000 + number, b"k", value))
    return made


async def measure(count: int, partitions: int) -> dict[str, float]:
    """Entries a second, Python CPU per entry, and the plain inserts of the same run."""
    client = connect(Settings(), "bench")
    deployment, db = f"bench-{uuid.uuid4().hex}", database(client, "archive")
    store, metrics, log = Store(client), Metrics(), configure("bench", "ERROR")
    await store.prepare()

    async def origin_of(topic: str, partition: int) -> str:
        return origin(deployment, topic, "0" * 16, partition)

    halts = Halts("sequencer", store, SystemClock(), metrics, log)
    sequencer = Sequencer(store, Ownership(store, origin_of, halts, log), metrics=metrics, log=log)
    assigned = {TopicPartition(topic, number) for topic in ("consents", "verdicts") for number in range(partitions)}
    await sequencer.assigned(assigned, _Consumer())
    made = records(count, partitions)
    plain = [{"_id": uuid.uuid4().hex, "bytes": Binary(record.value)} for record in made]
    try:
        began, cpu = time.perf_counter(), time.process_time()
        for at in range(0, count, BATCH):
            await sequencer.process(made[at : at + BATCH])
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        heads = await store.heads([await origin_of(*tp) for tp in assigned])
        assert sum(head.size for head in heads.values()) == count
        began = time.perf_counter()
        for at in range(0, count, BATCH):
            await db.bench.insert_many(plain[at : at + BATCH], ordered=False)
        plain_seconds = time.perf_counter() - began
    finally:
        logs = [row["log"] async for row in db.heads.find({"_id": {"$gte": f"{deployment}/", "$lt": f"{deployment}0"}})]
        for name in ("entries", "tiles"):
            await db[name].delete_many({"_id.log": {"$in": logs}})
        await db.heads.delete_many({"log": {"$in": logs}})
        await db.sealed.delete_many({"_id": {"$in": [canonical.loads(r.value)["facts"]["record"] for r in made]}})
        await db.bench.drop()
        await client.close()
    return {
        "entries_per_second": round(count / seconds),
        "python_us_per_entry": round(cpu / count * 1e6, 1),
        "plain_inserts_per_second": round(count / plain_seconds),
        "ratio_to_plain_inserts": round(plain_seconds / seconds, 2),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--partitions", type=int, default=3, help="of each of the two topics")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = asyncio.run(measure(given.records, given.partitions))
    if given.json:
        print(json.dumps(figures))
        return
    print(
        f"{figures['entries_per_second']:,} entries/s committed ({figures['python_us_per_entry']} µs of Python each), "
        f"{figures['plain_inserts_per_second']:,} plain inserts/s: ratio {figures['ratio_to_plain_inserts']}"
    )


if __name__ == "__main__":
    main()
