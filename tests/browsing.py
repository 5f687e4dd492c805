"""The system's browser, for tests that look at pages."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from services.form_inspector.browser import find_browser
from shared.errors import ConfigurationError


def required_browser() -> Path:
    """Where it is; else the test is skipped with that sentence, or fails with it where OPPOSABLE_REQUIRE_BROWSER=1."""
    try:
        path = find_browser()
        if importlib.util.find_spec("playwright") is None:
            raise ConfigurationError("looking at pages needs Playwright: pip install 'opposable[forms]'")
    except ConfigurationError as missing:
        if os.environ.get("OPPOSABLE_REQUIRE_BROWSER") == "1":
            pytest.fail(f"OPPOSABLE_REQUIRE_BROWSER=1: {missing}")
        pytest.skip(str(missing))
    return path
