"""Lines of a table as consents: columns, template, ids that tell nothing, every fault named before anything is sent."""

import json
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.consents.rows import COLUMNS, Reader, template_of
from services.cli.main import build
from services.cli.stop_import.layout import layout_of
from services.cli.stop_import.sending import batches, lines_of
from shared.errors import ConfigurationError

TEMPLATE = Path(__file__).parents[3] / "docs" / "partners" / "consent.json"
HEAD = "courriel;téléphone;date;choix email;choice_sms;ip;référence"
GOOD = "Jeanne@Exemple.fr;06 12 34 56 78;14/09/2026 10:31:07;oui;;203.0.113.9;lead-1"


def read(tmp_path, *lines, head=HEAD, secret=b"\x01" * 32):
    file = tmp_path / "leads.csv"
    file.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    layout = layout_of(file, COLUMNS)
    reader = Reader("acme", template_of(TEMPLATE), secret)
    return list(batches(lines_of(file, layout, lambda _at: None), layout, 0, reader))


def test_a_line_fills_the_template(tmp_path):
    (batch,) = read(tmp_path, GOOD)
    (event,) = batch.rows
    data = event["data"]
    assert (event["source"], event["type"]) == ("acme", "opposable.consent.collected.v1")
    assert data["contacts"] == [
        {"type": "email", "value": "Jeanne@Exemple.fr"}, {"type": "phone", "value": "06 12 34 56 78"},
    ]  # fmt: skip
    assert data["collected_at"] == "2026-09-14T08:31:07.000Z"
    assert data["decisions"] == [
        {"channel": "email", "purpose": "prospecting", "value": "granted", "recipients": "all_listed"}
    ], "an empty choice adds no decision"
    assert data["context"] == {"ip": "203.0.113.9"}
    assert data["subject_ref"] == "lead-1"
    assert data["form"] == json.loads(TEMPLATE.read_text())["form"]
    uuid.UUID(data["consent_id"])


def test_choices_replace_those_of_the_template(tmp_path):
    (batch,) = read(tmp_path, GOOD.replace(";oui;;", ";non;yes;"))
    values = {one["channel"]: one["value"] for one in batch.rows[0]["data"]["decisions"]}
    assert values == {"email": "refused", "sms": "granted"}


def test_ids_are_the_same_for_the_same_line_and_key_and_tell_nothing_without_it(tmp_path):
    one, two = (read(tmp_path, GOOD)[0].rows[0] for _ in range(2))
    assert one == two
    other = read(tmp_path, GOOD, secret=b"\x02" * 32)[0].rows[0]
    assert other["data"]["consent_id"] != one["data"]["consent_id"]
    assert other["id"] != one["id"]
    (batch,) = read(tmp_path, GOOD, GOOD.replace("lead-1", "lead-2"))
    assert len({row["id"] for row in batch.rows}) == 2


@pytest.mark.parametrize(
    ("line", "code", "pointer"),
    [
        (GOOD.replace("Jeanne@Exemple.fr", "jeanne"), "CONTACT-EMAIL", "/contacts/0/value"),
        (GOOD.replace("06 12 34 56 78", "12"), "CONTACT-PHONE", "/contacts/1/value"),
        (GOOD.replace("14/09/2026 10:31:07", "14/09/2026"), "DATE", "/collected_at"),
        (GOOD.replace("14/09/2026 10:31:07", "hier"), "DATE", "/collected_at"),
        (GOOD.replace("14/09/2026 10:31:07", ""), "FIELD-MISSING", "/collected_at"),
        (GOOD.replace("oui", "peut-être"), "VALUE-UNKNOWN", "/decisions"),
        (GOOD.replace(";oui;", ";;"), "FIELD-FORMAT", "/decisions"),
        (";;14/09/2026 10:31:07;oui;;;", "FIELD-MISSING", "/contacts"),
    ],
)
def test_a_fault_is_told_by_line_and_pointer_and_its_neighbours_go(tmp_path, line, code, pointer):
    (batch,) = read(tmp_path, GOOD, line, GOOD.replace("lead-1", "lead-3"))
    assert len(batch.rows) == 2
    ((number, _, problems),) = batch.rejects
    assert number == 3
    assert (code, pointer) in [(p.code, p.pointer) for p in problems]
    assert "jeanne" not in str([p.message for p in problems]).lower()


def test_a_dry_run_writes_nothing_and_says_what_would_be_refused(tmp_path):
    file = tmp_path / "leads.csv"
    file.write_text("\n".join((HEAD, GOOD, GOOD.replace("06 12 34 56 78", "12"))), encoding="cp1252")
    words = ["consents", "import", str(file), "--party", "acme", "--template", str(TEMPLATE), "--dry-run", "--json"]
    done = CliRunner().invoke(build(["consents"]), words)
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["rows"], told["refused"], told["reasons"]) == (2, 1, {"CONTACT-PHONE": 1})
    assert told["columns"]["collected_at"] == "date"
    assert told["examples"][0]["line"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["leads.csv"]


def test_what_cannot_be_used_is_said(tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match="no JSON object"):
        template_of(tmp_path / "missing.json")
    monkeypatch.delenv("OPPOSABLE_API_KEY", raising=False)
    file = tmp_path / "leads.csv"
    file.write_text(f"{HEAD}\n{GOOD}\n")
    words = ["consents", "import", str(file), "--party", "acme", "--url", "http://127.0.0.1:9"]
    assert "OPPOSABLE_API_KEY" in str(CliRunner().invoke(build(["consents"]), words).exception)
