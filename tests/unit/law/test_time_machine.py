"""The law of another day: what is listed, what replayed evidence is worth then, and that nothing else changes."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from law_world import CASES, call, decision, event, public_cases, registry, taken
from typer.testing import CliRunner

from services.cli.main import build
from services.consent_validator.replay import Replay
from shared.contracts.types import instant
from shared.errors import InputError

REGISTRY = ["--registry", str(CASES / "registry")]


def opposable(*words: str):
    return CliRunner().invoke(build(list(words)), ["--lang", "en", *words], catch_exceptions=False)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    file = tmp_path / "evidence.jsonl"
    lines = [json.dumps(case["input"]) for case in public_cases()]
    file.write_text("\n".join([*lines, "", "not json"]) + "\n", "utf-8")
    return file


def old_call(**more):
    """A call collected under the old law, without what the new law asks."""
    return event(collected_at="2026-07-20T08:00:00.000Z", decisions=[call(object=None, valid_until=None, **more)])


def replayed(day: str, *data) -> Replay:
    done = Replay(date.fromisoformat(day), registry())
    for one in data:
        list(done.take(taken(one).facts))
    return done


def test_a_call_of_before_the_change_falls_on_the_day_of_the_change() -> None:
    eve, day = replayed("2026-08-10", old_call()), replayed("2026-08-11", old_call())
    assert (eve.lines, eve.sendable_before, eve.sendable_on_day, eve.falls) == (1, 1, 1, 0)
    assert (day.sendable_before, day.sendable_on_day, day.falls, day.rises) == (1, 0, 1, 0)
    assert {"PHONE-PERIOD", "PHONE-OBJECT"} <= set(day.by_reason)
    assert day.by_collector == {"ludibrume": 1}
    assert day.by_channel == {"call": 1}


def test_an_email_of_the_same_person_stands() -> None:
    data = old_call()
    data["decisions"].append(decision())
    done = replayed("2026-08-11", data)
    assert (done.lines, done.sendable_on_day) == (2, 1)


def test_a_consent_judged_before_it_lapsed_rises() -> None:
    data = event(decisions=[call(valid_until="2026-09-02")])
    facts = taken(data, received_at="2026-09-20T00:00:00Z").facts
    done = Replay(date(2026, 9, 2), registry())
    (change,) = done.take(facts)
    assert not change.falls
    assert (done.rises, done.sendable_before, done.sendable_on_day) == (1, 0, 1)


def test_the_command_counts_and_writes_each_line_once(evidence: Path, tmp_path: Path) -> None:
    table = tmp_path / "falls.csv"
    words = ["rules", "replay", "--at", "2030-01-01", str(evidence), *REGISTRY]
    result = opposable(*words, "--json", "--csv", str(table))
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["events"] == 69  # the eight malformed ones and the line that is no JSON were never sendable
    assert told["lines"] == 78
    assert told["sendable_on_day"] == told["sendable_before"] - told["falls"] + told["rises"]
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    falls = [row for row in rows if row["before"] == "valid"]
    assert len(falls) == told["falls"] == sum(told["by_collector"].values()) == sum(told["by_channel"].values())
    assert all(row["on_day"] != "valid" and row["reasons"] for row in falls)
    shown = opposable(*words)
    assert f"{told['falls']} fall" in shown.stdout
    assert "EXPIRED" in shown.stdout


def test_a_csv_names_no_person(evidence: Path, tmp_path: Path) -> None:
    table = tmp_path / "falls.csv"
    opposable("rules", "replay", "--at", "2030-01-01", str(evidence), *REGISTRY, "--csv", str(table), "--json")
    text = table.read_text()
    for case in public_cases():
        data = case["input"].get("data")
        for contact in data.get("contacts", []) if isinstance(data, dict) else []:
            if isinstance(contact, dict):
                assert str(contact.get("value")) not in text


@pytest.mark.parametrize(
    ("day", "there", "absent"),
    [
        ("2026-08-10", {"LIST-NOT-NAMED", "CALL-WINDOW"}, {"PHONE-PERIOD", "PHONE-STATEMENTS", "PHONE-OBJECT"}),
        ("2026-08-11", {"PHONE-PERIOD", "PHONE-STATEMENTS", "PHONE-OBJECT"}, set()),
        ("2018-05-24", {"SOFT-TRANSFER", "CHANNEL-UNCOVERED"}, {"LIST-MISSING", "ACT-NONE", "CALL-WINDOW"}),
        ("2023-02-28", {"STOPPED"}, {"CALL-WINDOW", "CALL-FREQUENCY"}),
    ],
)
def test_the_law_of_a_day(day: str, there: set[str], absent: set[str]) -> None:
    told = json.loads(opposable("rules", "list", "--at", day, "--json").stdout)
    codes = {rule["code"] for rule in told["rules"]}
    assert there <= codes
    assert not absent & codes


def test_explain_tells_rules_of_both_phases() -> None:
    assert json.loads(opposable("rules", "explain", "PHONE-PERIOD", "--json").stdout)["applies_from"] == "2026-08-11"
    assert json.loads(opposable("rules", "explain", "stopped", "--json").stdout)["phase"] == "sending"
    assert opposable("rules", "explain", "NO-SUCH").exit_code == 1


def test_a_file_needs_its_registry(evidence: Path) -> None:
    with pytest.raises(InputError):
        opposable("rules", "replay", "--at", "2026-08-11", str(evidence))
    with pytest.raises(InputError):
        opposable("rules", "replay", "--at", "soon", str(evidence), *REGISTRY)


def test_a_later_evaluation_never_dates_back_the_evidence() -> None:
    facts = taken(event()).facts
    before = json.dumps(facts, sort_keys=True)
    list(Replay(date(2029, 1, 1), registry()).take(facts))
    assert json.dumps(facts, sort_keys=True) == before
    assert instant(facts["received_at"]) == instant(facts["collected_at"])
