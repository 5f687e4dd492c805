"""One whole system for this folder: the example world, where canalvert has a public key, and orders are late in seconds."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import uuid

import pytest
import yaml

from services.cli.up import system_plan
from shared.crypto.note import Signer
from shared.local_engines.supervisor import Supervisor
from tests.conftest import EXAMPLE_REGISTRY
from tests.e2e.partner import Partner
from tests.engine_source import OWN, forget_data
from tests.waiting import operator_http, until

KEY = Signer("canalvert", b"\x07" * 32)
FAST = {
    "OPPOSABLE_RIGHTS_REMIND_AFTER": "1,2",
    "OPPOSABLE_RIGHTS_ACK_WITHIN": "4",
    "OPPOSABLE_RIGHTS_REPEAT_EVERY": "600",
    "OPPOSABLE_RIGHTS_SWEEP_EVERY": "0.2",
}


@pytest.fixture(scope="package")
def at(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stops")
    registry = folder / "registry"
    shutil.copytree(EXAMPLE_REGISTRY, registry)
    parties = list(yaml.safe_load_all((registry / "parties.yaml").read_text()))
    for party in parties:
        if party["id"] == "canalvert":
            party["public_keys"] = [KEY.verifier.vkey()]
    (registry / "parties.yaml").write_text(yaml.safe_dump_all(parties, sort_keys=False, allow_unicode=True))
    plan = system_plan(folder / "data", registry=registry, wishes=OWN, environment=FAST)
    with Supervisor(plan, sys.stderr if os.environ.get("OPPOSABLE_TEST_LOGS") else None) as system:
        yield system.wait_ready()
    forget_data(folder / "data")


@pytest.fixture
def partner(at):
    return Partner(at)


@pytest.fixture
async def http(at):
    async with operator_http(at) as client:
        yield client


@pytest.fixture
def command(at):
    """Run `opposable stop …` on this system: (exit code, standard output, standard error)."""

    async def run(*words):
        def call():
            return subprocess.run(
                [sys.executable, "-m", "services.cli.main", "stop", *map(str, words), "--data-dir",
                 str(at.secrets_dir.parent)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip

        done = await asyncio.to_thread(call)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def someone():
    """A name nobody else has."""
    return uuid.uuid4().hex[:8]


async def branches(http, stop, good=lambda view: view["branches"]):
    """The view of a stop once it is good (once it has branches)."""

    async def ask():
        answer = await http.get(f"/v1/stops/{stop}")
        return answer.json() if answer.status_code == 200 else None

    return await until(ask, lambda view: view is not None and good(view))


async def said(partner, party, record, count=1):
    """(kind, reasons) of the permission events of a record, in order."""
    found = await partner.read(f"out.{party}.permissions", lambda b: b["record"] == record, count)
    return [("granted" if "stop_url" in b else "refused", b.get("reasons", [])) for b in found]


def line(out):
    """The JSON document a command printed."""
    return json.loads(out)
