"""One secured system for this folder: two parties with HTTP keys in the registry, onboarded as the guide says."""

import hashlib
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from services.cli.up import system_plan
from shared.local_engines.choose import Wishes
from shared.local_engines.kafka_secure import SecureFiles
from shared.local_engines.supervisor import Supervisor
from tests.conftest import EXAMPLE_REGISTRY
from tests.e2e.kafka_access import java_properties
from tests.engine_source import forget_data
from tests.waiting import operator_http

KEYS = {
    "acme": ("key-of-acme-0123456789abcdef", "collector"),
    "canalvert": ("key-of-canalvert-0123456789", "prospector"),
}


@pytest.fixture(scope="package")
def at(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guide")
    registry = folder / "registry"
    shutil.copytree(EXAMPLE_REGISTRY, registry)
    parties = list(yaml.safe_load_all((registry / "parties.yaml").read_text()))
    for party in parties:
        if party["id"] in KEYS:
            key, scope = KEYS[party["id"]]
            digest = hashlib.sha256(key.encode()).hexdigest()
            party["api_keys"] = [{"id": "k1", "sha256": digest, "scopes": [scope], "expires_at": None}]
    (registry / "parties.yaml").write_text(yaml.safe_dump_all(parties, sort_keys=False, allow_unicode=True))
    wishes = Wishes(real_kafka=True, use_environment=False, secured=True)
    plan = system_plan(folder / "data", registry=registry, wishes=wishes)
    with Supervisor(plan, sys.stderr if os.environ.get("OPPOSABLE_TEST_LOGS") else None) as system:
        yield system.wait_ready()
    forget_data(folder / "data")


@pytest.fixture(scope="package")
def onboarded(at, tmp_path_factory):
    """The environment of each party's own clients: Kafka credentials from `party onboard`, its HTTP key."""
    folder = tmp_path_factory.mktemp("credentials")
    authority = SecureFiles(at.secrets_dir / "kafka").authority
    found = {}
    for party, (key, _) in KEYS.items():
        password = folder / f"{party}.password"
        done = opposable(at, "party", "onboard", party, "--output", str(password))
        assert done.returncode == 0, done.stderr
        client = folder / f"{party}.properties"
        client.write_text(java_properties(at, party, password.read_text().strip()))
        found[party] = {
            **os.environ, "OPPOSABLE_PARTY": party, "OPPOSABLE_KEY": key, "OPPOSABLE_API_KEY": key,
            "OPPOSABLE_URL": at.url("collector"), "OPPOSABLE_COLLECTOR_URL": at.url("collector"),
            "OPPOSABLE_KAFKA": at.kafka, "OPPOSABLE_PASSWORD_FILE": str(password), "OPPOSABLE_CA_FILE": str(authority),
            "OPPOSABLE_CLIENT": str(client), "OPPOSABLE_STATE": str(folder / f"{party}.fold.json"), "NO_PROXY": "*", "PYTHONUTF8": "1",
        }  # fmt: skip
    return found


def opposable(at, *words, environment=None):
    """One command on this system."""
    where = [] if environment else ["--data-dir", str(at.secrets_dir.parent)]
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--lang", "en", *words, *where],
        capture_output=True, text=True, check=False, timeout=120, env=environment,
    )  # fmt: skip


@pytest.fixture
async def http(at):
    async with operator_http(at) as client:
        yield client
