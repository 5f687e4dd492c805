"""Nesting is bounded: a reader's stack is not an attacker's to exhaust."""

import pytest

from shared import canonical
from shared.errors import IntegrityError


def test_deep_nesting_is_refused_and_not_a_crash():
    value = 1
    for _ in range(5000):
        value = [value]
    with pytest.raises(IntegrityError, match="nesting"):
        canonical.check(value)


def test_ordinary_nesting_passes():
    value = 1
    for _ in range(canonical.MAX_DEPTH):
        value = {"a": value}
    canonical.check(value)
