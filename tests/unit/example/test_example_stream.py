"""The example stream: the same bytes for the same seed, nobody real in it, and every line as its expectation says."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from generate import build
from world.events import dump

from services.cli.demo_stream import message, read_lines, wave
from services.consent_validator.domain import assess
from shared.contracts.envelope import from_headers
from shared.errors import InputError
from shared.intake.accept import accept
from shared.registry.load import load_dir, view_of
from shared.topics import party_of

FICTION = ("0199 00", "0261 91", "0353 01", "0465 71", "0536 49", "0639 98")
NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def stream(example_dir: Path) -> tuple[Lines, Lines]:
    return read_lines(example_dir / "consents.jsonl"), read_lines(example_dir / "withdrawals.jsonl")


def test_the_same_seed_gives_the_committed_bytes(example_dir: Path) -> None:
    consents, withdrawals = build()
    assert dump(consents) == (example_dir / "consents.jsonl").read_text("utf-8")
    assert dump(withdrawals) == (example_dir / "withdrawals.jsonl").read_text("utf-8")


def test_another_seed_gives_another_stream_and_scale_shrinks_it(stream: tuple[Lines, Lines]) -> None:
    small, stops = build(seed=7, scale=0.1)
    assert len(small) < 400
    assert len(stops) == 40
    assert dump(small)[:2000] != dump(stream[0])[:2000]


def test_how_many_of_what(stream: tuple[Lines, Lines]) -> None:
    consents, withdrawals = stream
    assert Counter(line["expect"]["status"] for line in wave(consents, 1)) == {
        "accepted": 2000,
        "rejected": 60,
        "duplicate": 40,
        "conflict": 20,
    }
    assert len(wave(consents, 2)) == 8
    assert len(withdrawals) == 40
    assert {line["expect"]["known"] for line in withdrawals} == {True, False}


def test_the_files_are_small(example_dir: Path) -> None:
    assert sum(path.stat().st_size for path in example_dir.glob("*.jsonl")) < 4 * 1_048_576


def test_nobody_real_is_in_it(stream: tuple[Lines, Lines]) -> None:
    prefixes = tuple(prefix.replace(" ", "") for prefix in FICTION)
    for line in [*stream[0], *stream[1]]:
        data = line.get("data", {})
        for contact in data.get("contacts", []):
            if contact["type"] == "phone" and line["scenario"] != "malformed_impossible_phone":
                digits = re.sub(r"\D", "", contact["value"])
                national = "0" + digits.removeprefix("33") if digits.startswith("33") else digits
                assert len(national) == 10
                assert national.startswith(prefixes)
            elif contact["type"] == "email":
                assert contact["value"].strip().endswith(".example")
        if "context" in data:
            assert ipaddress.ip_address(data["context"]["ip"]) in ipaddress.ip_network("203.0.113.0/24")
            assert ".example/" in data["context"]["source_url"]


def test_duplicates_follow_their_original_and_conflicts_contradict_it(stream: tuple[Lines, Lines]) -> None:
    seen: dict[str, Any] = {}
    events: dict[str, Any] = {}
    for line in stream[0]:
        status = line["expect"]["status"]
        if status == "rejected":
            continue
        identity, event = line["data"]["consent_id"], line["ce"]["id"]
        content = json.dumps([line["data"], line["after_s"]], sort_keys=True)
        if status == "duplicate":
            assert seen[identity] == content
            assert events[event] == content
        elif status == "conflict":
            assert (identity in seen) != (event in events)
            assert content not in (seen.get(identity), events.get(event))
        else:
            assert identity not in seen
            assert event not in events
            seen[identity] = events[event] = content


def test_intake_says_what_each_line_expects(example_dir: Path, stream: tuple[Lines, Lines]) -> None:
    view = view_of(load_dir(example_dir / "registry"))
    for line in [*stream[0], *stream[1]]:
        one = message(line, {1: NOW, 2: NOW})
        try:
            envelope, data = from_headers(one.headers, one.value)
            accept(envelope, data, party=party_of(one.topic), received_at=NOW, registry=view)
            said, code = "accepted", None
        except InputError as error:
            said, code = "rejected", error.problems[0].code
        assert (said == "rejected") == (line["expect"]["status"] == "rejected"), line["scenario"]
        assert code == line["expect"].get("code"), line["scenario"]


def test_the_rules_say_what_each_consent_expects(example_dir: Path, stream: tuple[Lines, Lines]) -> None:
    view = view_of(load_dir(example_dir / "registry"))
    for line in stream[0]:
        if "verdicts" not in line["expect"]:
            continue
        one = message(line, {1: NOW, 2: NOW})
        envelope, data = from_headers(one.headers, one.value)
        accepted = accept(envelope, data, party=party_of(one.topic), received_at=NOW, registry=view)
        verdict = assess(accepted.facts, view, NOW, live=True)
        assert +Counter(x.verdict for x in verdict.lines) == +Counter(line["expect"]["verdicts"]), line["scenario"]
        assert Counter(r for x in verdict.lines for r in x.reasons) == line["expect"]["reasons"], line["scenario"]


def test_dates_are_written_when_published_and_repeats_stay_equal(stream: tuple[Lines, Lines]) -> None:
    line = next(x for x in stream[0] if x["scenario"] == "game_call")
    event = json.loads(message(line, {1: NOW}).value)
    collected = datetime.fromisoformat(event["collected_at"])
    assert 0 < (NOW - collected).total_seconds() <= 6
    assert datetime.fromisoformat(event["recipient_list"]["displayed_at"]) < collected
    assert event["decisions"][0]["valid_until"] == "2028-02-24"
    assert message(line, {1: NOW}).value == message(line, {1: NOW}).value


def test_a_file_that_is_no_stream_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl"
    path.write_text('{"topic":"in.acme.consents","ce":{},"key":"k"}\n{"topic":\n')
    with pytest.raises(Exception, match="line 2"):
        read_lines(path)
