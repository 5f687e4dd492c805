"""The bench on a database of the test's own."""

from __future__ import annotations

import pytest
from portal_bench import Bench
from pymongo import AsyncMongoClient


@pytest.fixture
async def make_bench(mongo_uri, database_name):
    async with AsyncMongoClient(mongo_uri, tz_aware=True) as client:

        async def make(**options):
            bench = Bench(client, database_name, **options)
            await bench.store.prepare()
            for rows in ("portal_passes", "portal_sessions", "portal_limits"):
                await bench.rows[rows].drop_index("purge_at_1")  # the bench lives in its own time, the database in ours
            return bench

        yield make


@pytest.fixture
async def bench(make_bench):
    return await make_bench()
