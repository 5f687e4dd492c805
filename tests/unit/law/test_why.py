"""Every rule says in French why it fired, with the facts; no sentence names a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from law_world import CASES, public_cases, registry
from typer.testing import CliRunner

from services.cli.main import build
from services.consent_validator.dry_run import assess_line
from services.consent_validator.rules.because import BECAUSE
from services.consent_validator.rules.book import CATALOGUE
from shared.contracts.types import instant

ACCEPTED = [c for c in public_cases() if c["expect"]["status"] == "accepted"]


def whys(case):
    at = instant(case["at"]) if case["at"] else None
    return [why for line in assess_line(case["input"], registry(), at=at, why=True)["lines"] for why in line["why"]]


def test_each_rule_of_the_catalogue_has_its_sentence() -> None:
    assert set(BECAUSE) == {rule.code for rule in CATALOGUE}


@pytest.mark.parametrize("case", ACCEPTED, ids=[c["name"] for c in ACCEPTED])
def test_every_reason_is_told_with_facts_and_cure_and_without_the_person(case) -> None:
    at = instant(case["at"]) if case["at"] else None
    plain, told = (assess_line(case["input"], registry(), at=at, why=why) for why in (False, True))
    for line, explained in zip(plain["lines"], told["lines"], strict=True):
        assert line == {key: value for key, value in explained.items() if key != "why"}
        assert [why["code"] for why in explained["why"]] == line["reasons"]
        for why in explained["why"]:
            assert "?" not in why["facts"], why
            assert why["facts"] and why["cure"] and why["title"]  # noqa: PT018 - all three or none
            for contact in case["input"]["data"]["contacts"]:
                assert contact["value"].lower() not in why["facts"].lower()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        (
            "sanction-hubside-buyer-absent-from-list",
            "LIST-NOT-NAMED",
            ["n'est pas l'une des 2 sociétés de la liste fichentete-diffusion"],
        ),
        ("call-period-366-days", "PHONE-PERIOD", ["fin le 2027-09-15, soit 366 jours après le 2026-09-14"]),
        ("call-period-and-proof-not-stated", "PHONE-STATEMENTS", ["period, proof_access"]),
        ("notice-lacks-retention-and-complaint", "NOTICE-MISSING", ["ne dit rien de : complaint, retention"]),
        ("tracker-refusal-in-three-steps", "TRACKER-PARITY", ["3 étapes pour refuser, 1 pour accepter"]),
        ("sanction-caloga-four-withdrawal-doors", "WITHDRAWAL-HARDER", ["4 étapes pour retirer, 2 pour consentir"]),
        ("agreement-lacks-sms", "AGREEMENT-MISSING", ["ne couvre pas sms/prospecting"]),
        ("sms-without-a-phone-number", "CHANNEL-UNCOVERED", ["demande phone, reçu : email"]),
        ("renovation-email-after-july-2025", "SECTOR-BANNED", ["interdit depuis le 2025-07-02 (C. conso. L.223-8)"]),
        ("pre-ticked-box", "ACT-PRETICKED", ["inscrite cochée"]),
        ("sanction-solocal-suspended-source", "PARTY-SUSPENDED", ["est suspendu : "]),
    ],
)
def test_the_facts_of_some(name: str, code: str, words: list[str]) -> None:
    case = next(c for c in ACCEPTED if c["name"] == name)
    (facts,) = {why["facts"] for why in whys(case) if why["code"] == code}
    for word in words:
        assert word in facts


def test_the_command_tells_why_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps(next(c for c in ACCEPTED if c["name"] == "pre-ticked-box")["input"]) + "\n", "utf-8")
    words = ["assess", str(file), "--registry", str(CASES / "registry"), "--json", "--why"]
    result = CliRunner().invoke(build(["assess"]), words, catch_exceptions=False)
    (line,) = json.loads(result.stdout)["lines"]
    assert line["why"][0]["code"] == line["reasons"][0]
