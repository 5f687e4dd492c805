"""One whole system for the end-to-end tests, on the example registry: engines that ask everyone for credentials."""

import os
import sys

import pytest

from services.cli.up import example_registry, system_plan
from shared.local_engines.choose import Wishes
from shared.local_engines.supervisor import Supervisor


@pytest.fixture(scope="package")
def example_system(tmp_path_factory):
    plan = system_plan(
        tmp_path_factory.mktemp("e2e") / "data",
        registry=example_registry(),
        wishes=Wishes(real_kafka=True, use_environment=False, secured=True),
        environment={"OPPOSABLE_RIGHTS_REMIND_AFTER": "3,600", "OPPOSABLE_RIGHTS_SWEEP_EVERY": "0.5"},
    )
    stream = sys.stderr if os.environ.get("OPPOSABLE_TEST_LOGS") else None
    with Supervisor(plan, stream) as system:
        system.wait_ready()
        yield system
