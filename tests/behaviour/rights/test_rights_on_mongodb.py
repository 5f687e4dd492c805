"""What only a real database can show: verdicts and stops racing for hundreds of persons, and lookups that use an index."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler.deliveries import Times
from services.rights_handler.domain import Grant, Line, Stop, Transfer, verdict_id
from services.rights_handler.fanout import FanOut
from services.rights_handler.index import MongoIndex
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.persons import Person, Persons
from services.rights_handler.protocol import Crossing
from services.rights_handler.reports import MongoReports
from services.rights_handler.teller import Teller
from services.rights_handler.tokens import Tokens
from shared.clock import ManualClock
from shared.metrics import Metrics

pytestmark = pytest.mark.engines
NOW = "2026-10-02T17:05:01.000Z"
PERSONS = 300


class AnyRegistry:
    class view:  # noqa: N801
        @staticmethod
        def party(name):
            return name

    async def catch_up(self):
        pass


class NoKeys:
    async def read(self, _record_ids):
        return {}


class Kept(list):
    async def send_all(self, messages):
        await asyncio.sleep(random.uniform(0, 0.002))
        self.extend(messages)


def line(party):
    return Line(party, "email", "prospecting", "general", None, "granted", "valid", "consent", NOW, None, ())


def grant(n):
    uuid = f"0190f6c2-6f1e-7cc3-9a55-{n:012d}"
    return Grant(
        record=f"acme/{uuid}", vid=verdict_id(1, 1, NOW), collector="acme", consent_id=uuid, collected_at=NOW,
        received_at=NOW, confirmed=False, via=(), contact_keys=frozenset([f"p1.{n}"]), subject_key=f"s1.{n}",
        ruleset="r.1", lines=(line("canalvert"), line("hibou")), sealed=None,
    )  # fmt: skip


def stop(n):
    return Stop(f"acme/s{n}", "acme", "objection", NOW, frozenset([f"p1.{n}"]), None, None)


@pytest.fixture
async def store(mongo_uri, database_name):
    client = AsyncMongoClient(mongo_uri)
    index, ledger, reports = (part(client, database_name) for part in (MongoIndex, MongoLedger, MongoReports))
    for part in (index, ledger, reports):
        await part.prepare()
    yield index, ledger, reports, client[database_name]
    await client.close()


async def test_verdicts_stops_and_transfers_racing_miss_nobody(store):
    index, ledger, _, _ = store
    outbox = Kept()
    teller = Teller(
        outbox=outbox, persons=Persons(NoKeys(), pepper=b"p" * 32, match_master=b"m" * 32), registry=AnyRegistry(),
        tokens=Tokens(b"m" * 32), metrics=Metrics(), public_url="https://oppo.example",
        proof_url="https://oppo.example",
    )  # fmt: skip
    times = Times((timedelta(hours=6),), timedelta(hours=24))
    clock = ManualClock(datetime(2026, 10, 2, tzinfo=UTC))
    crossing = Crossing(index, FanOut(index, ledger, teller, clock, lambda *_: timedelta(hours=24), times), teller)
    known = Person((("email", "x"),))

    async def later(work):
        await asyncio.sleep(random.uniform(0, 0.05))
        await work()

    work = []
    for first in range(0, PERSONS, 5):
        some = range(first, first + 5)
        grants = [grant(n) for n in some]
        work += [
            lambda g=grants: crossing.verdicts(g, {one.record: known for one in g}),
            lambda s=some: crossing.stops([stop(n) for n in s]),
            lambda g=grants: crossing.transfers([Transfer(one.record, "televerveine", NOW) for one in g]),
        ]
    await asyncio.gather(*(later(one) for one in random.sample(work, len(work))))
    told = {(m.topic.split(".")[1], m.key.decode()) for m in outbox if m.topic.endswith(".withdrawals")}
    for n in range(PERSONS):
        rows = await ledger.deliveries_of_stop(f"acme/s{n}")
        assert {row.party for row in rows} == {"acme", "canalvert", "hibou", "televerveine"}
        assert all(row.published for row in rows)
        assert {(row.party, row.order) for row in rows} <= told


async def test_every_lookup_of_a_batch_uses_an_index(store):
    """The server's own profile of the real calls: none reads a whole collection."""
    index, ledger, reports, db = store
    grants = [grant(n) for n in range(200)]
    stops = [replace(stop(n), record=name, subject_key=f"s1.{n}") for n, name in enumerate(("acme/1", "bare") * 100)]
    await index.put_grants(grants)
    await index.put_stops(stops)
    await db.command({"profile": 2})
    await index.grants_about(stops[:20])
    await index.stops_about(grants[:20], {"p1.1"})
    await index.grants_asked({"p1.1"}, {"alias"})
    await reports.reported({grants[0].record}, {"p1.1"}, {"canalvert"}, NOW, NOW)
    await index.grants_of({grants[0].record})
    await index.transfers_of({grants[0].record})
    await ledger.due_deliveries(NOW, 10)
    await ledger.deliveries_of_stop("acme/s1")
    await ledger.waiting_deliveries("hibou", 10)
    await ledger.obligations(None, 10)
    await db.command({"profile": 0})
    seen = [row async for row in db["system.profile"].find({"op": "query"})]
    assert len(seen) == 12
    assert not [row["command"] for row in seen if "COLLSCAN" in row["planSummary"]]
