"""Consents from a table and permissions to a table, by a party's own key, on a running system."""

import csv
import json
import uuid
from datetime import UTC, datetime

import pytest

from tests.integration.partner_guide.conftest import opposable
from tests.unit.partner_guide.languages import FOLDER
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(480)]


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


async def test_a_table_is_imported_once_told_line_by_line_and_its_permissions_exported(at, onboarded, tmp_path):
    mark, now = uuid.uuid4().hex[:8], datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    file = tmp_path / "leads.csv"
    lines = [f"table{n}.{mark}@courriel.example;{now};lead-{mark}-{n}" for n in range(600)]
    lines[7] = f"nobody;{now};lead-7"
    lines[300] = f"table300.{mark}@courriel.example;1999-01-01T00:00:00Z;lead-300"
    file.write_text("courriel;date;référence\n" + "\n".join(lines) + "\n")
    words = ["consents", "import", str(file), "--party", "acme", "--template", str(FOLDER / "consent.json"), "--json"]
    done = opposable(at, *words, environment=onboarded["acme"])
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["accepted"], told["rejected"]) == (600, 599, 1)
    (reject,) = table(tmp_path / "leads.csv.rejects.csv")
    assert (reject["line"], reject["courriel"]) == ("9", "nobody")
    assert "CONTACT-EMAIL /contacts/0/value" in reject["reason"]
    assert not (tmp_path / "leads.csv.import.json").exists()

    again = json.loads(opposable(at, *words, environment=onboarded["acme"]).stdout)
    assert (again["accepted"], again["rejected"]) == (599, 1), "the same lines again are the same consents"

    output = tmp_path / "permissions.csv"

    async def exported():
        done = opposable(
            at,
            "consents",
            "export",
            "permissions",
            "--output",
            str(output),
            "--json",
            environment=onboarded["canalvert"],
        )
        assert done.returncode == 0, done.stderr
        return [row for row in table(output) if row["source_ref"].startswith(f"lead-{mark}-")]

    found = await until(exported, lambda rows: len(rows) >= 598, seconds=90)
    assert len(found) == 598, "each line's permission once, however often the import and the export were run"
    assert {row["type"] for row in found} == {"permission.granted"}
    assert len({row["consent_id"] for row in found}) == 598
    assert mark not in found[0]["match_keys"]
    assert output.stat().st_mode & 0o077 == 0


async def test_a_key_of_another_party_cannot_import_for_it(at, onboarded, tmp_path):
    file = tmp_path / "leads.csv"
    file.write_text("courriel;date\njeanne@courriel.example;2026-09-14T08:31:07Z\n")
    words = ["consents", "import", str(file), "--party", "acme", "--template", str(FOLDER / "consent.json")]
    for environment, reason in (
        (onboarded["canalvert"], "IDENTITY"),
        (onboarded["acme"] | {"OPPOSABLE_API_KEY": "wrong"}, "401"),
    ):
        done = opposable(at, *words, environment=environment)
        assert done.returncode == 2
        assert reason in done.stderr
