"""The guide shows the very files that the tests run, and names what exists."""

import json
import re

import yaml

from services.cli.consents.rows import COLUMNS
from tests.conftest import EXAMPLE_REGISTRY
from tests.unit.partner_guide.blocks import BLOCK, filled
from tests.unit.partner_guide.languages import FOLDER, GUIDE

TEXT = GUIDE.read_text()


def test_each_file_stands_in_the_guide_as_it_is():
    shown = {found[1].removeprefix("partners/") for found in BLOCK.finditer(TEXT)}
    assert shown == {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert filled(TEXT) == TEXT, "python -m tests.unit.partner_guide.blocks"


def test_no_program_stands_in_the_guide_that_no_test_runs():
    rest = BLOCK.sub("", TEXT)
    assert re.findall(r"^```(python|java|php)$", rest, re.MULTILINE) == []


def test_the_template_is_of_the_example_registry():
    template = json.loads((FOLDER / "consent.json").read_text())
    documents = [d for path in EXAMPLE_REGISTRY.glob("*.yaml") for d in yaml.safe_load_all(path.read_text())]

    def body(kind, name, version):
        return next(d for d in documents if (d["kind"], d["id"], str(d.get("version"))) == (kind, name, str(version)))

    form = body("form", template["form"]["id"], template["form"]["version"])
    assert template["form"]["sha256"] == form["html_sha256"]
    listed = template["recipient_list"]
    assert listed["sha256"] == body("list", listed["id"], listed["version"])["sha256"]
    assert template["notice"]["sha256"] == body("notice", form["notice"]["id"], form["notice"]["version"])["sha256"]


def test_every_column_of_a_table_is_documented():
    table = TEXT.split("## Tables", 1)[1].split("\n## ", 1)[0]
    plain = {field for field in COLUMNS if not field.startswith("choice:")}
    assert [field for field in sorted(plain) if f"`{field}`" not in table] == []
    assert "`choice_<channel>`" in table
