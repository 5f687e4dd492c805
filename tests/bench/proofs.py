"""How soon a proof is answered among many records: JSON (target: 99 of 100 under 50 ms among 10^6), attestation, bundle.

    python -m tests.bench.proofs [--records 1000000] [--asked 20000] [--asks 2000] [--at-once 8] [--json]

Archives N records, each a consent (sealed, its key in the vault) and its verdict on three prospecteurs, one in twenty with a
withdrawal, two orders and an answer, over 12 partitions a topic, through the sequencer itself, without Kafka; signs the logs;
then asks for records drawn at random, by the collector and by a prospecteur, through the service's own routes. What is
timed is the whole request in the service (authentication, search, proofs, disclosures, the delivery kept in the outbox),
not the network. Those that may be asked for (`--asked`) stand evenly among all; the others are like them, byte for byte but for
their name and their place, under keys of nobody, so that a million takes minutes. `ratio` is the p99 beside that of the same
questions when the archive held the first tenth of the records.

The database is one of its own, thrown away; or that of MONGODB_URI: the rows are removed from it afterwards, unless `--keep`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from aiokafka import TopicPartition
from bson.binary import Binary

from services.collector.domain import Position, internal_event
from services.consent_validator.domain import assess
from services.proof_archive.app import build
from services.proof_archive.checkpoints.memory import Memory
from services.proof_archive.checkpoints.signing import Signing
from services.proof_archive.domain import origin
from services.proof_archive.log.halts import Halts
from services.proof_archive.log.ownership import Ownership
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.sequencer import Sequencer
from services.proof_archive.log.store import Store
from services.proof_archive.settings import ArchiveSettings
from shared import canonical
from shared.clock import SystemClock
from shared.contracts.envelope import Envelope
from shared.crypto.note import Signer
from shared.crypto.sealing import RecordKey
from shared.instants import format_instant, from_millis
from shared.intake.accept import accept
from shared.kafka.publisher import Publisher
from shared.kafka.record import StoredRecord
from shared.local_engines.trust import policy_text
from shared.registry.models import key_of
from shared.registry.view import RegistryView
from shared.service import GC_THRESHOLD, Context
from shared.topics import CONSENTS, DELIVERIES, ERASURES, REGISTRY, REPORTS, REQUESTS, STOPS, VERDICTS
from shared.vault import Admission, Vault
from tests.bench import world
from tests.bench.archiving import _Consumer as FixedConsumer
from tests.bench.engines import database_of_its_own

BATCH = 500
PARTITIONS = 12
TOPICS = (CONSENTS, VERDICTS, STOPS, REQUESTS, REPORTS, DELIVERIES, ERASURES)
KEK, SEED, BUNDLE_SEED = b"k" * 32, b"s" * 32, b"b" * 32
COLLECTOR, PROSPECTOR = "bench-a", "p00"


class _Publisher(Publisher):
    """Nothing is published: the signer's notes are read from the database."""

    def __init__(self) -> None:
        """It has no broker."""

    async def send_all(self, _messages: Sequence[Any]) -> None:
        return


