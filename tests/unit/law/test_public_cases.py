"""Every public case, through the function and through the command, compared as tests/cases/README.md says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from law_world import CASES, public_cases, registry
from typer.testing import CliRunner

from services.cli.main import build
from services.consent_validator.dry_run import assess_line
from shared.contracts.types import instant

ALL = public_cases()


def faults(answer: dict[str, Any], expect: dict[str, Any]) -> list[str]:
    """What in the answer is not as expected."""
    found = []
    if answer["status"] != expect["status"]:
        return [f"status {answer['status']}: {answer['problems']}"]
    got = {(line["recipient"], line["channel"], line["purpose"]): line for line in answer["lines"]}
    wanted = {(line["recipient"], line["channel"], line["purpose"]): line for line in expect["lines"]}
    if len(got) != len(answer["lines"]) or set(got) != set(wanted):
        return [f"lines {sorted(map(str, got))}"]
    for key, line in wanted.items():
        reasons = set(got[key]["reasons"])
        if got[key]["verdict"] != line["verdict"]:
            found.append(f"{key}: {got[key]['verdict']} {reasons}")
        if line["basis"] is not None and got[key]["basis"] != line["basis"]:
            found.append(f"{key}: basis {got[key]['basis']}")
        if not set(line["must_have"]) <= reasons:
            found.append(f"{key}: lacks {set(line['must_have']) - reasons}")
        if reasons & set(line["must_not_have"]):
            found.append(f"{key}: must not have {reasons & set(line['must_not_have'])}")
        if (line["verdict"] == "valid") != (not reasons):
            found.append(f"{key}: a line is valid exactly when it has no reason")
    return found


def test_the_comparison_can_fail() -> None:
    expect = ALL[0]["expect"]
    good = assess_line(ALL[0]["input"], registry())
    assert faults(good, expect) == []
    assert faults({**good, "status": "rejected"}, expect)
    assert faults({**good, "lines": []}, expect)
    for change in ({"verdict": "review"}, {"basis": "none"}, {"reasons": ["ACT-PRETICKED"]}):
        assert faults({**good, "lines": [{**good["lines"][0], **change}]}, expect), change


@pytest.mark.parametrize("case", ALL, ids=[c["name"] for c in ALL])
def test_case(case: dict[str, Any]) -> None:
    at = instant(case["at"]) if case["at"] else None
    assert faults(assess_line(case["input"], registry(), at=at), case["expect"]) == []


def test_refused_inputs_carry_one_problem_with_its_place() -> None:
    refused = [assess_line(c["input"], registry()) for c in ALL if c["expect"]["status"] == "rejected"]
    assert len(refused) == 8
    for answer in refused:
        assert len(answer["problems"]) == 1, answer["problems"]
        assert answer["problems"][0]["pointer"].startswith("/")


@pytest.mark.parametrize("at", sorted({c["at"] for c in ALL}, key=str))
def test_the_command_says_the_same(at: str | None, tmp_path: Path) -> None:
    chosen = [c for c in ALL if c["at"] == at]
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(c["input"]) + "\n" for c in chosen), "utf-8")
    words = ["assess", str(file), "--registry", str(CASES / "registry"), "--json", *(["--at", at] if at else [])]
    result = CliRunner().invoke(build(["assess"]), words, catch_exceptions=False)
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(chosen)
    for case, answer in zip(chosen, answers, strict=True):
        assert answer["event_id"] == case["input"]["ce"]["id"]
        assert faults(answer, case["expect"]) == [], case["name"]
        assert set(answer) == {"event_id", "consent_id", "status", "problems", "lines"}
