"""Tests that share a system are handed to one process."""

import pytest

from tests.sharing_out import together


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/e2e/test_demo.py::test_a[x/y]", "tests/e2e"),
        ("tests/faults/archive/test_crash_table.py::test_b", "tests/faults/archive"),
        ("tests/unit/core/test_c.py::test_d[1]", "tests/unit/core/test_c.py"),
        ("tests/unit/bundle/test_e.py::test_f[1]", "tests/unit/bundle/test_e.py::test_f[1]"),
    ],
)
def test_folders_on_engines_files_else(nodeid, group):
    assert together(nodeid) == group
