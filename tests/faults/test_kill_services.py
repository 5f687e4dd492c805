"""kill −9 of each service in mid-stream, twice: nothing accepted is lost, no permission, no order, no fork (P1–P4)."""

import asyncio

import pytest

from tests.faults.traffic import Traffic

pytestmark = [pytest.mark.engines, pytest.mark.timeout(420)]


@pytest.mark.parametrize("service", ["collector", "consent_validator", "rights_handler", "proof_archive", "signer"])
async def test_killed_twice_in_mid_stream(bench_system, service):
    at = await asyncio.to_thread(bench_system.wait_ready)
    traffic = Traffic(at, f"kill-{service.replace('_', '')}")
    before = bench_system.restarts(service)
    sending = asyncio.create_task(traffic.send(2400, per_second=600))
    for pause in (1.0, 1.8):
        await asyncio.sleep(pause)
        bench_system.kill(service)
    await sending
    await asyncio.to_thread(bench_system.wait_ready)
    await traffic.settle()
    assert bench_system.restarts(service) >= before + 2
