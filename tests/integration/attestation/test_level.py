"""The service level: measured once whatever happens, against what the agreements promise; what is late has a name."""

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio
from bson.binary import Binary

from services.proof_archive.app import build
from services.proof_archive.bundles.manifest import Audience
from services.proof_archive.delivering.demands import Demands
from services.proof_archive.delivering.level import Level
from services.proof_archive.delivering.tallies import Tallies
from services.proof_archive.delivering.terms import pair_of
from services.proof_archive.delivering.watching import Watching
from services.proof_archive.log.reader import Reader
from services.proof_archive.log.rows import row_id
from shared import canonical
from shared.clock import ManualClock, SystemClock
from shared.instants import format_instant, to_millis
from shared.metrics import Metrics
from shared.provisioning import provision
from tests.integration.archive.test_archive_service import Scene, documents

pytestmark = [pytest.mark.engines, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(kafka, mongo_uri, tmp_path_factory):
    one = Scene(tmp_path_factory.mktemp("scene"), kafka, mongo_uri)
    await provision(one.settings, registry_documents=list(documents()))
    await build(one.archive)
    await one.archive.start()
    await one.vault.prepare()
    await one.archive.mongo["archive"].sla.delete_many({})
    yield one
    await one.http.aclose()
    await one.archive.stop()


def pair(report, asker):
    return next((p for p in report["pairs"] if p["asker"] == asker), None)


async def test_from_receipt_and_from_a_demand_to_the_proof(scene):
    record, event, _ = await scene.consent()
    await scene.verdict(event)
    await scene.until(f"/v1/proofs/{record}.json", lambda a: a.status_code == 202 and a.json()["origin"], "p00")
    assert (await scene.get(f"/v1/proofs/{record}.json", "bench-a")).status_code == 202
    async with scene.signing():
        await scene.until(f"/v1/proofs/{record}.json", lambda a: a.status_code == 200, "p00")

        def measured(answer):
            found = pair(answer.json(), "p00")
            return found and found["available"] and found["delivered"]

        report = (await scene.until("/v1/sla", measured)).json()
        found = pair(report, "p00")
        assert found["collector"] == "bench-a"
        assert found["promised_s"] == 86_400
        for what in ("available", "delivered"):
            assert found[what]["late"] == 0
            assert 0 <= found[what]["mean_s"] <= found[what]["worst_s"] < found["promised_s"]
            assert found[what]["p99_s"] >= found[what]["p50_s"]
        assert found["available"]["count"] >= 1  # with what the topics held before
        own = (await scene.get("/v1/sla", "p00")).json()
        assert {p["asker"] for p in own["pairs"]} == {"p00"}
        assert {p["collector"] for p in (await scene.get("/v1/sla", "bench-a")).json()["pairs"]} == {"bench-a"}
        assert (await scene.get("/v1/sla", "bench-b")).json()["pairs"] == []
        assert (await scene.get("/v1/sla?month=2026-13")).status_code == 422
        assert (await scene.get("/v1/sla?month=2001-01")).json()["pairs"] == []
        metrics = (await scene.http.get("/metrics")).text
        assert 'opposable_proof_sla_seconds_count{what="delivered"}' in metrics
        assert 'opposable_proofs_delivered_total{format="json",scope="prospector"}' in metrics


class Bench:
    """A watcher of its own on made-up logs, under a deployment of its own."""

    LOG = 990_001

    def __init__(self, scene, clock):
        self.db = scene.archive.mongo["archive"]
        self.tallies, self.clock = Tallies(scene.archive.mongo), clock
        self.registry = lambda: scene.archive.registry.view
        self.metrics = Metrics()
        self.log = scene.archive.log
        self.deployment = "level.test"
        self.mongo = scene.archive.mongo

    def watching(self):
        return Watching(
            self.mongo, Reader(self.mongo), self.tallies, self.registry, deployment=self.deployment, clock=self.clock,
            metrics=self.metrics, log=self.log,
        )  # fmt: skip

    async def entries(self, begin, facts):
        rows = [
            {"_id": row_id(self.LOG, begin + n), "refs": [], "bytes": Binary(canonical.dumps(
                {"facts": f, "offset": begin + n, "partition": 0, "topic": "verdicts", "ts": to_millis(self.clock.now()), "v": 1}))}
            for n, f in enumerate(facts)
        ]  # fmt: skip
        await self.db.entries.insert_many(rows)
        size = begin + len(rows)
        origin = f"{self.deployment}/verdicts/0123456789abcdef/p00"
        head = {"log": self.LOG, "epoch": 1, "size": size, "root": Binary(b"r" * 32), "next_offset": size, "range": []}
        await self.db.heads.replace_one({"_id": origin}, head, upsert=True)

    async def sign(self, size, at):
        await self.db.latest.replace_one({"_id": self.LOG}, {"size": size, "note": Binary(b"n"), "at": at}, upsert=True)

    async def clean(self):
        await self.db.sla_windows.delete_many({"_id": {"$in": [self.LOG, "since"]}})
        await self.db.entries.delete_many({"_id.log": self.LOG})
        await self.db.heads.delete_many({"log": self.LOG})
        await self.db.latest.delete_many({"_id": self.LOG})

    async def told(self, party, received):
        row = await self.db.sla.find_one({"_id": {"c": "bench-a", "p": party, "m": pair_of("", "", received).month}})
        return row or {}


def verdict(received, party, **changes):
    at = format_instant(received)
    return {
        "kind": "consent.assessed", "record": "bench-a/x", "collector": "bench-a", "received_at": at, "evaluated_at": at,
        "lines": [{"recipient": party, "value": "granted"}], **changes,
    }  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def bench(scene):
    one = Bench(scene, ManualClock(SystemClock().now().replace(microsecond=0)))
    await one.clean()
    await one.db.sla.delete_many({"_id.p": {"$in": ["p00", "p03"]}})
    yield one
    await one.clean()
    await one.db.sla.delete_many({"_id.p": {"$in": ["p00", "p03"]}})


async def test_a_breach_is_counted_and_has_an_owner(scene, bench):
    start = bench.clock.now()
    await bench.watching().look()  # the first look: what comes now is measured
    bench.clock.advance(timedelta(seconds=1))
    received = bench.clock.now()
    later = verdict(received, "p00", evaluated_at=format_instant(received + timedelta(hours=1)))
    refused = verdict(received, "p00", lines=[{"recipient": "p00", "value": "refused"}])
    await bench.entries(0, [verdict(received, "p00"), verdict(received, "p03"), later, refused, {"kind": "other"}])
    await bench.sign(5, received + timedelta(hours=25))
    assert await bench.watching().look() == 5
    told = (await bench.told("p00", start))["a"]
    assert (told["n"], told["late"], told["worst"]) == (
        1,
        1,
        25 * 3_600_000,
    )  # a later verdict and a refusal are no receipt
    assert (await bench.told("p03", start))["a"]["late"] == 1
    obligations = (await scene.get("/v1/obligations")).json()["obligations"]
    (mine,) = [o for o in obligations if o["kind"] == "proof.sla_breached" and o["refs"]["party"] == "p00"]
    assert mine["owner"] == "operator"
    assert mine["refs"]["worst_s"] == 25 * 3600
    assert "1 of 1 proofs became available later than the agreement promises" in mine["cause"]


async def test_a_crash_at_any_step_counts_nothing_twice_and_nothing_less(bench, monkeypatch):
    await bench.watching().look()
    bench.clock.advance(timedelta(seconds=1))
    received = bench.clock.now()
    await bench.entries(0, [verdict(received, "p00") for _ in range(30)])
    await bench.sign(10, received + timedelta(seconds=2))
    await bench.watching().look()
    await bench.sign(20, received + timedelta(seconds=3))

    class Crash(Exception):  # noqa: N818
        pass

    one = bench.watching()
    counted = one._count

    async def before(*args):
        raise Crash

    one._count = before
    with pytest.raises(Crash):
        await one.look()  # the window is written down, nothing counted
    assert (await bench.told("p00", received))["a"]["n"] == 10
    await bench.sign(30, received + timedelta(seconds=4))  # more is covered meanwhile: the window stays what it was
    tallies = await counted(bench.LOG, 10, 20, received + timedelta(seconds=3), received - timedelta(seconds=1))
    await bench.tallies.add("a", tallies, (bench.LOG, 20))  # counted, but the window's end was not moved
    assert (await bench.told("p00", received))["a"]["n"] == 20
    while await bench.watching().look():
        pass
    told = (await bench.told("p00", received))["a"]
    assert (told["n"], told["late"], told["worst"]) == (30, 0, 4000)
    both = [bench.watching(), bench.watching()]
    await bench.entries(30, [verdict(received, "p00") for _ in range(10)])
    await bench.sign(40, received + timedelta(seconds=5))
    await asyncio.gather(*(one.look() for one in both))
    while await both[0].look():
        pass
    assert (await bench.told("p00", received))["a"]["n"] == 40


async def test_counting_that_lags_changes_no_time(bench, monkeypatch):
    """Three checkpoints were signed before anything was counted, each larger than a window: each entry has its own time."""
    monkeypatch.setattr("services.proof_archive.delivering.watching.WINDOW", 4)
    await bench.watching().look()
    bench.clock.advance(timedelta(seconds=1))
    received = bench.clock.now()
    await bench.entries(0, [verdict(received, "p00") for _ in range(30)])
    for number in (1, 2, 3):
        await bench.sign(10 * number, received + timedelta(seconds=number))
        await bench.watching().look()  # notes the checkpoint, counts four entries
    while await bench.watching().look():
        pass
    told = (await bench.told("p00", received))["a"]
    assert (told["n"], told["sum"], told["worst"]) == (30, 10 * (1000 + 2000 + 3000), 3000)
    row = await bench.db.sla_windows.find_one({"_id": bench.LOG})
    assert (row["size"], row["points"], row["to"]) == (30, [], None)


async def test_what_was_archived_before_the_first_look_is_not_measured(bench):
    received = bench.clock.now() - timedelta(days=3)
    bench.clock.advance(-timedelta(days=1))
    await bench.entries(0, [verdict(received, "p00")])
    await bench.sign(1, received + timedelta(days=3))
    bench.clock.advance(timedelta(days=1))
    assert await bench.watching().look() == 1
    assert not await bench.told("p00", received)


async def test_a_demand_that_waits_too_long_is_an_obligation_until_it_is_served(scene, bench):
    demands = Demands(bench.mongo, bench.tallies, bench.registry, bench.clock, bench.metrics)
    audience = Audience(scope="prospector", party="p00")
    record = "bench-a/0190f6c2-6f1e-7cc3-9a55-2f4e0f5b8a11"
    available = [False]

    async def is_available(_record):
        return available[0]

    level = Level(bench.tallies, demands, bench.registry, bench.clock, is_available)
    asked = bench.clock.now()
    await demands.promised(record, audience)
    bench.clock.advance(timedelta(hours=23))
    await demands.promised(record, audience)  # asking again begins nothing anew
    assert not [o for o in await level.obligations() if o["kind"] == "proof.late" and o["refs"].get("record") == record]
    bench.clock.advance(timedelta(hours=2))
    (late,) = [o for o in await level.obligations() if o["kind"] == "proof.late" and o["refs"].get("record") == record]
    assert (late["owner"], late["opened_at"]) == ("operator", format_instant(asked))
    assert late["due_at"] == format_instant(asked + timedelta(hours=24))
    row = {"at": bench.clock.now(), "facts": {"proof_of": record, "scope": "prospector", "party": "p00"}}
    await demands.settle([row])
    await demands.settle([row])  # published again after a crash
    told = (await bench.told("p00", asked))["d"]
    assert (told["n"], told["late"], told["worst"]) == (1, 1, 25 * 3_600_000)
    assert not [o for o in await level.obligations() if o["kind"] == "proof.late" and o["refs"].get("record") == record]
    await demands.promised(record, audience)
    bench.clock.advance(timedelta(hours=30))
    available[0] = True  # never fetched, though it could be: nothing is late
    assert not [o for o in await level.obligations() if o["kind"] == "proof.late" and o["refs"].get("record") == record]
