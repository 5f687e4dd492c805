"""What the supervisor promises: ready means ready, the dead come back, the order of stopping, and nothing left behind."""

import json
import signal
import subprocess
import sys

import httpx
import pytest

from shared.crypto.policy import parse_policy
from shared.errors import ConfigurationError, Unavailable
from shared.local_engines.endpoints import Endpoints
from shared.local_engines.plan import ROOT, ServiceSpec
from shared.local_engines.supervisor import Supervisor
from tests.engine_source import OWN
from tests.integration.engines.dummies import DUMMY, SERVICES, all_gone, dummy_plan, wait_until


def no_engines(folder, **options):
    return dummy_plan(folder, engines=(), **options)


def pids_of(at):
    return [service.pid for service in at.services.values()] + list(at.engines.values())


def test_addresses_appear_when_all_is_ready_and_go_when_it_stops(tmp_path):
    seen = []

    async def prepare(_endpoints):
        seen.append((tmp_path / "d/endpoints.json").exists())

    system = Supervisor(no_engines(tmp_path / "d", prepare=prepare, instances=2))
    system.start()
    assert seen == [False]
    at = system.wait_ready()
    assert Endpoints.read(tmp_path / "d") == at
    assert set(at.services) == {"last", "first", "first-2"}
    for service in at.services.values():
        assert httpx.get(f"{service.url}/health/ready").status_code == 200
    assert len(parse_policy((tmp_path / "d/policy").read_text()).logs) == 2
    system.stop()
    assert not (tmp_path / "d/endpoints.json").exists()
    assert all_gone(pids_of(at))
    system.stop()


def test_a_service_that_dies_comes_back_and_the_addresses_follow(tmp_path):
    with Supervisor(no_engines(tmp_path / "d")) as system:
        before = system.wait_ready()
        system.kill("first")
        wait_until(lambda: system.pid("first") not in {None, before.services["first"].pid})
        after = system.wait_ready()
        assert after.services["first"].pid == system.pid("first")
        assert Endpoints.read(tmp_path / "d").services["first"].pid == system.pid("first")
        assert after.services["first"].url == before.services["first"].url
        assert after.services["last"] == before.services["last"]
        said = (tmp_path / "d/logs/opposable.log").read_text()
        assert "first died (signal 9 (SIGKILL)): starting it again in 0.5 s" in said


def test_a_service_that_never_starts_is_named_with_its_reason_and_waits_longer_each_time(tmp_path):
    broken = ServiceSpec("broken", (sys.executable, "-c", "print('no such table'); raise SystemExit(3)"))
    with Supervisor(no_engines(tmp_path / "d", services=(*SERVICES, broken))) as system:
        with pytest.raises(Unavailable, match="broken"):
            system.wait_ready(within_s=3.0)
        assert not (tmp_path / "d/endpoints.json").exists()
        said = (tmp_path / "d/logs/opposable.log").read_text()
        assert "broken died (exit code 3): starting it again in 0.5 s" in said
        assert "broken died (exit code 3): starting it again in 1 s" in said
        assert "no such table" in (tmp_path / "d/logs/broken.log").read_text()
        assert system.restarts("broken") <= 3
        assert system.restarts("first") == 0


def test_services_stop_in_the_reverse_order_and_one_that_will_not_is_killed(tmp_path, monkeypatch):
    from shared.local_engines import supervision  # noqa: PLC0415

    monkeypatch.setattr(supervision, "SERVICE_GRACE_S", 1.0)
    deaf = ServiceSpec("deaf", (*DUMMY, "deaf"))
    with Supervisor(no_engines(tmp_path / "d", services=(*SERVICES, deaf))) as system:
        at = system.wait_ready()
        said = wait_until((tmp_path / "d/logs/deaf.log").read_text)
    assert all_gone([*pids_of(at), int(said.split()[1])])
    assert "deaf did not stop within 1 s: killed" in (tmp_path / "d/logs/opposable.log").read_text()
    first, last = (int((tmp_path / f"d/logs/{name}.log").read_text().split()[-1]) for name in ("first", "last"))
    assert first < last


def test_a_failed_preparation_leaves_nothing_running(tmp_path):
    async def prepare(_endpoints):
        raise ConfigurationError("this registry is refused")

    system = Supervisor(no_engines(tmp_path / "d", prepare=prepare))
    with pytest.raises(ConfigurationError, match="this registry is refused"):
        system.start()
    again = Supervisor(no_engines(tmp_path / "d"))  # the lock is free again
    again.start()
    again.stop()


def test_two_supervisors_never_share_a_directory(tmp_path):
    with Supervisor(no_engines(tmp_path / "d")) as system:
        at = system.wait_ready()
        with pytest.raises(ConfigurationError, match="another `opposable up`"):
            Supervisor(no_engines(tmp_path / "d")).start()
        assert Endpoints.read(tmp_path / "d") == at  # the loser touches nothing
    again = Supervisor(no_engines(tmp_path / "d"))
    again.start()
    again.stop()


def test_http_ports_count_up_from_the_base_with_the_entrance_first(tmp_path):
    from shared.local_engines.ports import draw  # noqa: PLC0415

    base = draw()
    with Supervisor(no_engines(tmp_path / "d", http_port=base)) as system:
        at = system.wait_ready()
        assert at.url("first") == f"http://127.0.0.1:{base}"
        assert at.url("last") == f"http://127.0.0.1:{base + 1}"


@pytest.fixture
def driver(tmp_path):
    """Another process that runs a supervisor with engines of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.engines.driver", str(tmp_path / "d")],
        cwd=ROOT, stderr=subprocess.PIPE,
    )  # fmt: skip
    path = tmp_path / "d/endpoints.json"

    def ready():
        assert process.poll() is None, process.stderr.read().decode()[-500:]
        return path.exists()

    wait_until(ready, within_s=60)
    yield process, json.loads(path.read_text())
    process.kill()
    process.wait()
    process.stderr.close()


def driver_pids(document):
    return [service["pid"] for service in document["services"].values()] + list(document["engines"].values())


@pytest.mark.engines
def test_a_supervisor_killed_hard_leaves_no_process_and_its_directory_resumes(driver, tmp_path):
    process, document = driver
    pids = driver_pids(document)
    assert len(pids) == 4
    process.kill()
    process.wait()
    assert all_gone(pids)
    with Supervisor(dummy_plan(tmp_path / "d", wishes=OWN)) as system:
        at = system.wait_ready()
        assert at.kafka == document["kafka"]["bootstrap"]


@pytest.mark.engines
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(driver, number):
    process, document = driver
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert all_gone(driver_pids(document), within_s=0.5)
