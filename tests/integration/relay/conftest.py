"""One whole system for this folder, with delays that a test can wait for."""

import json
import subprocess
import sys

import pytest

from services.cli.up import example_registry, system_plan
from shared.local_engines.supervisor import Supervisor
from tests.engine_source import OWN, forget_data

FAST = {
    "OPPOSABLE_WEBHOOK_RETRY_AFTER": "0.5,1,2", "OPPOSABLE_WEBHOOK_BREAKER_FIRST": "0.3",
    "OPPOSABLE_WEBHOOK_BREAKER_MOST": "1", "OPPOSABLE_WEBHOOK_BREAKER_FAILURES": "3",
    "OPPOSABLE_WEBHOOK_SWEEP_EVERY": "0.2", "OPPOSABLE_WEBHOOK_LEASE": "2", "OPPOSABLE_WEBHOOK_BACKLOG_MOST": "400",
}  # fmt: skip


@pytest.fixture(scope="package")
def system(tmp_path_factory):
    folder = tmp_path_factory.mktemp("relay")
    plan = system_plan(folder / "data", registry=example_registry(), wishes=OWN, environment=FAST)
    with Supervisor(plan) as running:
        running.wait_ready()
        yield running
    forget_data(folder / "data")


@pytest.fixture
def endpoints(system):
    return system.wait_ready()


@pytest.fixture
def opposable(endpoints):
    def call(*words, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.main", "--lang", "en", *words, "--data-dir",
             str(endpoints.secrets_dir.parent), "--json"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)

    return call
