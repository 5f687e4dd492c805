"""RGPD 14 on a real MongoDB: who owes the information, what clears it, what is listed, at what cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import AsyncMongoClient

from services.rights_handler.domain import Transfer, verdict_id
from services.rights_handler.index import MongoIndex
from services.rights_handler.informing.overdue import OverdueNotices, OverdueSweep
from services.rights_handler.informing.store import MongoNotices
from services.rights_handler.ledger import MongoLedger
from services.rights_handler.reported import Notice
from services.rights_handler.reports import MongoReports
from shared.clock import ManualClock
from tests.unit.requests.requests_world import Log
from tests.unit.rights.rights_world import make_grant, make_line, make_stop

pytestmark = pytest.mark.engines
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Party:
    def __init__(self, name, *roles):
        self.id, self.roles = name, roles


class Registry:
    class view:  # noqa: N801
        @staticmethod
        def parties():
            names = ("canalvert", "assurbrelle", "televerveine")
            return [Party("acme", "collector"), *(Party(name, "prospector") for name in names)]


class World:
    def __init__(self, client, name):
        self.db = client[name]
        self.index, self.reports = MongoIndex(client, name), MongoReports(client, name)
        self.store, self.ledger = MongoNotices(client, name), MongoLedger(client, name)
        self.overdue = OverdueNotices(self.store, self.index, self.reports)
        self.clock = ManualClock(NOW)
        self.sweeping = OverdueSweep(self.overdue, self.store, Registry, self.clock, timedelta(hours=1), Log())

    async def prepare(self):
        for part in (self.index, self.reports, self.store, self.ledger):
            await part.prepare()

    async def names(self, party, limit=100, after=None):
        found, _ = await self.overdue.page(party, self.clock.now(), after, limit)
        return [one.record for one in found]

    async def given(self, record, party="canalvert"):
        await self.reports.put_reports({f"{party}/{record}": Notice(record, party, "2026-10-01T00:00:00.000Z")})


@pytest.fixture
async def world(mongo_uri, database_name):
    client = AsyncMongoClient(mongo_uri)
    made = World(client, database_name)
    await made.prepare()
    yield made
    await client.close()


def grant(n=0, *lines, at="2026-10-01T00:00:00.000Z", **more):
    record = f"acme/0190f6c2-6f1e-7cc3-9a55-{n:012d}"
    made = make_grant(
        *lines,
        record=record,
        contact_keys=frozenset([f"p1.{n}"]),
        subject_key=None,
        received_at=at,
        collected_at=at,
        **more,
    )
    return replace(made, consent_id=record.partition("/")[2])


async def test_a_month_after_it_received_the_data_and_not_a_moment_before(world):
    await world.index.put_grants([grant(0, at="2026-10-20T12:00:00.000Z"), grant(1, at="2026-10-20T12:00:00.001Z")])
    assert await world.names("canalvert") == [grant(0).record]
    assert await world.names("assurbrelle") == [grant(0).record]
    world.clock.advance(timedelta(milliseconds=1))
    assert await world.names("canalvert") == [grant(0).record, grant(1).record]


async def test_only_who_received_owes_and_the_collector_never_does(world):
    lines = (make_line(), make_line("acme"), make_line("assurbrelle", verdict="invalid"))
    await world.index.put_grants([grant(0, *lines)])
    assert await world.names("canalvert") == [grant(0).record]
    for party in ("acme", "assurbrelle", "televerveine"):
        assert await world.names(party) == []


async def test_a_reported_notice_clears_its_sender_only_before_or_after_the_verdict_and_through_a_newer_one(world):
    await world.given(grant(0).record)  # the report overtook the verdict
    await world.index.put_grants([grant(0), grant(1)])
    assert await world.names("canalvert") == [grant(1).record]
    row = await world.db["grants"].find_one({"_id": grant(0).record})
    assert row["owes"] == ["assurbrelle"], "what was behind is corrected once"
    await world.given(grant(1).record)
    assert await world.names("canalvert") == []
    newer = [replace(grant(n), vid=verdict_id(9, 41, "2026-10-02T00:00:00.000Z")) for n in (0, 1)]
    await world.index.put_grants(newer)
    assert await world.names("canalvert") == []
    assert len(await world.names("assurbrelle")) == 2


async def test_whoever_received_once_owes_though_a_newer_verdict_ends_it_until_it_is_known_that_nothing_is_permitted(
    world,
):
    await world.index.put_grants([grant(0)])
    ended = replace(grant(0, make_line(verdict="invalid")), vid=verdict_id(9, 41, "2026-10-02T00:00:00.000Z"))
    await world.index.put_grants([ended])
    row = await world.db["grants"].find_one({"_id": grant(0).record})
    assert row["owes"] == ["assurbrelle", "canalvert"]
    assert await world.names("canalvert") == [], "it may not use the data, so it may not write either"


async def test_who_was_stopped_is_not_written_to_and_a_suspension_only_waits(world):
    await world.index.put_grants([grant(n) for n in range(3)])
    lasting = make_stop("acme/s1", contact=None, record=grant(0).record, at="2026-11-01T00:00:00.000Z")
    suspended = make_stop(
        "request/acme/r1", contact=None, record=grant(1).record, at="2026-11-01T00:00:00.000Z", kind="restriction"
    )  # fmt: skip
    await world.index.put_stops([lasting, suspended])
    assert await world.names("canalvert") == [grant(2).record]
    await world.index.lift(suspended.id, "2026-11-20T00:00:00.000Z")
    assert await world.names("canalvert") == [grant(1).record, grant(2).record]


async def transfer(world, n, to="televerveine", at="2026-10-01T00:00:00.000Z"):
    await world.index.put_transfers([Transfer(grant(n).record, to, at)])


async def test_who_really_received_the_data_owes_though_no_line_names_it(world):
    await world.index.put_grants([grant(n) for n in range(4)])
    await transfer(world, 0, at="2026-10-20T12:00:00.000Z")
    await transfer(world, 1, at="2026-10-20T12:00:00.001Z")
    await transfer(world, 2, to="acme")  # the collector, whose data they are
    await transfer(world, 3, to="canalvert")  # told by a line too: once
    assert await world.names("televerveine") == [grant(0).record]
    assert await world.names("acme") == []
    assert await world.names("canalvert") == [grant(n).record for n in range(4)]
    await world.sweeping.sweep(100)
    (owed,) = await world.ledger.obligations("televerveine", 10)
    assert (owed.kind, owed.due_at) == ("notices-overdue", "2026-11-20T12:00:00.000Z")


async def test_a_notice_before_or_after_the_transfer_and_a_stop_for_good_clear_it(world):
    await world.index.put_grants([grant(n) for n in range(5)])
    await world.given(grant(0).record, "televerveine")
    for n in range(4):
        await transfer(world, n)
    await world.given(grant(1).record, "televerveine")
    lasting = make_stop("acme/s1", contact=None, record=grant(2).record, at="2026-11-01T00:00:00.000Z")
    suspended = make_stop(
        "request/acme/r1", contact=None, record=grant(3).record, at="2026-11-01T00:00:00.000Z", kind="restriction"
    )  # fmt: skip
    await world.index.put_stops([lasting, suspended])
    assert await world.names("televerveine") == []
    left = [row["record"] async for row in world.db["transfers"].find({"owed": True})]
    assert left == [grant(3).record], "what is settled is not read again; what only waits is"
    await world.index.lift(suspended.id, "2026-11-20T00:00:00.000Z")
    assert await world.names("televerveine") == [grant(3).record]


async def test_pages_of_both_lists_give_each_person_once_the_oldest_first(world):
    lines = [(make_line("televerveine"),) if n % 2 else (make_line(),) for n in range(20)]
    await world.index.put_grants([grant(n, *lines[n], at=f"2026-09-{n % 7 + 1:02d}T00:00:00.000Z") for n in range(20)])
    for n in range(0, 20, 2):
        await transfer(world, n, at=f"2026-09-{n % 5 + 1:02d}T12:00:00.000Z")
    seen, after, pages = [], None, 0
    while pages == 0 or after is not None:
        found, after = await world.overdue.page("televerveine", NOW, after, 3)
        seen, pages = seen + found, pages + 1
    assert sorted(one.record for one in seen) == [grant(n).record for n in range(20)]
    assert [one.cursor for one in seen] == sorted(one.cursor for one in seen)


async def test_pages_give_each_person_once_the_oldest_first_and_read_no_more_than_they_show(world):
    grants = [grant(n, at=f"2026-09-{n % 5 + 1:02d}T00:00:00.000Z") for n in range(57)]
    await world.index.put_grants(grants)
    for n in (3, 4, 20):
        await world.reports.put_reports({f"x{n}": Notice(grants[n].record, "canalvert", "2026-10-01T00:00:00.000Z")})
    seen, after = [], None
    while True:
        found, cursor = await world.overdue.page("canalvert", NOW, after, 10)
        seen += found
        if len(found) < 10:
            break
        after = cursor
    assert len({one.record for one in seen}) == len(seen) == 54
    assert [one.cursor for one in seen] == sorted(one.cursor for one in seen)
    query = {"owes": "canalvert", "received_at": {"$lte": "2026-10-20T00:00:00.000Z"}}
    command = {"explain": {"find": "grants", "filter": query, "sort": {"received_at": 1, "_id": 1}, "limit": 10}}
    plan = await world.db.command(command, verbosity="executionStats")
    assert plan["executionStats"]["totalDocsExamined"] <= 10
    assert "SORT'" not in str(plan["queryPlanner"]["winningPlan"])


async def test_one_obligation_a_party_that_goes_and_comes_with_what_is_overdue(world):
    await world.index.put_grants([grant(n) for n in range(5)])
    await world.sweeping.sweep(100)
    owed = {one.owner: one for one in await world.ledger.obligations(None, 10)}
    assert set(owed) == {"canalvert", "assurbrelle"}
    assert owed["canalvert"].due_at == "2026-11-01T00:00:00.000Z"
    assert owed["canalvert"].next_at > "2026-11-20"
    for n in range(5):
        await world.given(grant(n).record)
    await world.sweeping.sweep(100)
    assert len(await world.ledger.obligations("canalvert", 10)) == 1, "looked at again only when it is time"
    world.clock.advance(timedelta(hours=1))
    await world.sweeping.sweep(100)
    assert await world.ledger.obligations("canalvert", 10) == []
    await world.index.put_grants([grant(9, at="2026-10-02T00:00:00.000Z")])
    world.clock.advance(timedelta(hours=1))
    await world.sweeping.sweep(100)
    (again,) = await world.ledger.obligations("canalvert", 10)
    assert again.due_at == "2026-11-02T00:00:00.000Z"
