"""What the annotated picture points at: a number, a frame on the screen where it was seen, and a line of explanation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from services.form_inspector.boxes import Box
from services.form_inspector.evidence import Evidence
from services.form_inspector.facts import Rect
from services.form_inspector.measures import Measure
from services.form_inspector.names import CHANNEL_NAMES, PURPOSE_NAMES, STATEMENT_NAMES, french, gestures
from services.form_inspector.texts import Line

Kind = Literal["accept", "refuse", "box", "bad_box", "recipients", "calls", "withdrawal", "notice"]
POSITIONS = {
    "beside": "à côté de l'acceptation",
    "below": "plus bas que l'acceptation",
    "above": "plus haut que l'acceptation",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing found. `path` = the screen it is drawn on."""

    kind: Kind
    title: str
    detail: str
    rect: Rect
    path: tuple[str, ...]


def marks(evidence: Evidence) -> list[Mark]:
    """In reading order of the report: the two choices, the boxes, then what is told."""
    found = [*_choices(evidence), *(_box(box) for box in evidence.asked if box.rect)]
    for name, lines in evidence.calls_told.items() if evidence.calls_asked else ():
        found += _told("calls", f"Appels : {STATEMENT_NAMES[name]}", lines)
    told = evidence.recipients
    named = ", ".join(" ".join(filter(None, [c.legal_name, c.siren and f"({c.siren})"])) for c in told.entries)
    found += _told("recipients", "Destinataires", told.lines, named or "donnés par catégories, sans nom")
    steps = evidence.withdrawal_steps
    found += _told(
        "withdrawal",
        "Retrait annoncé",
        evidence.withdrawal,
        f"en {gestures(steps.value)}, selon la page" if steps else "sans nombre de gestes",
    )
    return [mark for mark in found if mark.rect.area > 0]


def _choices(evidence: Evidence) -> Iterable[Mark]:
    acceptance, refusal = evidence.choices.acceptance, evidence.choices.refusal
    if acceptance:
        yield Mark(
            "accept", f"Acceptation « {acceptance.label} »", _measured(acceptance), acceptance.rect, acceptance.path
        )
    if refusal:
        detail = _measured(refusal) + (f", {POSITIONS[refusal.position]}" if refusal.position else "")
        yield Mark("refuse", f"Refus « {refusal.label} »", detail, refusal.rect, refusal.path)


def _measured(measure: Measure) -> str:
    ratio = french(measure.contrast) if measure.contrast is not None else "inconnu"
    colours = f" ({measure.colours[0]} sur {measure.colours[1]})" if measure.colours else ""
    return f"{measure.width_px} × {measure.height_px} px, lettres de {measure.font_px} px, contraste {ratio}{colours}"


def _box(box: Box) -> Mark:
    channels = " + ".join(CHANNEL_NAMES[channel] for channel in box.channels) if box.channels else "canal inconnu"
    purposes = " + ".join(PURPOSE_NAMES[purpose] for purpose in box.purposes) if box.purposes else "finalité inconnue"
    state = {
        "on": "COCHÉE D'AVANCE",
        "off": "vide au départ",
        "none": "sans réponse au départ",
        None: "état à préciser",
    }[box.default]
    extra = [
        word
        for word, true in (
            ("avec les conditions", box.with_terms),
            ("obligatoire", box.required),
            ("pour s'opposer", box.objects),
        )
        if true
    ]
    bad = box.bundled or (box.default == "on" and not box.objects)
    title = f"{'Opposition' if box.objects else 'Case'} : {channels}"
    rect = box.rect or Rect(x=0, y=0, width=0, height=0)
    return Mark("bad_box" if bad else "box", title, ", ".join([purposes, state, *extra]), rect, box.path)


def _told(kind: Kind, title: str, lines: Sequence[Line], detail: str = "") -> list[Mark]:
    """One frame for neighbouring lines of the same screen; the explanation stands at the first."""
    found: list[Mark] = []
    for line in lines:
        if line.rect is None:
            continue
        last = found[-1] if found else None
        if last and last.path == line.path and 0 <= line.rect.y - last.rect.bottom < 2 * line.rect.height + 16:
            found[-1] = Mark(kind, last.title, last.detail, _union(last.rect, line.rect), last.path)
        else:
            found.append(Mark(kind, title, detail if not found else "(suite)", line.rect, line.path))
    return found


def _union(one: Rect, other: Rect) -> Rect:
    left, top = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    return Rect(x=left, y=top, width=right - left, height=max(one.bottom, other.bottom) - top)
