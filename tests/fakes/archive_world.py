"""An archive of its own on shared engines: a deployment, topics and a log key that no other test has."""

import asyncio
import contextlib
import itertools
import random
import string
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from bson.binary import Binary

from services.proof_archive.checkpoints.memory import Memory
from services.proof_archive.checkpoints.signing import Signing
from services.proof_archive.domain import entry_of, origin
from services.proof_archive.log.growth import Edge, grow
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.ownership import Ownership
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.rows import row_id, tile_id
from services.proof_archive.log.sequencer import Sequencer
from services.proof_archive.log.store import Store
from shared import canonical
from shared.clock import SystemClock
from shared.crypto.note import Signer
from shared.crypto.policy import parse_policy
from shared.kafka.batch import BatchLoop
from shared.kafka.publisher import Outgoing, Publisher
from shared.local_engines.trust import policy_text
from shared.logging import configure
from shared.metrics import Metrics
from shared.mongo import connect, database
from shared.settings import Settings
from tests.fakes.archive import leaf, record_name, tree_hash

SEED, BUNDLE_SEED = b"s" * 32, b"b" * 32
INCARNATION = "0123456789abcdef"


class Killed(BaseException):
    """What a test raises between two steps: nothing catches it, as nothing catches SIGKILL."""


def letters():
    return "t" + "".join(random.choices(string.ascii_lowercase, k=12))


