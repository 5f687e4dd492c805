"""The 33 registered pages: what the browser measures agrees with the registry, field by field.

A field that a page does not show is `unknown`, and that it is so is asserted; nothing else may be. The registry declares
the steps of two pages otherwise than they stand: a page whose boxes are all ticked beforehand, and one that has none, take
one gesture to consent, not two (the steps were not measured when the cases were made).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from services.form_inspector.answers import fill
from services.form_inspector.questions import UNKNOWN
from shared.registry.models import parse
from shared.registry.shown import Form
from tests.integration.forms.conftest import BODIES, FORMS, LISTS

TOLERANCE = {"width_px": 1, "height_px": 1, "contrast": 0.1}
"""Everything else is equal to the letter."""

NEVER_SHOWN = {"published_at"}
NOT_SHOWN = {
    "steps/withdraw": {"sondage-v3", "jeu-tilleuls-v10"},  # no word on withdrawal
    "service_conditional": {"jeu-tilleuls-v8", "bandeau-v1", "bandeau-v2"},  # no word on what refusing changes
    "incentive": {"sondage-v3"},  # "recevoir votre bon": the price of the answers or of the consent?
}
"""Fields that these pages do not show."""
AGE_SHOWN = {"jeu-collegiens-v1", "contact-pro-v1"}
"""The only pages that say who they are for."""
DECLARED_OTHERWISE = {("jeu-tilleuls-v2", "steps/grant"): (2, 1), ("jeu-tilleuls-v8", "steps/grant"): (2, 1)}
"""Registered and measured."""

NOT_COMPARED = {"kind", "screenshot_sha256", "medium"}
"""The picture is another rendering of the same page; the rest is not the page's."""

NAMES = {f"{form.id}-v{form.version}": form for form in FORMS}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Leaves by their place. Boxes go by id."""
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flat(item, f"{path}/{key}".lstrip("/")).items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {k: v for item in value for k, v in flat(item, f"{path}/{item['id']}").items()}
    return {path: value}


def registered(form: Form) -> dict[str, Any]:
    """As the registry holds it, without what is not measured on a page; contrasts as numbers."""
    body = {key: value for key, value in BODIES[form.id, form.version].items() if key not in NOT_COMPARED}
    for control in ("refusal", "acceptance"):
        body[control] = {key: float(value) if key == "contrast" else value for key, value in body[control].items()}
    return flat(body)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_agrees_with_the_registry(name: str, inspections) -> None:
    document = {k: v for k, v in inspections[name].document.items() if k not in NOT_COMPARED}
    measured, expected = flat(document), registered(NAMES[name])
    assert measured.keys() == expected.keys()
    differences = {}
    for field, value in measured.items():
        tolerance = TOLERANCE.get(field.rpartition("/")[2])
        declared = DECLARED_OTHERWISE.get((name, field))
        if (
            field in NEVER_SHOWN
            or name in NOT_SHOWN.get(field, ())
            or (field == "targets_minors" and name not in AGE_SHOWN)
        ):
            agrees = value == UNKNOWN
        elif declared:
            agrees = (expected[field], value) == declared
        elif tolerance is not None and value is not None:
            agrees = abs(value - expected[field]) <= tolerance + 1e-9
        else:
            agrees = value == expected[field]
        if not agrees:
            differences[field] = (expected[field], value)
    assert differences == {}


def test_agreement_field_by_field(inspections) -> None:
    """The table of docs/forms.md: how many pages agree, say `unknown`, or differ, by field."""
    agree, unknown, differ = Counter(), Counter(), Counter()
    for name, form in NAMES.items():
        expected = registered(form)
        for field, value in flat(inspections[name].document).items():
            if field not in expected:
                continue
            group = "boxes/*" if field.startswith("boxes/") else field
            close = isinstance(value, float | int) and TOLERANCE.get(field.rpartition("/")[2], 0)
            same = abs(value - expected[field]) <= close + 1e-9 if close else value == expected[field]
            (unknown if value == UNKNOWN else agree if same else differ)[group] += 1
    assert dict(differ) == {"steps/grant": 2}
    assert dict(unknown) == {
        "published_at": 33,
        "targets_minors": 31,
        "service_conditional": 3,
        "steps/withdraw": 2,
        "incentive": 1,
    }
    assert agree["boxes/*"] >= 600
    assert agree["refusal/contrast"] == 31
    assert (
        agree["acceptance/contrast"] == agree["list_shown"] == agree["notice/version"] == agree["withdrawal_told"] == 33
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_score_is_the_one_the_rules_use(name: str, inspections) -> None:
    balance = inspections[name].balance
    assert balance is not None
    assert balance.score == NAMES[name].unbalance


@pytest.mark.parametrize(
    ("version", "code", "severity"),
    [(12, None, None), (6, "FORM-UNBALANCED", "warning"), (7, "FORM-UNBALANCED", "error")],
)
def test_calibration(version: int, code: str | None, severity: str | None, inspections) -> None:
    found = {f.code: f.severity for f in inspections[f"jeu-tilleuls-v{version}"].findings}
    assert found.get("FORM-UNBALANCED") == severity
    assert (code is None) == ("FORM-UNBALANCED" not in found)


def test_the_bytes_that_were_read_are_the_registered_ones(inspections) -> None:
    assert all(inspections[name].document["html_sha256"] == form.html_sha256 for name, form in NAMES.items())


def test_recipients_are_named_as_registered(inspections) -> None:
    """Every page that names a list version shows exactly its entries, by name and SIREN."""
    compared = 0
    for name in NAMES:
        inspection = inspections[name]
        if inspection.compared_with is None:
            continue
        list_id, _, version = inspection.compared_with.rpartition(":")
        entries = next(one.entries for one in LISTS if (one.id, str(one.version)) == (list_id, version))
        found = inspection.evidence.recipients
        assert [(c.legal_name, c.siren) for c in found.entries] == [(e.legal_name, e.siren) for e in entries], name
        assert (found.missing, found.unexpected) == ((), ())
        compared += 1
    assert compared == 26


def test_an_entry_missing_from_the_page_is_named(inspections) -> None:
    from services.form_inspector import recipients  # noqa: PLC0415

    inspection = inspections["jeu-tilleuls-v1"]
    later = next(one for one in LISTS if (one.id, one.version) == ("ludibrume-partenaires", 2))
    found = recipients.find(inspection.read.page, inspection.evidence.lines, later)
    assert [entry.party for entry in found.missing] == ["gazette-tournelune"]


@pytest.mark.parametrize("name", ["jeu-tilleuls-v6", "bandeau-v2", "sondage-v3"])
def test_answered_documents_load(name: str, inspections) -> None:
    inspection, form = inspections[name], NAMES[name]
    document = json.loads(json.dumps(inspection.document))
    values = {
        "published_at": "2026-09-01T06:00:00Z", "targets_minors": "false", "service_conditional": "false", "incentive": "null",
        "steps/withdraw": str(form.steps.withdraw),
    }  # fmt: skip
    answers = {question.field: values[question.field] for question in inspection.questions}
    assert fill(document, inspection.questions, answers) == []
    loaded = parse(document)
    assert isinstance(loaded, Form)
    assert loaded.boxes == form.boxes
    assert loaded.unbalance == form.unbalance
