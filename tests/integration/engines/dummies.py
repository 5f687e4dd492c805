"""Plans of systems whose services are dummies: what a supervisor does does not depend on what it runs."""

import sys
import time
from pathlib import Path

import psutil

from shared.local_engines.plan import Plan, ServiceSpec

DUMMY = (sys.executable, str(Path(__file__).with_name("dummy_service.py")))
SERVICES = (ServiceSpec("last", DUMMY, single=True), ServiceSpec("first", DUMMY))


def dummy_plan(folder, **options):
    return Plan(data_dir=folder, **{"services": SERVICES, **options})


def all_gone(pids, within_s=10.0):
    """Whether none of these processes lives any more (a zombie is dead: nobody reaps the orphans of a container)."""
    end = time.monotonic() + within_s
    while alive := [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]:
        if time.monotonic() > end:
            raise AssertionError(f"still alive: {[psutil.Process(pid).cmdline() for pid in alive]}")
        time.sleep(0.05)
    return True


def wait_until(condition, within_s=20.0):
    end = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
    return found
