"""The real services under the supervisor: ready together, and each comes back ready after a kill -9."""

import httpx
import pytest

from services.cli.up import SERVICES
from tests.integration.engines.dummies import wait_until

pytestmark = pytest.mark.engines


def test_every_service_is_ready_and_says_so(system):
    at = system.wait_ready()
    assert set(at.services) == {spec.name for spec in SERVICES}
    for name, service in at.services.items():
        answer = httpx.get(f"{service.url}/health/ready")
        assert (answer.status_code, answer.json()) == (200, {"service": name, "status": "ready", "problems": []})


@pytest.mark.parametrize("name", [spec.name for spec in SERVICES])
def test_a_service_killed_hard_is_ready_again(system, name):
    before = system.wait_ready().services[name].pid
    restarts = system.restarts(name)
    system.kill(name)
    wait_until(lambda: system.pid(name) not in {None, before})
    assert system.wait_ready(within_s=60).services[name].pid == system.pid(name)
    assert system.restarts(name) == restarts + 1


def test_broker_and_database_killed_together_bring_no_service_down(system):
    before = {name: at.pid for name, at in system.wait_ready().services.items()}
    engines = system.endpoints().engines
    for engine in engines:
        system.kill(engine)
    for engine, pid in engines.items():
        wait_until(lambda engine=engine, pid=pid: system.pid(engine) not in {None, pid})
    after = system.wait_ready(within_s=90).services
    assert {name: at.pid for name, at in after.items()} == before
