"""Pages made to hide, shrink, fade or complicate the refusal, each with what must come out (`tests/forms_pages/expected.yaml`)."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from services.form_inspector.questions import UNKNOWN
from tests.integration.forms.conftest import MADE

EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((MADE / "expected.yaml").read_text("utf-8"))
LINKED = {"partenaires", "mentions-box"}
"""Pages that only another page leads to."""


def contains(measured: Any, expected: Any) -> bool:
    """Whether a measured value has all that is expected: maps may hold more."""
    if isinstance(expected, dict):
        return isinstance(measured, dict) and all(
            key in measured and contains(measured[key], value) for key, value in expected.items()
        )
    return bool(measured == expected)


def at(document: dict[str, Any], place: str) -> Any:
    """A field of the document; `boxes/<id>` is the box of that id."""
    first, _, rest = place.partition("/")
    return next((box for box in document["boxes"] if box["id"] == rest), None) if rest else document[first]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_page_gives_what_it_must(name: str, inspections) -> None:
    found, expected = inspections[name], EXPECTED[name]
    for place, value in expected["document"].items():
        assert contains(at(found.document, place), value), (place, at(found.document, place), value)
    if "score" in expected:
        least, most = expected["score"] or (None, None)
        score = None if found.balance is None else found.balance.score
        assert (score is None) if least is None else (score is not None and least <= score <= most), score
    if "complete" in expected:
        assert found.complete is expected["complete"]
    if "boxes" in expected:
        assert len(found.document["boxes"]) == expected["boxes"]
    recipients = found.evidence.recipients
    if "entries" in expected:
        assert [company.legal_name for company in (*recipients.entries, *recipients.linked)] == expected["entries"]
    codes = {finding.code for finding in found.findings}
    assert set(expected.get("findings", ())) <= codes
    assert not codes & set(expected.get("not", ()))


def test_every_page_is_expected() -> None:
    assert {page.stem for page in MADE.glob("*.html")} == EXPECTED.keys() | LINKED
    assert len(EXPECTED) >= 30


def test_everything_unknown_is_asked_and_nothing_else(inspections) -> None:
    def unknown(value: Any, path: str = "") -> set[str]:
        if isinstance(value, dict):
            return {place for key, item in value.items() for place in unknown(item, f"{path}/{key}")}
        if isinstance(value, list):
            return {place for number, item in enumerate(value) for place in unknown(item, f"{path}/{number}")}
        return {path.lstrip("/")} if value == UNKNOWN else set()

    for name, found in inspections.items():
        assert unknown(found.document) == {question.field for question in found.questions}, name


def test_folded_screens_were_opened_by_the_shortest_way(inspections) -> None:
    paths = [screen.path for screen in inspections["bandeau-v2"].read.page.screens]
    assert paths == [
        (),
        ("Paramétrer (écran 2)",),
        ("Paramétrer (écran 2)", "Voir les finalités et les partenaires (écran 3)"),
    ]
    assert [screen.path for screen in inspections["interrupteurs"].read.page.screens] == [(), ("Gérer mes choix",)]
