"""A fixture of scope "package" ends when its folder is left.

Pytest ends it so only where the folder is an importable package; ours are plain folders, and a system started by one would run
until the end of the session beside all that follow.
"""

from __future__ import annotations

from typing import Any

import pytest

_living: list[tuple[Any, Any]] = []


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> None:
    """Remember what lives as long as its folder."""
    if fixturedef.scope == "package":
        _living.append((fixturedef, request))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Finish what the next test has no part in, the last begun first."""
    following = "" if nextitem is None else nextitem.nodeid
    for one in reversed(_living.copy()):
        fixturedef, request = one
        if not following.startswith(f"{fixturedef.baseid}/"):
            _living.remove(one)
            fixturedef.finish(request)
