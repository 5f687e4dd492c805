"""One question for this folder: does a container engine answer, and are its images the upstream ones.

`tests/container_host/run.sh DIR -- pytest tests/containers` brings an engine where there is none. Where none answers the
tests are skipped with that sentence; with OPPOSABLE_REQUIRE_CONTAINERS=1 they fail with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

HOW = "no container engine answers: run `tests/container_host/run.sh DIR -- pytest tests/containers`"
STAND_IN_LABEL = '{{index .Config.Labels "org.opposable.stand-in"}}'
IMAGES = pytest.StashKey[str]()


def _client() -> str | None:
    """A docker client whose engine answers."""
    for path in (shutil.which("docker"), "/usr/bin/docker"):
        if path is not None and os.access(path, os.X_OK):
            answer = subprocess.run([path, "info"], capture_output=True, check=False, timeout=30)
            if answer.returncode == 0:
                return path
    return None


def _images(client: str) -> str:
    label = subprocess.run(
        [client, "image", "inspect", "-f", STAND_IN_LABEL, "mongo:7"], capture_output=True, text=True, check=False
    )
    if label.returncode == 0 and label.stdout.strip():
        return "stand-ins: this run says nothing about how the upstream images behave"
    return "upstream"


@pytest.fixture(scope="session")
def docker(request: pytest.FixtureRequest) -> str:
    """The docker client to call; skips (or fails, see the module) where no engine answers."""
    client = _client()
    if client is None:
        if os.environ.get("OPPOSABLE_REQUIRE_CONTAINERS") == "1":
            pytest.fail(HOW)
        pytest.skip(HOW)
    request.config.stash[IMAGES] = _images(client)
    return client


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the containers were made of: a green run on stand-ins must not be read as more than it is."""
    if IMAGES in config.stash:
        terminalreporter.write_line(f"container images: {config.stash[IMAGES]}")
