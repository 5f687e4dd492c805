from __future__ import annotations

import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "deploy" / "example"
sys.path.insert(0, str(EXAMPLE))  # the generator is a script with a package beside it, as it is run by hand


@pytest.fixture(scope="session")
def example_dir() -> Path:
    return EXAMPLE