class ArchiveWorld:
    """Engines, one deployment, and the means to publish to its topics and look at its logs."""

    def __init__(self, kafka, mongo_uri, directory):
        self.deployment = f"{letters()}.local"
        self.settings = Settings(
            KAFKA_BOOTSTRAP_SERVERS=kafka, MONGODB_URI=mongo_uri, deployment=self.deployment, state_dir=directory / "state",
            secrets_dir=directory,
        )  # fmt: skip
        self.kafka = kafka
        self.log = configure("test", "ERROR")
        self.client = connect(self.settings, "test")
        self.db = database(self.client, "archive")
        self.store, self.reader = Store(self.client), Reader(self.client)
        self.publisher = Publisher(self.settings, "test")
        self.signer = Signer(self.deployment, SEED)
        self.policy = parse_policy(policy_text(self.deployment, SEED, BUNDLE_SEED))
        self.stack = contextlib.AsyncExitStack()

    async def __aenter__(self):
        await self.store.prepare()
        await self.publisher.start()
        return self

    async def __aexit__(self, *_):
        await self.stack.aclose()
        await self.publisher.stop()
        await self.client.close()

    async def topic(self, partitions=1, **config):
        name = letters()
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            await admin.create_topics([
                NewTopic(name, partitions, 1, topic_configs={"message.timestamp.type": "LogAppendTime", **config})
            ])  # fmt: skip
            while name not in await admin.list_topics():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        finally:
            await admin.close()
        return name

    async def publish(self, topic, count, *, partition=0, begin=0):
        await self.publisher.send_all([
            Outgoing(topic, b"k", canonical.dumps(
                {"facts": {"kind": "test", "record": record_name(number), "v": 1, "n": number}}
            ), partition=partition)
            for number in range(begin, begin + count)
        ])  # fmt: skip

    def origin(self, topic, partition=0):
        return origin(self.deployment, topic, INCARNATION, partition)

    def sequencer(self, after: Callable[[str], None] | None = None):
        async def origin_of(topic, partition):
            return self.origin(topic, partition)

        halts = Halts("sequencer", self.store, SystemClock(), Metrics(), self.log)
        ownership = Ownership(self.store, origin_of, halts, self.log)
        extra = {"after": after} if after else {}
        return Sequencer(self.store, ownership, metrics=Metrics(), log=self.log, **extra)

    async def instance(self, *partitions, after=None):
        """A member with these partitions, without a group: the test decides who has what."""
        one = Instance(self, [TopicPartition(*pair) for pair in partitions], self.sequencer(after))
        await self.stack.enter_async_context(one)
        return one

    def signing(self, directory=None, after=None):
        """A signer as after a start; recover is up to the test."""
        extra = {"after": after} if after else {}
        halts = Halts("signer", self.store, SystemClock(), Metrics(), self.log)
        return Signing(
            self.signer, Memory(directory or self.settings.state_dir), reader=self.reader, store=self.store,
            publisher=self.publisher, halts=halts, metrics=Metrics(), log=self.log, **extra,
        )  # fmt: skip

    async def records(self, topic, partition=0):
        """Everything the topic holds."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            tp = TopicPartition(topic, partition)
            consumer.assign([tp])
            end, found = (await consumer.end_offsets([tp]))[tp], []
            while await consumer.position(tp) < end:
                for batch in (await consumer.getmany(timeout_ms=300)).values():
                    found += batch
            return found
        finally:
            await consumer.stop()

    async def entries(self, topic, partition=0):
        """The committed entries of a log, exact bytes, in order."""
        head = await self.reader.head(self.origin(topic, partition))
        return await self.reader.entries(head.log, 0, head.size) if head else []

    async def forge(self, topic, entries):
        """Replace a log by these entries, tiles and head made to agree with them, as who holds the database could."""
        head = await self.reader.head(self.origin(topic))
        edge, tiles = grow(Edge(), [leaf(entry) for entry in entries])
        for index, entry in enumerate(entries):
            key = {"_id": row_id(head.log, index)}
            await self.db.entries.replace_one(key, {"bytes": Binary(entry), "refs": []}, upsert=True)
        for tile in tiles:
            key = {"_id": tile_id(head.log, tile.level, tile.number)}
            await self.db.tiles.replace_one(key, {"w": tile.width, "h": Binary(tile.hashes)}, upsert=True)
        root, hashes = edge.frontier.root(), [Binary(item) for item in edge.frontier.hashes]
        moved = {"size": edge.size, "root": Binary(root), "next_offset": len(entries), "range": hashes}
        await self.db.heads.update_one({"_id": head.origin}, {"$set": moved})
        assert root == tree_hash([leaf(entry) for entry in entries])

    async def assert_archived(self, topic, partitions=1):
        """Every record is an entry, once, in order; the head is that of the reference tree. Returns the heads."""
        heads = []
        for partition in range(partitions):
            expected = [entry_of(record).data for record in await self.records(topic, partition)]
            assert await self.entries(topic, partition) == expected
            heads.append(await self.reader.head(self.origin(topic, partition)))
        return heads


class Instance:
    """One sequencer on its own consumer, driven batch by batch through the real loop."""

    def __init__(self, world, partitions, sequencer):
        self.partitions, self.sequencer = partitions, sequencer
        self.sizes = itertools.chain(range(200, 60, -7), itertools.repeat(60))  # a replay is cut otherwise
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=world.kafka, enable_auto_commit=False, auto_offset_reset="none", max_poll_records=500
        )
        self.loop = BatchLoop(
            group="t",
            process=sequencer.process,
            publisher=world.publisher,
            metrics=Metrics(),
            log=world.log,
            isolate=False,
        )

    async def __aenter__(self):
        await self.consumer.start()
        self.consumer.assign(self.partitions)
        return self

    async def __aexit__(self, *_):
        await self.consumer.stop()

    async def claim(self):
        await self.sequencer.assigned(set(self.partitions), self.consumer)
        return self

    async def step(self):
        """One batch; how many records it had."""
        batches = await self.consumer.getmany(timeout_ms=400, max_records=next(self.sizes))
        records = [record for batch in batches.values() for record in batch]
        if records:
            await self.loop.run(records, self.consumer)
        return len(records)

    async def drain(self):
        """Go on until everything published so far was consumed, but for halted partitions."""
        ends = await self.consumer.end_offsets(self.partitions)
        async with asyncio.timeout(60):
            while [
                tp
                for tp in self.partitions
                if tp not in self.consumer.paused() and await self.consumer.position(tp) < ends[tp]
            ]:
                await self.step()
        return self