class Building:
    """Fills an archive. Offsets are those of topics that nobody else writes."""

    def __init__(self, context: Context, deployment: str) -> None:
        self.store, self.deployment, self.context = Store(context.mongo), deployment, context
        halts = Halts("sequencer", self.store, SystemClock(), context.metrics, context.log)
        ownership = Ownership(self.store, self.origin_of, halts, context.log)
        self.sequencer = Sequencer(self.store, ownership, metrics=context.metrics, log=context.log)
        self.signing = Signing(
            Signer(deployment, SEED), Memory(context.settings.state_dir), reader=Reader(context.mongo), store=self.store,
            publisher=_Publisher(), halts=Halts("signer", self.store, SystemClock(), context.metrics, context.log),
            metrics=context.metrics, log=context.log,
        )  # fmt: skip
        self.vault = Vault(context.mongo, KEK)
        self.offsets: dict[TopicPartition, int] = {}
        self.now = int(time.time() * 1000)

    async def origin_of(self, topic: str, partition: int) -> str:
        return origin(self.deployment, topic, "0" * 16, partition)

    async def own(self) -> None:
        partitions = {TopicPartition(row.name, n) for row in TOPICS for n in range(PARTITIONS)}
        await self.sequencer.assigned(partitions | {TopicPartition(REGISTRY.name, 0)}, FixedConsumer())

    def record(self, topic: str, key: str, value: bytes, partition: int | None = None) -> StoredRecord:
        at = TopicPartition(topic, partition if partition is not None else hash(key) % PARTITIONS)
        offset = self.offsets.get(at, 0)
        self.offsets[at] = offset + 1
        return StoredRecord(topic, at.partition, offset, self.now, key.encode(), value)

    async def registry(self) -> RegistryView:
        """The registry, archived, and as readers see it."""
        view, records = RegistryView(), []
        for body in world.documents():
            if body["kind"] == "party" and body["id"] in (COLLECTOR, PROSPECTOR):
                scopes = ["collector" if body["id"] == COLLECTOR else "prospector"]
                digest = hashlib.sha256(f"key of {body['id']}".encode()).hexdigest()
                body = {**body, "api_keys": [{"id": "k", "sha256": digest, "scopes": scopes, "expires_at": None}]}  # noqa: PLW2901
            record = self.record(REGISTRY.name, key_of(body), canonical.dumps(body), 0)
            view.apply(key_of(body), body, offset=record.offset, archived_at=from_millis(record.timestamp))
            records.append(record)
        await self.sequencer.process(records)
        return view

    def like(self, view: RegistryView) -> tuple[Any, Any]:
        """The consent and the verdict that all records are like."""
        _, data = world.consent(COLLECTOR, 1, "three")
        received = from_millis(self.now + 1000)
        model = accept(
            Envelope("e", COLLECTOR, "opposable.consent.collected.v1"), data, party=COLLECTOR, received_at=received,
            registry=view,
        )  # fmt: skip
        return model, assess(model.facts, view, received)

    async def fill(self, count: int, asked: int, like: tuple[Any, Any]) -> list[str]:
        """Archive records; returns the names of those that may be asked for, one in `count / asked`."""
        names, began, every = [], time.perf_counter(), max(1, count // max(1, asked))
        copies = await self._copies(like)
        for begin in range(0, count, BATCH):
            batch = [str(uuid.uuid4()) for _ in range(min(BATCH, count - begin))]
            whole = [one for n, one in enumerate(batch) if (begin + n) % every == 0]
            keys = dict(zip(whole, await self._keys(whole), strict=True))
            await self._nobodys_keys([one for one in batch if one not in keys])
            records: list[StoredRecord] = []
            for n, one in enumerate(batch):
                name, stopped = f"{COLLECTOR}/{one}", (begin + n) % 20 == 0
                if one in keys:
                    records += self._records(name, one, *like, keys[one], stopped=stopped)
                else:
                    records += self._copy(copies[stopped], one)
            await self.sequencer.process(records)
            names += [f"{COLLECTOR}/{one}" for one in whole]
            if begin % (BATCH * 40) == 0:
                done = begin + len(batch)
                print(f"{done:,} records, {done / (time.perf_counter() - began):,.0f}/s", file=sys.stderr, flush=True)
        return names

    async def _keys(self, ids: Sequence[str]) -> list[RecordKey]:
        """Record keys, admitted."""
        names = [f"{COLLECTOR}/{one}" for one in ids]
        admitted = await self.vault.admit(
            [Admission(one, f"{COLLECTOR} {one}", f"t/0/{one}", one.encode()) for one in names]
        )
        return [one.key for one in admitted if one.key is not None]

    async def _nobodys_keys(self, ids: Sequence[str]) -> None:
        """Rows of the vault that weigh what rows weigh."""
        names = [f"{COLLECTOR}/{one}" for one in ids]
        rows = [
            {
                "_id": one,
                "key": Binary(os.urandom(40)),
                "src": f"t/0/{one}",
                "mac": Binary(os.urandom(32)),
                "ce": f"{COLLECTOR} {one}",
            }
            for one in names
        ]
        if rows:
            await self.context.mongo["vault"]["keys"].insert_many(rows, ordered=False)

    async def _copies(self, like: tuple[Any, Any]) -> dict[bool, tuple[str, list[tuple[str, str, bytes]]]]:
        """Records to make others from, with a withdrawal and without: the consent's id, and (topic, key, value) of each."""
        copies = {}
        for stopped in (False, True):
            consent_id = str(uuid.uuid4())
            (key,) = await self._keys([consent_id])
            kept = dict(self.offsets)
            made = list(self._records(f"{COLLECTOR}/{consent_id}", consent_id, *like, key, stopped=stopped))
            self.offsets = kept  # these are never archived themselves
            copies[stopped] = consent_id, [(r.topic, (r.key or b"").decode(), r.value or b"") for r in made]
        return copies

    def _copy(self, copied: tuple[str, list[tuple[str, str, bytes]]], consent_id: str) -> Iterator[StoredRecord]:
        was, new = copied[0].encode(), consent_id.encode()
        order = hashlib.sha256(new).hexdigest()
        for topic, key, value in copied[1]:
            if topic in (DELIVERIES.name, REPORTS.name):  # an order has a name of its own
                value, key = value.replace(key.encode(), (mine := f"{order[:30]}{key[:10]}").encode()), mine  # noqa: PLW2901
            yield self.record(topic, key.replace(copied[0], consent_id), value.replace(was, new))

    def _records(
        self, name: str, consent_id: str, model: Any, verdict: Any, key: RecordKey, *, stopped: bool
    ) -> Iterator[StoredRecord]:
        facts = {**model.facts, "record": name, "consent_id": consent_id}
        accepted = model._replace(record_id=name, facts=facts, consent_id=consent_id)
        _, _, value = internal_event(accepted, key, Position("in.bench-a.consents", 0, 1))
        yield self.record(CONSENTS.name, name, value)
        yield self.record(VERDICTS.name, name, canonical.dumps(verdict.as_event(facts, os.urandom(32))))
        if not stopped:
            return
        at, stop = format_instant(from_millis(self.now)), f"p01/{consent_id}"
        scope = {"recipients": "all", "channels": "all", "purposes": "all", "at": at}
        yield self._facts(STOPS.name, stop, {"kind": "stop.recorded", "stop": stop, "source": "p01", "stop_kind": "withdrawal", "commitments": {}, **scope})  # fmt: skip
        for party in (PROSPECTOR, "p01"):
            order = hashlib.sha256(f"{name} {party}".encode()).hexdigest()[:40]
            common = {"order": order, "stop": stop, "party": party, "record": name}
            yield self._facts(DELIVERIES.name, order, {"kind": "delivery.ordered", **common, **scope, "ack_due_at": at, "reminder": 0})  # fmt: skip
            yield self._facts(DELIVERIES.name, order, {"kind": "delivery.acknowledged", **common, "status": "applied", "closed": True})  # fmt: skip
            yield self._facts(REPORTS.name, order, {"kind": "order.acknowledged", "order": order, "source": party, "status": "applied", "applied_at": at})  # fmt: skip

    def _facts(self, topic: str, key: str, facts: dict[str, Any]) -> StoredRecord:
        return self.record(topic, key, canonical.dumps({"facts": {"v": 1, **facts}}))


async def ask(
    http: httpx.AsyncClient, names: Sequence[str], format_: str, count: int, at_once: int
) -> dict[str, float]:
    """Times of `count` demands for records drawn at random, so many at a time, in milliseconds."""
    times: list[float] = []
    sizes: list[int] = []
    asked = iter([(random.choice(names), (COLLECTOR, PROSPECTOR)[n % 2]) for n in range(count)])

    async def one() -> None:
        for name, who in asked:
            began = time.perf_counter()
            answer = await http.get(f"/v1/proofs/{name}.{format_}", headers={"Authorization": f"Bearer key of {who}"})
            times.append((time.perf_counter() - began) * 1000)
            sizes.append(len(answer.content))
            assert answer.status_code == 200, (answer.status_code, answer.text[:300])

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(at_once)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"{count} {format_}, {at_once} at once: {seconds:.0f} s", file=sys.stderr, flush=True)
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {
        "asks": count, "at_once": at_once, "p50_ms": round(cuts[49], 1), "p99_ms": round(cuts[98], 1),
        "max_ms": round(max(times), 1), "per_second": round(count / seconds, 1), "cpu_ms": round(cpu / count * 1000, 2), "mean_bytes": round(statistics.mean(sizes)),
    }  # fmt: skip


