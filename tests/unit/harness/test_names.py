"""No two files of tests have one name: plain folders are no packages, and the second of a name would not be run."""

from collections import Counter
from pathlib import Path


def test_each_file_of_tests_has_a_name_of_its_own():
    names = Counter(path.name for path in Path(__file__).parents[2].rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
