"""What one archive instance makes of records: entries a second, whether an entry costs the same in a long log, bytes stored.

    python -m tests.bench.archiving [--records 1000000] [--partitions 3] [--json]

Half consents, half verdicts of three lines, in batches of 1 000, with everything an entry costs: canonical bytes, leaf and
tree hashes, tiles, sealed data, lines beside verdicts, references, compare-and-set of the heads, all under majority and journal.
`cost` compares the batches that end at 10 000, 100 000, … entries: what must not grow with the log. `bytes` are per entry: the
leaf, what stands beside it, and what the database holds of it all, rows and indexes. Plain inserts of the same values in the
same run are the yardstick. MONGODB_URI names another database than one of its own (rows of the run are removed from it).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import TopicPartition
from bson.binary import Binary

from services.proof_archive.domain import entry_of, origin
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.ownership import Ownership
from services.proof_archive.log.sequencer import Sequencer
from services.proof_archive.log.store import Store
from shared import canonical
from shared.clock import SystemClock
from shared.kafka.record import StoredRecord
from shared.logging import configure
from shared.metrics import Metrics
from shared.mongo import Database, connect, database
from shared.settings import Settings
from shared.verdicts import Opened, event_of
from tests.bench.engines import database_of_its_own

BATCH = 1000
WINDOW = 10
"""Batches whose median stands for a size of the logs."""
SAMPLED = 20_000
"""Entries whose bytes are looked at."""
STORED = ("entries", "tiles", "bodies", "sealed", "heads")
"""Collections that grow with entries."""
SEALED = 500
"""Bytes of personal data, encrypted."""
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


def _event(topic: str, record: str) -> dict[str, Any]:
    lines = [
        {"recipient": f"party-{n}", "channel": "email", "purpose": "prospecting", "sector": "general", "object": None,
         "value": "granted", "verdict": "valid", "basis": "consent", "valid_from": AT, "valid_until": AT, "reasons": [],
         "references": [{"key": f"agreement:acme-party-{n}:1", "offset": n, "archived_at": AT}]}
        for n in range(3)
    ]  # fmt: skip
    collector = record.partition("/")[0]
    common = {"v": 1, "record": record, "collector": collector, "collected_at": AT, "received_at": AT}
    if topic == "verdicts":
        references = [{"key": f"list:acme-partners:{n}", "offset": n, "archived_at": AT} for n in range(4)]
        facts = {**common, "kind": "consent.assessed", "references": references}
        return event_of(facts, Opened(os.urandom(32), lines))
    commitments = {f"/contacts/{n}/value": "A" * 43 for n in range(6)}
    return {"facts": {**common, "kind": "consent.recorded", "decisions": lines[:1], "commitments": commitments}}


class Source:
    """Records as Kafka would give them, made as they are asked for. `party`: the collector of them all."""

    def __init__(self, party: str, partitions: int) -> None:
        self._party, self._partitions, self._made = party, partitions, 0
        self._offsets: dict[tuple[str, int], int] = {}

    def batch(self, count: int) -> list[StoredRecord]:
        """The next records."""
        made = []
        for _ in range(count):
            topic, partition = ("consents", "verdicts")[self._made % 2], random.randrange(self._partitions)
            offset = self._offsets.get((topic, partition), 0)
            self._offsets[topic, partition] = offset + 1
            sealed = base64.b64encode(os.urandom(SEALED)).decode()
            value = canonical.dumps({**_event(topic, f"{self._party}/{uuid.uuid4()}"), "sealed": sealed})
            made.append(StoredRecord(topic, partition, offset, 1_790_000_000_000 + self._made, b"k", value))
            self._made += 1
        return made


async def sizes(db: Database) -> dict[str, int]:
    """Bytes of rows, on disk and of indexes, of all that the archive holds, once everything is written out."""
    await db.client.admin.command("fsync")
    total = {"rows": 0, "on_disk": 0, "indexes": 0}
    for name in STORED:
        found = await db.command("collStats", name)
        total["rows"] += found["size"]
        total["on_disk"] += found["storageSize"]
        total["indexes"] += found["totalIndexSize"]
    return total


def at_sizes(batches: Sequence[tuple[float, float]]) -> dict[str, dict[str, float]]:
    """Wall and processor microseconds of an entry in the batches that end at each power of ten, and at the end."""
    count, found = len(batches) * BATCH, {}
    marks = [10**n for n in range(4, 9) if 10**n < count] + [count]
    for mark in marks:
        upto = mark // BATCH
        window = batches[max(1 if upto > 1 else 0, upto - WINDOW) : upto]  # the first batch makes indexes and plans
        wall, cpu = (sorted(one[n] for one in window)[len(window) // 2] / BATCH * 1e6 for n in (0, 1))
        found[str(mark)] = {"us": round(wall, 1), "python_us": round(cpu, 1)}
    return found


async def measure(count: int, partitions: int, *, ours: bool) -> dict[str, Any]:
    """Entries a second, their cost as the logs grow, bytes, and the plain inserts of the same run."""
    count = max(2, count // BATCH) * BATCH
    client = connect(Settings(), "bench")
    run = uuid.uuid4().hex[:16]
    deployment, party, db = f"bench-{run}", f"b{run}", database(client, "archive")
    store, metrics, log = Store(client), Metrics(), configure("bench", "ERROR")
    await store.prepare()

    async def origin_of(topic: str, partition: int) -> str:
        return origin(deployment, topic, "0" * 16, partition)

    halts = Halts("sequencer", store, SystemClock(), metrics, log)
    sequencer = Sequencer(store, Ownership(store, origin_of, halts, log), metrics=metrics, log=log)
    assigned = {TopicPartition(topic, number) for topic in ("consents", "verdicts") for number in range(partitions)}
    await sequencer.assigned(assigned, _Consumer())
    source, batches, entries = Source(party, partitions), [], Counter[str]()
    for name in STORED:
        await db[name].insert_one({"_id": f"bench {run}"})  # a collection that is there can be asked for its size
        await db[name].delete_one({"_id": f"bench {run}"})
    before = await sizes(db)
    try:
        for done in range(0, count, BATCH):
            made = source.batch(BATCH)
            began, cpu = time.perf_counter(), time.process_time()
            await sequencer.process(made)
            batches.append((time.perf_counter() - began, time.process_time() - cpu))
            if done < SAMPLED:
                for entry in map(entry_of, made):
                    entries["leaf"] += len(entry.data)
                    entries["beside"] += len(entry.aside or b"") + (len(entry.sealed.blob) if entry.sealed else 0)
                    entries["count"] += 1
            if (done + BATCH) % 100_000 == 0:
                print(f"{done + BATCH:,} entries", file=sys.stderr, flush=True)
        heads = await store.heads([await origin_of(*tp) for tp in assigned])
        assert sum(head.size for head in heads.values()) == count
        after = await sizes(db)
        plain_seconds, plain = 0.0, min(count, 30 * BATCH)
        for _ in range(plain // BATCH):
            rows = [{"_id": uuid.uuid4().hex, "bytes": Binary(record.value or b"")} for record in source.batch(BATCH)]
            began = time.perf_counter()
            await db.bench.insert_many(rows, ordered=False)
            plain_seconds += time.perf_counter() - began
    finally:
        if not ours:
            await _clean(db, deployment, party)
        await client.close()
    seconds, cpu = sum(one[0] for one in batches), sum(one[1] for one in batches)
    cost = at_sizes(batches)
    stored = {name: (after[name] - before[name]) / count for name in after}
    leaf, beside = (entries[name] / entries["count"] for name in ("leaf", "beside"))
    return {
        "entries": count,
        "entries_per_second": round(count / seconds),
        "python_us_per_entry": round(cpu / count * 1e6, 1),
        "plain_inserts_per_second": round(plain / plain_seconds),
        "ratio_to_plain_inserts": round((count / seconds) / (plain / plain_seconds), 2),
        "cost": cost,
        "last_to_first": round(cost[str(count)]["us"] / next(iter(cost.values()))["us"], 2),
        "last_to_first_python": round(cost[str(count)]["python_us"] / next(iter(cost.values()))["python_us"], 2),
        "bytes": {
            "leaf": round(leaf), "beside": round(beside), **{name: round(value) for name, value in stored.items()},
            "overhead": round(stored["rows"] + stored["indexes"] - leaf - beside),
        },
    }  # fmt: skip


async def _clean(db: Database, deployment: str, party: str) -> None:
    logs = [row["log"] async for row in db.heads.find({"_id": {"$gte": f"{deployment}/", "$lt": f"{deployment}0"}})]
    for name in ("entries", "tiles"):
        await db[name].delete_many({"_id.log": {"$in": logs}})
    await db.heads.delete_many({"log": {"$in": logs}})
    await db.sealed.delete_many({"_id": {"$gte": f"{party}/", "$lt": f"{party}0"}})
    await db.bench.drop()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="entries; 1000000 takes a minute or two")
    parser.add_argument("--partitions", type=int, default=3, help="of each of the two topics")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with database_of_its_own() as ours:
        figures = asyncio.run(measure(given.records, given.partitions, ours=ours))
    if given.json:
        print(json.dumps(figures))
        return
    print(
        f"{figures['entries_per_second']:,} entries/s committed ({figures['python_us_per_entry']} µs of Python each), "
        f"{figures['plain_inserts_per_second']:,} plain inserts/s: ratio {figures['ratio_to_plain_inserts']}"
    )
    for size, cost in figures["cost"].items():
        print(f"at {int(size):>9,} entries: {cost['us']} µs an entry, {cost['python_us']} µs of Python")
    print(f"last to first: {figures['last_to_first']} ({figures['last_to_first_python']} of Python)")
    told = figures["bytes"]
    print(
        f"bytes an entry: leaf {told['leaf']}, beside it {told['beside']}; rows {told['rows']}, indexes {told['indexes']}, on disk "
        f"{told['on_disk']}; overhead {told['overhead']}"
    )


if __name__ == "__main__":
    main()
