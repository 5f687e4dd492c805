"""The inspection as machine-readable report, and the files it leaves: page, pictures, form document, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from services.form_inspector.boxes import Box
from services.form_inspector.companies import Company
from services.form_inspector.inspection import Inspection
from services.form_inspector.measures import Measure
from services.form_inspector.visit import PHONE_WIDTH, WIDTH


def as_dict(inspection: Inspection) -> dict[str, Any]:
    """JSON values only. Texts quoted are the page's own."""
    evidence, page = inspection.evidence, inspection.read.page
    told = evidence.recipients
    balance = inspection.balance
    return {
        "page": {
            "source": page.source, "browser": page.browser, "width_px": WIDTH, "phone_width_px": PHONE_WIDTH,
            "html_sha256": page.html_sha256, "screenshot_sha256": page.screenshot_sha256,
            "screens": [list(screen.path) for screen in page.screens], "unread": list(evidence.unread), "blocked": page.blocked,
        },
        "balance": None if balance is None else {
            "score": balance.score, "complete": inspection.complete,
            **{name: round(float(part), 1) for name, part in balance._asdict().items()},
        },
        "document": inspection.document,
        "questions": [question.as_dict() for question in inspection.questions],
        "findings": [finding.as_dict() for finding in inspection.findings],
        "acceptance": _measure(evidence.choices.acceptance),
        "refusal": _measure(evidence.choices.refusal),
        "refusal_on_phone": evidence.refusal_gone_on_phone or ("seen" if evidence.choices.refusal else None),
        "boxes": [_box(box) for box in evidence.boxes],
        "recipients": {
            "shown": told.shown, "nature": told.nature, "link": told.link, "compared_with": inspection.compared_with,
            "entries": [_company(company) for company in told.entries],
            "behind_link": [_company(company) for company in told.linked],
            "missing": [{"legal_name": entry.legal_name, "siren": entry.siren} for entry in told.missing],
            "unexpected": [_company(company) for company in told.unexpected],
        },
        "information": {
            "link": evidence.notice_link and {"text": evidence.notice_link[0], "address": evidence.notice_link[1]},
            "on_page": list(evidence.items_on_page), "behind_link": list(evidence.items_linked),
        },
        "phone_statements": {name: [line.text for line in lines] for name, lines in evidence.calls_told.items()},
        "withdrawal": [line.text for line in evidence.withdrawal],
        "steps": {"grant": evidence.grant_steps, "refuse": evidence.refuse_steps},
    }  # fmt: skip


def form_yaml(inspection: Inspection) -> str:
    """The registry's document, with a heading that people read; `questions` last while any is open."""
    score = inspection.balance.score if inspection.balance else None
    least = "" if inspection.complete else " au moins"
    heading = (
        f"# Équilibre entre accepter et refuser :{least} {score}/100" if score is not None else "# Équilibre : inconnu"
    )
    body = dict(inspection.document)
    lines = [f"# {inspection.title}, mesuré sur la page ({inspection.read.page.browser}, {WIDTH} px)", heading]
    if inspection.questions:
        lines.append("# `unknown` : la page ne le dit pas. Remplacer chaque `unknown`, puis effacer `questions`.")
        body["questions"] = [question.as_dict() for question in inspection.questions]
    text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, default_flow_style=None, width=10_000)
    return "\n".join([*lines, text])


def save(inspection: Inspection, annotated: bytes, folder: Path) -> dict[str, Path]:
    """Write `<id>-v<version>.{html,png,annotated.png,yaml,report.json}`; gives each file's path by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{inspection.document['id']}-v{inspection.document['version']}"
    report = json.dumps(as_dict(inspection), ensure_ascii=False, indent=1) + "\n"
    contents = {
        "page": (".html", inspection.read.html),
        "screenshot": (".png", inspection.read.pictures[()]),
        "annotated": (".annotated.png", annotated),
        "form": (".yaml", form_yaml(inspection).encode()),
        "report": (".report.json", report.encode()),
    }
    paths = {}
    for kind, (suffix, content) in contents.items():
        paths[kind] = folder / f"{stem}{suffix}"
        paths[kind].write_bytes(content)
    return paths


def _measure(measure: Measure | None) -> dict[str, Any] | None:
    if measure is None:
        return None
    return {
        "label": measure.label, "width_px": measure.width_px, "height_px": measure.height_px, "font_px": measure.font_px,
        "contrast": None if measure.contrast is None else float(measure.contrast), "colours": measure.colours,
        "position": measure.position, "in_text": measure.in_text, "by": measure.by, "clicks": measure.depth, "order": measure.order,
        "x": round(measure.rect.x), "y": round(measure.rect.y),
    }  # fmt: skip


def _box(box: Box) -> dict[str, Any]:
    return {
        "id": box.id, "label": box.label, "asks": box.asks, "channels": box.channels, "purposes": box.purposes, "default": box.default,
        "with_terms": box.with_terms, "required": box.required, "objects": box.objects, "parties": list(box.parties),
        "hidden": box.hidden, "label_guessed": box.guessed,
    }  # fmt: skip


def _company(company: Company) -> dict[str, Any]:
    return company._asdict()
