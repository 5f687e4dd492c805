"""Every public sending case, through the function and through the command: the full list of reasons, in catalogue order."""

from __future__ import annotations

import json

import pytest
from sending_world import sending_cases
from typer.testing import CliRunner

from services.cli.main import build
from services.rights_handler.sending.book import CATALOGUE
from services.rights_handler.sending.lines import answer, read

ALL = sending_cases()
ORDER = [rule.code for rule in CATALOGUE]


def faults(got, expect):
    """What in the answer is not as expected."""
    found = []
    if got["allowed"] is not expect["allowed"]:
        found.append(f"allowed {got['allowed']}")
    if got["reasons"] != sorted(expect["must_have"], key=ORDER.index):
        found.append(f"reasons {got['reasons']}")
    if got["allowed"] is bool(got["reasons"]):
        found.append("allowed exactly when no rule fires")
    return found


def test_the_comparison_can_fail():
    good = {"allowed": False, "reasons": ["CALL-WINDOW", "CALL-FREQUENCY"]}
    expect = {"allowed": False, "must_have": ["CALL-FREQUENCY", "CALL-WINDOW"]}
    assert faults(good, expect) == []
    assert faults({**good, "allowed": True}, expect)
    assert faults({**good, "reasons": ["CALL-WINDOW"]}, expect)
    assert faults({**good, "reasons": good["reasons"][::-1]}, expect)


def test_there_are_forty():
    assert len(ALL) == len({case["name"] for case in ALL}) == 40


@pytest.mark.parametrize("case", ALL, ids=[c["name"] for c in ALL])
def test_case(case):
    given = answer(read(json.dumps(case).encode()))
    assert faults({"allowed": given.allowed, "reasons": given.codes}, case["expect"]) == []


def test_the_command_says_the_same(tmp_path):
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps({k: c[k] for k in ("name", "recipient", "check")}) + "\n" for c in ALL), "utf-8")
    result = CliRunner().invoke(build(["check"]), ["check", str(file), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [a["name"] for a in answers] == [c["name"] for c in ALL]
    for got, case in zip(answers, ALL, strict=True):
        assert set(got) == {"name", "allowed", "reasons"}
        assert faults(got, case["expect"]) == [], case["name"]
