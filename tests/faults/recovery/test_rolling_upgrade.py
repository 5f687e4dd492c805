"""A rolling upgrade: under load each service's new process starts before the old one ends by SIGTERM, and nothing is lost or forked."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from services.cli.up import SERVICES, system_plan
from shared.local_engines.endpoints import ServiceAt
from shared.local_engines.supervisor import Supervisor
from tests.bench import world
from tests.containers.stack import free_ports
from tests.faults.conftest import FAST
from tests.faults.traffic import Traffic, metric, ready
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
REPLACED = ("proof_archive", "rights_handler", "consent_validator", "collector", "eraser", "notifier", "webhook_relay")
"""With the stream, so that who writes last is new last: a reader of the new release meets what the old one writes."""
STOPPED = '"event":"stopped"'
"""Said last: after the batch in hand, the connections, the offsets."""
CONSUMING = ("proof_archive", "rights_handler", "consent_validator", "collector")


class Release:
    """The processes of the new release, beside a running system."""

    def __init__(self, system):
        self.system, self.at = system, system.endpoints()
        self.processes = {}

    async def start(self, service):
        """Its new process, returned when it is ready."""
        plan, (port,) = self.system.plan, free_ports(1)
        command = next(spec.command for spec in SERVICES if spec.name == service)
        environment = plan.environment_of(
            f"{service}-new",
            service,
            port,
            public_port=port,
            proof_port=port,
            kafka=self.at.kafka,
            mongodb=self.at.mongodb,
        )
        log = (plan.data_dir / "logs" / f"{service}-new.log").open("wb")
        with log:
            process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
        self.processes[service] = process
        self.at = replace(
            self.at, services={**self.at.services, f"{service}-new": ServiceAt(process.pid, f"http://127.0.0.1:{port}")}
        )
        await until(lambda: asyncio.to_thread(self._status, f"{service}-new"), lambda status: status == "ready", 150)

    def _status(self, name):
        try:
            return ready(self.at, name).get("status")
        except OSError:  # it does not listen yet
            return None

    async def stop(self):
        """End them by SIGTERM."""
        for process in self.processes.values():
            if process.returncode is None:
                os.kill(process.pid, signal.SIGTERM)
        await asyncio.gather(*(asyncio.wait_for(process.wait(), 60) for process in self.processes.values()))


@pytest.fixture
def running(tmp_path):
    plan = system_plan(tmp_path / "data", registry=world.write(tmp_path / "registry"), environment=FAST)
    with Supervisor(plan) as system:
        system.wait_ready()
        yield system


async def test_every_service_is_replaced_under_load_and_nothing_is_lost(running):
    new = Release(running)
    traffic = Traffic(running.endpoints(), "upgrade")
    finished = asyncio.Event()

    async def load():
        while not finished.is_set():
            await traffic.send(60, per_second=30)

    sending = asyncio.create_task(load())
    try:
        for service in REPLACED:
            await new.start(service)
            await asyncio.to_thread(running.hold, service)
        # The one that is alone is replaced in its place: meanwhile proofs are promised.
        await asyncio.to_thread(running.hold, "signer")
        running.release("signer")
        await traffic.send(60)
        finished.set()
        await sending
        await traffic.settle(240)
        worked = {name: metric(new.at, f"{name}-new", "opposable_records_total") for name in CONSUMING}
        assert all(worked.values()), worked
        assert {name for name in REPLACED if running.pid(name) is not None} == set(), "none of the former release runs"
    finally:
        finished.set()
        sending.cancel()
        await new.stop()
    logs = running.plan.data_dir / "logs"
    said = {path.stem: path.read_text() for path in logs.glob("*.log")}
    hasty = [name for old in REPLACED for name in (old, f"{old}-new") if STOPPED not in said[name]]
    assert hasty == [], "ended without finishing what it had in hand"
