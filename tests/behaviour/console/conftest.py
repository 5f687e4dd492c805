"""The console's bench on a database of the test's own."""

from __future__ import annotations

import pytest
from console_bench import Bench
from pymongo import AsyncMongoClient


@pytest.fixture
async def make_bench(mongo_uri, database_name, tmp_path):
    async with AsyncMongoClient(mongo_uri, tz_aware=True) as client:
        made = []

        async def make(**settings):
            bench = Bench(client, database_name, tmp_path, **settings)
            await bench.prepare()
            made.append(bench)
            return bench

        yield make
        for bench in made:
            await bench.console.services.stop()


@pytest.fixture
async def bench(make_bench):
    return await make_bench()
