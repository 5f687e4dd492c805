"""MongoDB stopped for twenty seconds under load: no crash, no hot loop, no loss, recovery by itself."""

import asyncio
import time

import psutil
import pytest

from tests.faults.traffic import Traffic, ready

pytestmark = [pytest.mark.engines, pytest.mark.timeout(420)]
AWAY_S = 20
SERVICES = ("collector", "consent_validator", "rights_handler", "proof_archive", "signer")
NEARLY_IDLE = 0.25
"""Share of one core that a waiting service may use: a hot loop takes a whole one."""


async def test_database_away_under_load(bench_system):
    at = await asyncio.to_thread(bench_system.wait_ready)
    before = {name: (bench_system.pid(name), bench_system.restarts(name)) for name in SERVICES}
    traffic = Traffic(at, "away")
    await traffic.send(300)
    await asyncio.to_thread(bench_system.hold, "mongodb")
    sending = asyncio.create_task(traffic.send(1200, per_second=100))
    await asyncio.sleep(5)
    processes = {name: psutil.Process(at.services[name].pid) for name in SERVICES}
    used = {name: sum(p.cpu_times()[:2]) for name, p in processes.items()}
    started = time.monotonic()
    await asyncio.sleep(AWAY_S - 5)
    shares = {
        name: (sum(p.cpu_times()[:2]) - used[name]) / (time.monotonic() - started) for name, p in processes.items()
    }
    assert ready(at, "collector")["status"] == "waiting"
    await asyncio.to_thread(bench_system.release, "mongodb")
    await sending
    await asyncio.to_thread(bench_system.wait_ready)
    await traffic.settle()
    assert {n: s for n, s in shares.items() if s > NEARLY_IDLE} == {}
    assert {name: (bench_system.pid(name), bench_system.restarts(name)) for name in SERVICES} == before
