"""Kafka, MongoDB, sequencer and signer as processes, for every row of the crash table."""

import sys

import pytest

from services.cli.up import system_plan
from shared.local_engines.plan import ServiceSpec
from shared.local_engines.supervisor import Supervisor
from tests.conftest import EXAMPLE_REGISTRY
from tests.engine_source import OWN, forget_data
from tests.faults.archive.log_audit import LogAudit


@pytest.fixture(scope="package")
def system(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crashes")
    command = (sys.executable, "-m", "tests.faults.archive.crashing")
    services = (
        ServiceSpec("signer", (*command, "signer"), single=True), ServiceSpec("proof_archive", (*command, "proof_archive")),
    )  # fmt: skip
    plan = system_plan(
        folder, registry=EXAMPLE_REGISTRY, wishes=OWN, services=services,
        environment={"OPPOSABLE_TEST_CRASH_FILE": str(folder / "crash")},
    )  # fmt: skip
    with Supervisor(plan) as one:
        one.wait_ready()
        yield one
    forget_data(folder)


@pytest.fixture(scope="package")
def audit(system):
    return LogAudit(system.endpoints())
