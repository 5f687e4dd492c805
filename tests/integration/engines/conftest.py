"""A Kafka that holds nothing but what a module puts there, and the command as a process beside it."""

import json
import os
import subprocess
import sys

import pytest

from shared.local_engines.endpoints import Endpoints
from shared.local_engines.engine import KAFKA
from shared.local_engines.plan import ROOT
from tests.engine_source import own_engines
from tests.integration.engines.command_world import NOTICE, PARTY, write_registry


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data directory where Kafka alone runs."""
    path = tmp_path_factory.mktemp("commands") / "d"
    with own_engines(path, KAFKA) as running:
        running.endpoints().write(path)
        yield path


@pytest.fixture(scope="module")
def endpoints(folder):
    return Endpoints.read(folder)


@pytest.fixture
def opposable(folder):
    def call(*words, code=0, as_json=True):
        environment = {k: v for k, v in os.environ.items() if k not in {"KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"}}
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.main", "--lang", "en", *words, "--data-dir", str(folder),
             *(["--json"] if as_json else [])],
            cwd=ROOT, capture_output=True, text=True, env=environment, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout) if as_json and done.stdout else done.stdout + done.stderr

    return call


@pytest.fixture
def provisioned(opposable, tmp_path):
    opposable("registry", "apply", write_registry(tmp_path / "registry", PARTY, NOTICE))
