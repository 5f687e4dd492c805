"""TC strings read as IAB's own JavaScript reads them; malformed ones are refused, whatever they hold."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InputError
from shared.instants import format_instant
from shared.trackers.tcf import Restriction, decode

PACKAGE = "@iabtechlabtcf/core@1.5.21"
HERE = Path(__file__).parent
KNOWN = "CQuMEMAQuMEMAAfACBENAwEgAPAAAAAAAAqIF5wAwABABbAXmAAAAEIABAC2.IAAA.YAAAAAAAAAAA"
"""Made by IAB's library: purposes 1 to 4, vendors 2, 91 and 755, purpose 2 not allowed for 91."""


@pytest.fixture(scope="module")
def oracle():
    """IAB's library under Node, installed once in the cache of the user."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are needed for IAB's own library")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "opposable" / "tcf-oracle"
    if not (cache / "node_modules" / "@iabtechlabtcf" / "core").exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(cache), "--no-audit", "--no-fund", "--no-save", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip("IAB's own library cannot be installed (npm)")

    def ask(specifications):
        script = (HERE / "tcf_oracle.cjs").read_text()
        answer = subprocess.run(
            ["node", "-e", script], input=json.dumps(specifications), capture_output=True, text=True, timeout=120,
            env={**os.environ, "NODE_PATH": str(cache / "node_modules")}, check=True,
        )  # fmt: skip
        return json.loads(answer.stdout)

    return ask


def some(rng, most, density):
    return sorted(n for n in range(1, most + 1) if rng.random() < density)


def specification(rng):
    return {
        "cmpId": rng.randrange(2, 4000), "cmpVersion": rng.randrange(1, 4000), "specific": rng.random() < 0.5,
        "country": rng.choice(["FR", "BE", "AA", "ZZ"]), "purposes": some(rng, 11, 0.5), "interests": some(rng, 11, 0.2),
        "features": some(rng, 2, 0.5), "vendors": some(rng, 1500, rng.choice([0, 0.002, 0.5, 0.99])),
        "vendorInterests": some(rng, 1500, rng.choice([0, 0.01, 0.6])),
        "restrictions": [
            [rng.choice([2, 7, 9, 10]), rng.randrange(3), rng.randrange(1, 1500)] for _ in range(rng.randrange(4))
        ],
    }  # fmt: skip


def test_two_hundred_strings_read_as_by_iab(oracle):
    rng = random.Random("tcf")
    for told in oracle([specification(rng) for _ in range(200)]):
        read = decode(told["text"])
        assert format_instant(read.created) == told["created"]
        assert format_instant(read.last_updated) == told["updated"]
        assert (read.cmp_id, read.cmp_version, read.vendor_list, read.policy) == (
            told["cmpId"], told["cmpVersion"], told["list"], told["policy"],
        )  # fmt: skip
        assert (read.language, read.publisher_country) == (told["language"].upper(), told["country"])
        assert read.service_specific == told["specific"]
        for ours, theirs in (
            (read.purposes, "purposes"), (read.purposes_interest, "interests"), (read.special_features, "features"),
            (read.vendors, "vendors"), (read.vendors_interest, "vendorInterests"),
        ):  # fmt: skip
            assert sorted(ours) == told[theirs], theirs
        assert {(r.purpose, r.type, tuple(sorted(r.vendors))) for r in read.restrictions} == {
            (purpose, kind, tuple(sorted(vendors))) for purpose, kind, vendors in told["restrictions"]
        }


def test_a_known_string():
    read = decode(f" {KNOWN}\n")
    assert read.last_updated == datetime(2026, 11, 24, tzinfo=UTC)
    assert read.vendors == {2, 91, 755}
    assert read.purposes == {1, 2, 3, 4}
    assert read.restrictions == (Restriction(2, 0, frozenset({91})),)
    assert decode(KNOWN.partition(".")[0]) == read, "only the core decides"


def test_consent_is_vendor_and_every_purpose_and_no_restriction():
    read = decode(KNOWN)
    assert read.consents(755, frozenset({1, 3, 4}))
    assert read.consents(755, frozenset({1, 2}))
    assert not read.consents(755, frozenset({1, 5}))
    assert not read.consents(756, frozenset({1}))
    assert not read.consents(91, frozenset({1, 2})), "the publisher forbids purpose 2 to vendor 91"
    assert read.consents(91, frozenset({1, 3}))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TCF-STRING"), ("!!", "TCF-STRING"), ("C", "TCF-STRING"), (KNOWN[:40], "TCF-STRING"),
        ("B" + KNOWN[1:], "TCF-VERSION"), ("D" + KNOWN[1:], "TCF-VERSION"), ("C" * 70_000, "TCF-STRING"),
        ("C" + "_" * 200, "TCF-STRING"),
    ],
)  # fmt: skip
def test_malformed(text, code):
    with pytest.raises(InputError) as refused:
        decode(text)
    assert refused.value.problems[0].code == code


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", max_size=120))
def test_anything_is_read_or_refused(text):
    with contextlib.suppress(InputError):
        decode("C" + text)
