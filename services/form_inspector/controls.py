"""Which controls of a screen could accept or refuse: seen, near the form that asks, and by what their labels say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.form_inspector.boxes import Box
from services.form_inspector.explore import opens
from services.form_inspector.facts import Control, Screen
from services.form_inspector.measures import legible
from shared.forms.wording import evades, normal, says_acceptance, says_refusal

LONGEST_LABEL = 90
CLOSES = re.compile(r"^(?:fermer|close|[x×✕✖✗]|annuler|retour)\b|^[x×✕✖✗]$")
_ABOUT_REFUSAL = re.compile(
    r"\?|^(?:comment|pourquoi|en savoir)\b|\bbloctel\b|\bopposition\b|\bse desinscrire\b|\bmes droits\b"
)


def usable(control: Control) -> bool:
    """Whether a person can see, read and click it."""
    return control.shown and (legible(control.paint) or not control.text)


def nearby(screen: Screen, scope: int) -> list[Control]:
    """Controls of the main scope and of the page itself; another banner that has its own acceptance is not ours."""
    controls = screen.seen.controls
    foreign = {c.scope.key for c in controls if c.scope.key not in {scope, -1} and says_acceptance(c.label) and c.shown}
    sending = [c.hidden for c in controls if c.scope.key == scope and sends(c)]
    covered = bool(sending) and all(hidden == "covered" for hidden in sending)
    return [c for c in controls if c.scope.key not in foreign and (usable(c) or (covered and c.hidden == "covered"))]


def refuses(control: Control) -> bool:
    """Whether its label refuses, or puts off or leaves; not a link to explanations, nor a way to close."""
    label = normal(control.label)
    if len(label) > LONGEST_LABEL or _ABOUT_REFUSAL.search(label) or CLOSES.search(label) or control.tag == "summary":
        return False
    if control.href.startswith(("mailto:", "tel:")):
        return False
    return says_refusal(label) or evades(label)


def sends(control: Control) -> bool:
    """Whether it sends what was filled in, as any button does that neither opens, closes nor refuses."""
    if control.tag in {"a", "summary"} or opens(control) or not control.label or refuses(control):
        return False
    return control.type in {"submit", "image", ""} and not CLOSES.search(normal(control.label))


def main_scope(screen: Screen, boxes: Sequence[Box]) -> int:
    """The form or dialog that asks: most boxes, else a refusal, else an acceptance."""
    points: dict[int, int] = {}
    for box in boxes:
        if box.asks:
            points[box.scope] = points.get(box.scope, 0) + 10
    for control in screen.seen.controls:
        if usable(control):
            gained = 4 * refuses(control) + 3 * says_acceptance(control.label) + sends(control)
            points[control.scope.key] = points.get(control.scope.key, 0) + gained
    return max(points, key=lambda key: points[key], default=-1)
