"""A control as measured: what the registry keeps of an acceptance or a refusal, and where it was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from services.form_inspector.contrast import contrast, seen_colours
from services.form_inspector.facts import Control, Paint, Rect, Tickable

Position = Literal["beside", "below", "above"]

INVISIBLE_UNDER = Decimal("1.15")
"""Contrast under which nobody reads a text."""
_BODY_SHARE = 0.6
"""A link whose label is less than this share of its paragraph is lost in body text."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Sizes in whole CSS pixels; contrast to one decimal or None where it cannot be known; `depth` = clicks to reach it.

    `covered`: another dialog of the page lies over it as the page opens. `by`: a control of its own, one option of a
    yes/no question, or the one button that sends with nothing ticked.
    """

    label: str
    width_px: int
    height_px: int
    font_px: int
    contrast: Decimal | None
    rect: Rect
    depth: int
    path: tuple[str, ...]
    order: int
    scope: int
    colours: tuple[str, str] | None
    in_text: bool = False
    covered: bool = False
    by: Literal["control", "option", "unticked"] = "control"
    position: Position | None = None
    present: bool = True

    def beside(self, other: Measure) -> Measure:
        """This one with its position relative to the other."""
        return replace(self, position=position(self.rect, other.rect) if self.path == other.path else "below")


def of_control(control: Control, depth: int, path: tuple[str, ...]) -> Measure | None:
    """The measure of something that can be clicked; None where it has no size."""
    if control.rect is None:
        return None
    lost = bool(control.around) and len(control.text) < _BODY_SHARE * len(control.around)
    made = _make(control.label, control.rect, control.paint, depth, path, control.order, control.scope.key)
    return replace(made, in_text=lost, covered=control.hidden == "covered")


def of_option(option: Tickable, depth: int, path: tuple[str, ...]) -> Measure | None:
    """The measure of one answer of a question: of its label, which is what is read and clicked."""
    rect = option.label_rect or option.rect
    if rect is None:
        return None
    made = _make(option.label, rect, option.paint, depth, path, option.order, option.scope.key)
    return replace(made, by="option")


def position(rect: Rect, other: Rect) -> Position:
    """Beside when half the height of the smaller one is shared; else below or above."""
    shared = min(rect.bottom, other.bottom) - max(rect.y, other.y)
    if shared >= min(rect.height, other.height) / 2:
        return "beside"
    return "below" if rect.y > other.y else "above"


def legible(paint: Paint) -> bool:
    """Whether a text can be read at all: colour apart from its background, and letters of more than 4 px."""
    ratio = contrast(paint)
    return paint.font_px > 4 and (ratio is None or ratio >= INVISIBLE_UNDER)  # noqa: PLR2004 - no font is readable there


def _make(
    label: str, rect: Rect, paint: Paint, depth: int, path: tuple[str, ...], order: int, scope: int
) -> Measure:  # fmt: skip
    return Measure(
        label=label, width_px=round(rect.width), height_px=round(rect.height), font_px=round(paint.font_px),
        contrast=contrast(paint), rect=rect, depth=depth, path=path, order=order, scope=scope,
        colours=seen_colours(paint),
    )  # fmt: skip
