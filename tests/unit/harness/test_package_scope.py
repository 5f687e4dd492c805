"""The suite's own scope: what a folder started ends with the folder, before the next one begins."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FIXTURE = """
import pytest
@pytest.fixture(scope="package")
def running():
    print("start {name}")
    yield
    print("end {name}")
"""


def test_a_folders_fixture_ends_with_the_folder(tmp_path):
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "conftest.py").write_text(
        "from tests import package_scope\ndef pytest_configure(config):\n    config.pluginmanager.register(package_scope)\n"
    )
    for name in ("one", "two"):
        folder = tests / name
        (folder / "deeper").mkdir(parents=True)
        (folder / "conftest.py").write_text(FIXTURE.format(name=name))
        for path in (folder / f"test_{name}.py", folder / "deeper" / f"test_{name}_deeper.py"):
            path.write_text(f"def test_it(running):\n    print('in {name}')\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, env={"PYTHONPATH": str(ROOT)})
    said = [part for part in done.stdout.replace(".", "\n").splitlines() if part.startswith(("start", "in", "end"))]
    assert said == [f"{what} {name}" for name in ("one", "two") for what in ("start", "in", "in", "end")]
