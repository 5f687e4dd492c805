"""Two instances of each service share the work; one of each is killed in mid-stream, and nothing is lost or forked."""

import asyncio

import pytest

from services.cli.up import system_plan
from shared.local_engines.supervisor import Supervisor
from tests.bench import world
from tests.faults.conftest import FAST
from tests.faults.traffic import Traffic, metric

pytestmark = [pytest.mark.engines, pytest.mark.timeout(420)]
SHARED = ("collector", "consent_validator", "rights_handler", "proof_archive")


@pytest.fixture
def pair(tmp_path):
    plan = system_plan(tmp_path / "data", registry=world.write(tmp_path / "registry"), instances=2, environment=FAST)
    with Supervisor(plan) as system:
        system.wait_ready()
        yield system


async def test_two_instances_share_and_survive(pair):
    at = pair.endpoints()
    traffic = Traffic(at, "pair")
    await traffic.send(1500)
    await traffic.settle()
    idle = [f"{n}{i}" for n in SHARED for i in ("", "-2") if metric(at, f"{n}{i}", "opposable_records_total") == 0]
    assert idle == []
    sending = asyncio.create_task(traffic.send(2400, per_second=400))
    for service in SHARED:
        await asyncio.sleep(1)
        pair.kill(f"{service}-2")
    await sending
    await asyncio.to_thread(pair.wait_ready)
    await traffic.settle()
