"""The three verifiers agree: same verdict, same code, same place, same contents, on honest bundles and on every mutant.

`OPPOSABLE_MUTANTS` sets how many (10 000 by default) and `OPPOSABLE_MUTANT_SEED` another seed; a failure names its mutant,
which `mutants.mutant(name)` makes again.
"""

import collections
import itertools
import os

import pytest
from bundle_world import POLICY, WITNESSED_POLICY
from mutants import FAMILIES, mutant, mutants
from mutants_base import SEED, bundle_of
from mutants_stamps import HONEST
from three import InNode, by_command, by_single_file

from services.proof_archive.bundles.canonical_zip import MAX_BYTES, MAX_MEMBERS, write_zip
from services.proof_archive.verifying.codes import REASONS

TOTAL = int(os.environ.get("OPPOSABLE_MUTANTS", "10000"))
CHOSEN_SEED = int(os.environ.get("OPPOSABLE_MUTANT_SEED", str(SEED)))
BATCH = 2500


@pytest.mark.parametrize("name", ["plain", "stopped", "erased", "long", "own", "whole", "gone", "wide"])
@pytest.mark.parametrize("trust", [POLICY, WITNESSED_POLICY])
def test_honest_bundles(name, trust, tmp_path):
    case = (trust.encode(), bundle_of(name))
    expected = by_command(*case)
    assert expected["valid"]
    assert expected["contents"]["independent"] is (trust == WITNESSED_POLICY)
    assert by_single_file(*case) == expected
    assert InNode([case], tmp_path).answers() == [expected]


@pytest.mark.timeout(3600)
def test_every_mutant(tmp_path):
    codes: collections.Counter[str] = collections.Counter()
    families = collections.defaultdict(set)
    for batch in _batches():
        run = InNode([(one.trust, one.bundle) for one in batch], tmp_path)
        answers = [(by_command(one.trust, one.bundle), by_single_file(one.trust, one.bundle)) for one in batch]
        for one, (expected, single), page in zip(batch, answers, run.answers(), strict=True):
            assert comparable(single) == comparable(expected), f"the single file differs on {one.name}"
            assert comparable(page) == comparable(expected), f"the page differs on {one.name}"
            code = code_of(expected)
            codes[code] += 1
            families[one.name.split("/")[1]].add(code)
            assert believed(expected) <= HONEST, f"a timestamp is believed that nobody signed: {one.name}"
    assert sum(codes.values()) >= TOTAL * 0.99
    # Each check is reached, so that agreeing on it means something.
    if TOTAL >= 10_000:
        assert set(codes) >= REASONS.keys() - {"TOO-LARGE"}, REASONS.keys() - set(codes)
    assert "valid" in families["forged-tokens"]  # some are honest, and some not believed
    assert not {"valid"} & (families["raw-flips"] | families["raw-edits"] | families["members-altered"])
    print(dict(codes.most_common()))  # noqa: T201 - shown with -s


def test_what_is_too_large(tmp_path):
    many = write_zip((f"entries/{number:05d}.bin", b"") for number in range(MAX_MEMBERS + 1))
    cases = [(POLICY.encode(), many), (POLICY.encode(), bytes(MAX_BYTES + 1))]
    expected = [by_command(*case) for case in cases]
    assert [code_of(answer) for answer in expected] == ["TOO-LARGE", "TOO-LARGE"]
    assert [by_single_file(*case) for case in cases] == expected
    assert InNode(cases, tmp_path).answers() == expected


def test_a_mutant_is_made_again_from_its_name():
    for family in FAMILIES:
        name = f"{SEED}/{family}/3"
        assert mutant(name) == mutant(name)


def believed(answer):
    """Every (authority, time) that an answer believes."""
    contents = answer.get("contents") or {"timestamps": [], "entries": []}
    times = {(stamp["authority"], stamp["at"]) for stamp in contents["timestamps"] if stamp["verified"]}
    assert {entry["timestamped"] for entry in contents["entries"]} <= {None} | {at for _, at in times}
    return times


def _batches():
    stream = mutants(TOTAL, CHOSEN_SEED)
    while batch := list(itertools.islice(stream, BATCH)):
        yield batch


def comparable(answer):
    """The answer; of a trust file that is unusable, all but how a base64 text is wrong, which libraries see differently."""
    return {
        key: value.replace("base64 with stray bits", "not base64") if key == "unusable" else value
        for key, value in answer.items()
    }


def code_of(answer) -> str:
    if "unusable" in answer:
        return "POLICY"
    return "valid" if answer["valid"] else answer["problems"][0]["code"]
