"""Nesting is bounded: a reader's stack is not an attacker's to exhaust."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


class _Text(str):
    __slots__ = ()


_LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.text(max_size=3) | st.floats() | st.binary(max_size=2)
    | st.builds(_Text, st.text(max_size=2)) | st.just(object())
)  # fmt: skip


@given(
    st.recursive(
        _LEAVES,
        lambda inner: (
            st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(st.text(max_size=2), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.sampled_from([0, 0, 0, 62, 63, 64, 65]),
)
def test_the_quick_look_and_the_one_that_names_the_place_agree(value, levels):
    for _ in range(levels):
        value = [value]
    try:
        canonical._explain(value, "", 0)
    except IntegrityError as error:
        with pytest.raises(IntegrityError, match=re.escape(str(error))):
            canonical.check(value)
        assert not canonical._fits(value)
    else:
        canonical.check(value)
