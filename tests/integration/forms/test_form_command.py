"""`opposable form inspect`, as typed: files, document, report, exit codes, refused answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from services.cli.main import build
from shared.errors import InputError
from shared.registry.check import check
from shared.registry.load import read_dir
from tests.integration.forms.conftest import CASES, MADE

REGISTRY = CASES / "registry"


def run(*words: str):
    return CliRunner().invoke(build(["form"]), ["--lang", "fr", "form", "inspect", *words], catch_exceptions=False)


def test_a_faulty_form_leaves_all_its_files(browser_path, tmp_path: Path) -> None:
    page = CASES / "forms" / "jeu-tilleuls-v7.html"
    words = [
        "--collector",
        "ludibrume",
        "--list",
        str(REGISTRY / "lists.yaml"),
        "--notice",
        str(REGISTRY / "notices.yaml"),
    ]
    done = run(str(page), *words, "--output", str(tmp_path), "--json")
    assert done.exit_code == 1, done.output
    report = json.loads(done.stdout)
    assert report["balance"]["score"] == 81
    assert report["recipients"]["compared_with"] == "ludibrume-partenaires:1"
    assert report["recipients"]["missing"] == report["recipients"]["unexpected"] == []
    assert [question["field"] for question in report["questions"]] == ["published_at", "targets_minors"]
    stem = "jeu-tilleuls-v7"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{stem}.html", f"{stem}.png", f"{stem}.annotated.png", f"{stem}.yaml", f"{stem}.report.json"}
    assert (tmp_path / f"{stem}.html").read_bytes() == page.read_bytes()
    assert {key: value for key, value in report.items() if key != "files"} == json.loads(
        (tmp_path / f"{stem}.report.json").read_text("utf-8")
    )
    written = yaml.safe_load((tmp_path / f"{stem}.yaml").read_text("utf-8"))
    assert {question["field"] for question in written.pop("questions")} == {"published_at", "targets_minors"}
    assert written == report["document"]
    _, problems = read_dir(tmp_path / f"{stem}.yaml")
    assert problems, "a document with questions must not load"


def test_an_answered_document_is_ready_for_the_registry(browser_path, tmp_path: Path) -> None:
    answers = ["published_at=2026-09-01T06:00:00Z", "notice={id: mentions-jeux, version: 2026-05}"]
    words = [word for answer in answers for word in ("--answer", answer)]
    done = run(
        str(MADE / "flex-egal.html"),
        "--id",
        "lettre",
        "--version",
        "3",
        "--collector",
        "ludibrume",
        *words,
        "--output",
        str(tmp_path),
    )
    assert done.exit_code == 0, done.output
    assert "équilibre 0/100" in done.output
    documents, problems = read_dir(tmp_path / "lettre-v3.yaml")
    assert (problems, [document.key for document in documents]) == ([], ["form:lettre:3"])
    known, _ = read_dir(REGISTRY)
    assert not [
        finding
        for finding in check([*known, *documents])
        if finding.key == "form:lettre:3" and finding.severity == "error"
    ]
    assert (tmp_path / "lettre-v3.yaml").read_text("utf-8").startswith("# lettre, version 3, mesuré sur la page")


@pytest.mark.parametrize(
    "words",
    [
        ["--answer", "steps/grant=1"],
        ["--answer", "no sign"],
        ["--collector", "Not A Party"],
        ["--list", str(REGISTRY / "notices.yaml")],
    ],
)
def test_what_is_refused(words: list[str], browser_path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        run(str(MADE / "flex-egal.html"), *words, "--output", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