async def measure(count: int, asked: int, asks: int, at_once: int, *, keep: bool) -> dict[str, Any]:
    """Fill a tenth, sign, ask; fill the rest, sign, ask."""
    deployment, names = f"bench-{uuid.uuid4().hex[:12]}", list[str]()
    with tempfile.TemporaryDirectory() as folder:
        secrets = Path(folder)
        for name, content in (
            ("kek", KEK),
            ("bundle.seed", BUNDLE_SEED),
            ("operator-token", os.urandom(16).hex().encode()),
        ):
            (secrets / name).write_bytes(content)
        (secrets / "trust").write_text(policy_text(deployment, SEED, BUNDLE_SEED))
        settings = ArchiveSettings(
            deployment=deployment, secrets_dir=secrets, state_dir=secrets / "state", policy_file=secrets / "trust",
            log_level="ERROR",
        )  # fmt: skip
        context = Context("proof_archive", settings)
        await build(context)
        for prepare in context._preparations:
            await prepare()
        building = Building(context, deployment)
        await building.vault.prepare()
        await building.own()
        try:
            view = await building.registry()
            context.registry.view = view
            like = building.like(view)
            transport = httpx.ASGITransport(app=context.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://archive", timeout=120) as http:
                figures: dict[str, Any] = {"records": count}
                for part, of_all in ((count // 10, 0.1), (count - count // 10, 1.0)):
                    began = time.perf_counter()
                    names += await building.fill(part, max(1, asked * part // count), like)
                    figures["filled_per_second"] = round(part / (time.perf_counter() - began))
                    while await building.signing.round():
                        pass
                    gc.collect()
                    gc.freeze()  # as the service does before it answers
                    gc.set_threshold(GC_THRESHOLD, 20, 50)
                    await ask(http, names, "json", 50, 1)  # what is read once a process
                    figures["json" if of_all == 1 else "json_at_a_tenth"] = await ask(http, names, "json", asks, 1)
                figures["ratio"] = round(figures["json"]["p99_ms"] / figures["json_at_a_tenth"]["p99_ms"], 2)
                figures["json_at_once"] = await ask(http, names, "json", asks, at_once)
                figures["pdf"] = await ask(http, names, "pdf", max(20, asks // 20), 1)
                figures["zip"] = await ask(http, names, "zip", max(20, asks // 20), 1)
        finally:
            if not keep:
                await clean(context, deployment)
            await context.mongo.close()
    return figures


async def clean(context: Context, deployment: str) -> None:
    """Remove what was archived, and the keys."""
    archive = context.mongo["archive"]
    logs = [head.log for head in await Reader(context.mongo).heads(deployment)]
    for name in ("entries", "tiles", "checkpoints"):
        await archive[name].delete_many({"_id.log": {"$in": logs}})
    for name, query in (("heads", {"log": {"$in": logs}}), ("latest", {"_id": {"$in": logs}})):
        await archive[name].delete_many(query)
    ours = {"$gte": f"{COLLECTOR}/", "$lt": f"{COLLECTOR}0"}
    await archive.sealed.delete_many({"_id": ours})
    await archive.outbox.delete_many({"facts.proof_of": ours})
    await context.mongo["vault"]["keys"].delete_many({"_id": ours})


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--records", type=int, default=100_000, help="1000000 is what the target is about: some minutes"
    )
    parser.add_argument("--asked", type=int, default=20_000, help="how many of them may be asked for")
    parser.add_argument("--asks", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=8, help="demands at the same time in the second run")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the records in the database")
    given = parser.parse_args()
    with database_of_its_own() as ours:
        keep = given.keep or ours
        figures = asyncio.run(measure(given.records, given.asked, given.asks, given.at_once, keep=keep))
    if given.json:
        print(json.dumps(figures))
        return
    print(f"{figures['records']:,} records, archived at {figures['filled_per_second']:,} a second")
    print(f"p99 beside that among a tenth of them: {figures['ratio']}")
    for what in ("json_at_a_tenth", "json", "json_at_once", "pdf", "zip"):
        told = figures[what]
        print(
            f"{what:15} p50 {told['p50_ms']} ms, p99 {told['p99_ms']} ms, longest {told['max_ms']} ms, CPU {told['cpu_ms']} ms; "
            f"{told['per_second']}/s "
            f"with {told['at_once']} at once; {told['mean_bytes']:,} bytes each"
        )


if __name__ == "__main__":
    main()
