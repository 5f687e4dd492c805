"""A program that runs a supervisor with two dummy services until it is told to stop; killed hard by the tests."""

import sys
import threading
from pathlib import Path

from services.cli.up import stop_on_signals
from shared.local_engines.supervisor import Supervisor
from tests.engine_source import OWN
from tests.integration.engines.dummies import dummy_plan

stop_on_signals()
supervisor = Supervisor(dummy_plan(Path(sys.argv[1]), wishes=OWN), sys.stderr)
try:
    supervisor.start()
    supervisor.wait_ready()
    threading.Event().wait()
except KeyboardInterrupt:
    pass
finally:
    supervisor.stop()
