"""Reads a log from outside (Kafka, MongoDB) and says what a third party would: no gap, no copy, no fork."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo import MongoClient

from services.proof_archive.domain import entry_of
from shared import canonical
from shared.crypto.checkpoint import Checkpoint
from shared.crypto.merkle import CompactRange, leaf_hash
from shared.crypto.policy import open_checkpoint, parse_policy
from shared.topics import CHECKPOINTS, REPORTS

TOPIC = REPORTS.name
WAIT_S = 90


class LogAudit:
    """The logs of one archived topic."""

    def __init__(self, at):
        self.at, self.count = at, 0
        self.policy = parse_policy((at.secrets_dir.parent / "policy").read_text())

    async def publish(self, count, *, pause=0.0):
        """Send records to every partition."""
        producer = AIOKafkaProducer(bootstrap_servers=self.at.kafka, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            for _ in range(count):
                facts = {"kind": "test", "record": f"acme/{self.count}", "v": 1}
                await producer.send(TOPIC, canonical.dumps({"facts": facts}), key=str(self.count).encode())
                self.count += 1
                if pause:
                    await asyncio.sleep(pause)
            await producer.flush()
        finally:
            await producer.stop()

    async def records(self, topic):
        """All that a topic holds, by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.at.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            parts = [TopicPartition(topic, p) for p in sorted(await self._partitions(consumer, topic))]
            consumer.assign(parts)
            ends, found = await consumer.end_offsets(parts), {tp.partition: [] for tp in parts}
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for tp, batch in (await consumer.getmany(timeout_ms=300)).items():
                    found[tp.partition] += batch
            return found
        finally:
            await consumer.stop()

    @staticmethod
    async def _partitions(consumer, topic):
        await consumer._client.force_metadata_update()
        return consumer.partitions_for_topic(topic) or await consumer.topics() or set()

    def heads(self):
        """The heads of the topic's logs by partition."""
        with MongoClient(self.at.mongodb, timeoutMS=20_000) as client:
            rows = client.archive.heads.find({"_id": {"$regex": f"/{TOPIC}/"}})
            return {int(row["_id"].rsplit("/p", 1)[1]): row for row in rows}

    async def checkpoints(self):
        """Every checkpoint of the topic's logs that ever left, by origin, in order."""
        found = {}
        for batch in (await self.records(CHECKPOINTS.name)).values():
            for record in batch:
                checkpoint = open_checkpoint(record.value, self.policy).checkpoint
                if f"/{TOPIC}/" in checkpoint.origin:
                    found.setdefault(checkpoint.origin, []).append(checkpoint)
        return found

    async def settled(self):
        """Wait until everything is archived and signed; then check every log against what Kafka holds."""
        records = await self.records(TOPIC)
        deadline = time.monotonic() + WAIT_S
        while True:
            heads = await asyncio.to_thread(self.heads)
            signed = {origin: notes[-1] for origin, notes in (await self.checkpoints()).items()}
            wanted = {p: len(batch) for p, batch in records.items() if batch}
            done = all(p in heads and heads[p]["next_offset"] > records[p][-1].offset for p in wanted)
            if done and all(
                signed.get(heads[p]["_id"]) == Checkpoint(heads[p]["_id"], heads[p]["size"], bytes(heads[p]["root"]))
                for p in wanted
            ):
                break
            assert time.monotonic() < deadline, (wanted, {p: h["size"] for p, h in heads.items()}, signed)
            await asyncio.sleep(0.3)
        await self.sound(records)
        return heads

    async def sound(self, records):
        """No gap, no copy: the entries are the records. No fork: every checkpoint that ever left is of one tree."""
        history = await self.checkpoints()
        assert sum(map(len, records.values())) == self.count
        heads = await asyncio.to_thread(self.heads)
        for partition, batch in records.items():
            if not batch:
                continue
            head = heads[partition]
            expected = [entry_of(record).data for record in batch]
            assert await asyncio.to_thread(self._entries, head) == expected
            tree, roots = CompactRange(), {}
            for data in expected:
                tree = tree.append(leaf_hash(data))
                roots[tree.size] = tree.root()
            assert (head["size"], bytes(head["root"])) == (tree.size, tree.root())
            notes = history[head["_id"]]
            assert [note.root for note in notes] == [roots[note.size] for note in notes], "a fork was signed"
            assert [note.size for note in notes] == sorted(note.size for note in notes)

    def _entries(self, head):
        with MongoClient(self.at.mongodb) as client:
            rows = client.archive.entries.find({"_id.log": head["log"], "_id.index": {"$lt": head["size"]}})
            return [bytes(row["bytes"]) for row in sorted(rows, key=lambda row: row["_id"]["index"])]
