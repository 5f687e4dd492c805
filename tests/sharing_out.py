"""How tests are shared out between processes (`make test`): what shares a system stays together.

A folder of tests on engines goes to one process as a whole, any other file too. The largest unit tests (thousands of mutants)
share nothing, and are handed out one by one.
"""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling

ON_ENGINES = ("e2e", "faults", "integration", "containers")
APART = "tests/unit/bundle/"


def together(nodeid: str) -> str:
    """The name of what a test stays with. `nodeid`: `tests/unit/core/test_x.py::test_y[1]`."""
    path = nodeid.partition("::")[0]
    if path.startswith(APART):
        return nodeid
    parts = path.split("/")
    return "/".join(parts[:-1]) if len(parts) > 1 and parts[1] in ON_ENGINES else path


class Sharing(LoadScopeScheduling):
    """Hands out `together` as one."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Sharing:
    """The scheduler of this project."""
    return Sharing(config, log)
