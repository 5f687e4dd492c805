"""What a copy asks of Kafka, and the gate that is closed after a restore: pure parts, without engines."""

from datetime import timedelta

import httpx
import pytest
from aiokafka import TopicPartition
from fastapi import FastAPI

from services.rights_handler.regained import Gate
from shared.backup.check import Gap, gaps, too_short
from shared.backup.manifest import DATABASES, GROUPS, NOTES, read_manifest
from shared.topics import TABLE, Scope
from tests.faults.recovery.small import small_copy

DAY_MS = 86_400_000


def test_records_that_a_group_would_miss_are_named(tmp_path):
    manifest = small_copy(tmp_path, groups={
        "rights_handler.stops": {"stops/0": 40, "stops/1": 7}, "collector.rights": {"in.acme.rights/0": 2}, "proof_archive": {"stops/0": 3},
    })  # fmt: skip
    begins = {"stops/0": 40, "stops/1": 9, "in.acme.rights/0": 50}
    assert gaps(manifest, begins, ["rights"]) == (Gap("rights_handler.stops", "stops/1", 7, 8),)
    assert {gap.group for gap in gaps(manifest, begins, ["rights", "archive", "vault"])} == {
        "rights_handler.stops", "collector.rights", "proof_archive",
    }  # fmt: skip
    assert gaps(manifest, {}, DATABASES) == ()


def test_a_topic_must_outlast_the_interval_and_a_day_to_mend():
    kept = {"in.acme.consents": 7 * DAY_MS, "stops": 90 * DAY_MS, "registry": -1}
    assert too_short(kept, timedelta(hours=24)) == ()
    assert too_short(kept, timedelta(days=6)) == ()
    assert too_short(kept, timedelta(days=6, seconds=1)) == ("in.acme.consents",)
    assert too_short(kept, timedelta(days=90)) == ("in.acme.consents", "stops")


def test_the_table_of_topics_bears_daily_copies():
    kept = {row.name: row.retention_ms for row in TABLE}
    assert too_short(kept, timedelta(days=1)) == ()
    assert {row.name for row in TABLE if row.scope is Scope.PARTY_IN} <= set(too_short(kept, timedelta(days=7)))


def test_every_database_has_its_note_and_its_groups(tmp_path):
    assert set(NOTES) == set(GROUPS) == set(DATABASES)
    assert DATABASES[-1] == "vault", "it must hold the key of everything that was read before"
    manifest = small_copy(tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert manifest.documents == 3


class Rows:
    """`rights.restores`."""

    def __init__(self, row):
        self.row, self.updates = row, []

    async def find_one(self, _query):
        return self.row

    async def update_one(self, query, change):
        self.updates.append((query, change))


class Groups:
    """Where the groups stand, look by look."""

    def __init__(self, *looks):
        self.looks, self.stopped = list(looks), False

    async def committed(self):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def stop(self):
        self.stopped = True


class FixedClock:
    """Any instant."""

    def now(self):
        from datetime import UTC, datetime  # noqa: PLC0415

        return datetime(2026, 11, 27, 2, tzinfo=UTC)


@pytest.fixture
def gate_of(monkeypatch):
    def make(row, *looks):
        rows = Rows(row)
        monkeypatch.setattr("services.rights_handler.regained.database", lambda _client, _name: {"restores": rows})
        monkeypatch.setattr("services.rights_handler.regained.LOOK_S", 0)
        gate = Gate(None, Groups(*looks), FixedClock())
        app = FastAPI()
        for path in ("/v1/permissions/check", "/me", "/u/token", "/health/ready", "/metrics"):
            app.add_api_route(path, lambda: {"answer": "yes"})
        gate.guard(app)
        return gate, rows, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate")

    return make


STOPS, ERASURES = TopicPartition("stops", 0), TopicPartition("erasures", 2)
ROW = {"_id": "newest", "until": [["stops/0", 12], ["erasures/2", 3]], "read_at": None}


async def test_nobody_is_answered_until_both_were_read_to_where_they_ended(gate_of):
    gate, rows, client = gate_of(ROW, {STOPS: 12}, {STOPS: 12, ERASURES: 2}, {STOPS: 15, ERASURES: 3})
    await gate.load()
    assert not gate.is_open
    for path in ("/v1/permissions/check", "/me"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "RESTORING", "5")
    for path in ("/health/ready", "/metrics", "/u/token"):
        assert (await client.get(path)).status_code == 200, "health, and withdrawals, which read nothing"
    assert await gate.problems()
    await gate.watch()
    assert gate.is_open
    assert await gate.problems() == []
    assert (await client.get("/me")).status_code == 200
    assert rows.updates == [({"_id": "newest", "read_at": None}, {"$set": {"read_at": "2026-11-27T02:00:00.000Z"}})]


async def test_without_a_restore_it_is_open_and_asks_nobody(gate_of):
    gate, rows, client = gate_of(None, {})
    await gate.load()
    await gate.watch()
    assert gate.is_open
    assert (await client.get("/me")).status_code == 200
    assert rows.updates == []
