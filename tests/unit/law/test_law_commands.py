"""`assess` on odd files and from standard input; `rules` in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from law_world import CASES, case
from typer.testing import CliRunner

from services.cli.main import build
from services.consent_validator.rules.book import CATALOGUE
from services.rights_handler.sending import book as sending
from shared.errors import InputError

REGISTRY = str(CASES / "registry")


def run(*words: str, given: str | bytes | None = None) -> Any:
    return CliRunner().invoke(build(list(words)), list(words), input=given, catch_exceptions=False)


def test_every_line_is_answered_whatever_it_holds() -> None:
    good = case("email-one-named-recipient")
    lines = [
        json.dumps(good), "", "{", "[]", "null", json.dumps({**good, "received_at": "hier"}),
        json.dumps({k: v for k, v in good.items() if k != "received_at"}),
        json.dumps({**good, "ce": {**good["ce"], "type": "opposable.stop.requested.v1"}}),
        json.dumps({**good, "ce": {**good["ce"], "time": "hier"}}),
        json.dumps({**good, "ce": {**good["ce"], "id": "a b"}}),
        json.dumps({**good, "data": []}),
        "\udcff" * 3,
    ]  # fmt: skip
    given = "\n".join(lines).encode("utf-8", "surrogateescape")
    result = run("assess", "-", "--registry", REGISTRY, given=given)
    assert result.exit_code == 0
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [a["status"] for a in answers] == ["accepted", *["rejected"] * 10]
    assert [a["problems"][0]["code"] for a in answers[1:]] == [
        "JSON", "ENVELOPE-MISSING", "ENVELOPE-MISSING", "FIELD-FORMAT", "FIELD-FORMAT", "TYPE-UNKNOWN", "ENVELOPE-TIME",
        "ENVELOPE-ID", "FIELD-TYPE", "JSON",
    ]  # fmt: skip
    assert result.stderr == ""  # no bar, no summary where nobody looks


def test_at_takes_an_instant_or_a_day_in_paris() -> None:
    given = json.dumps(case("old-call-consent-used-after-11-august"))

    def verdict(at: str) -> str:
        answer = json.loads(run("assess", "-", "--registry", REGISTRY, "--at", at, given=given).stdout)
        return str(answer["lines"][0]["verdict"])

    assert verdict("2026-08-10T21:59:59.999Z") == "valid"
    assert verdict("2026-08-11") == "invalid"
    assert verdict("2026-08-10") == "valid"
    with pytest.raises(InputError):
        run("assess", "-", "--registry", REGISTRY, "--at", "demain", given=given)


def test_unusable_inputs(tmp_path: Path) -> None:
    for words in (["nowhere.jsonl", "--registry", REGISTRY], ["-", "--registry", str(tmp_path)]):
        with pytest.raises(InputError):
            run("assess", *words, given="")


def test_rules_list_is_the_law_of_a_day() -> None:
    def codes(*words: str) -> list[str]:
        return [rule["code"] for rule in json.loads(run("rules", "list", "--json", *words).stdout)["rules"]]

    before, after = codes("--at", "2026-08-10"), codes("--at", "2026-08-11")
    assert [c for c in after if c not in before] == ["PHONE-STATEMENTS", "PHONE-PERIOD", "PHONE-OBJECT"]
    both = [rule.code for rule in (*CATALOGUE, *sending.CATALOGUE)]
    assert after == both == codes("--at", "2027-01-01")
    assert "LIST-NOT-NAMED" in run("rules", "list").stdout
    with pytest.raises(InputError):
        run("rules", "list", "--at", "11 août")


def test_rules_explain() -> None:
    french = run("--lang", "fr", "rules", "explain", "list-not-named").stdout
    assert "Société absente de la liste" in french
    assert "Remède" in french
    assert "HUBSIDE" in french
    english = run("--lang", "en", "rules", "explain", "LIST-NOT-NAMED").stdout
    assert "Cure: Name the legal person" in english
    assert json.loads(run("rules", "explain", "EXPIRED", "--json").stdout)["applies_from"] == "2018-05-25"
    assert run("rules", "explain", "NOPE").exit_code == 1
