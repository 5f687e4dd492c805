import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from vectors import load

from shared import canonical
from shared.errors import IntegrityError

PAIRS = load("jcs/rfc8785.json")

# Outside the public profile: keys that are not ASCII (french, weird) or floats (structures, values). `check` refuses
# them, so that they are never hashed, and the two ways in which our serialiser differs from RFC 8785 never show.
OUTSIDE_THE_PROFILE = {"french", "structures", "values", "weird"}


@pytest.mark.parametrize("name", sorted(set(PAIRS) - OUTSIDE_THE_PROFILE))
def test_pairs_inside_the_profile_are_byte_exact(name):
    value = json.loads(PAIRS[name]["input_utf8"])
    canonical.check(value)
    assert canonical.dumps(value).hex() == PAIRS[name]["canonical_hex"]


@pytest.mark.parametrize("name", sorted(OUTSIDE_THE_PROFILE))
def test_pairs_outside_the_profile_are_refused(name):
    with pytest.raises(IntegrityError):
        canonical.check(json.loads(PAIRS[name]["input_utf8"]))


profile = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-canonical.MAX_SAFE_INTEGER, canonical.MAX_SAFE_INTEGER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(profile)
def test_the_profile_equals_rfc_8785(value):
    canonical.check(value)
    data = canonical.dumps(value)
    assert data == rfc8785.dumps(value)
    assert canonical.loads(data) == value
    assert canonical.dumps(canonical.loads(data)) == data
