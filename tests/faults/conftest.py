"""One system for all drills of this folder: its registry is the benchmark's (three collectors, fifty prospecteurs)."""

import os
import sys

import pytest

from services.cli.up import system_plan
from shared.local_engines.supervisor import Supervisor
from tests.bench import world

FAST = {"OPPOSABLE_RIGHTS_REMIND_AFTER": "600,1200"}


@pytest.fixture(scope="package")
def bench_system(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    plan = system_plan(folder / "data", registry=world.write(folder / "registry"), environment=FAST)
    stream = sys.stderr if os.environ.get("OPPOSABLE_TEST_LOGS") else None
    with Supervisor(plan, stream) as system:
        system.wait_ready()
        yield system
