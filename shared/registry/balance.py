"""How much less visible than acceptance a refusal is: one number, 0 (as visible) to 100 (hidden).

Four parts, each measured on the page and kept in the registry: area (up to 35 points: how much smaller the refusal, by
the worse of its area and its type size), contrast (35), position (20: not beside the acceptance) and wording (10: the
label does not say that it refuses). What was not measured counts nothing. Calibrated on three versions of a game form:
another colour gives 0, about half the size and contrast 31, tiny and pale under a large button 81.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Protocol

SIZE, CONTRAST, POSITION, WORDING = Decimal(35), Decimal(35), Decimal(20), Decimal(10)
"""Weights in points; together 100."""

_REFUSES = re.compile(r"\b(non|no|ne|refus\w*|sans|pas|aucun\w*|rejet\w*|declin\w*|quitter|continuer)\b", re.IGNORECASE)
_ONE = Decimal(1)


class Measured(Protocol):
    """A control as measured on the page; None = not measured."""

    @property
    def label(self) -> str | None: ...  # noqa: D102
    @property
    def width_px(self) -> int | None: ...  # noqa: D102
    @property
    def height_px(self) -> int | None: ...  # noqa: D102
    @property
    def font_px(self) -> int | None: ...  # noqa: D102
    @property
    def contrast(self) -> Decimal | None: ...  # noqa: D102
    @property
    def position(self) -> str | None: ...  # noqa: D102


def unbalance(refusal: Measured, acceptance: Measured) -> int:
    """The score, rounded down. Shapes: both controls as registered."""
    size = min(_ratio(_area(refusal), _area(acceptance)), _ratio(refusal.font_px, acceptance.font_px))
    contrast = _ratio(refusal.contrast, acceptance.contrast)
    score = SIZE * (_ONE - size) + CONTRAST * (_ONE - contrast)
    if refusal.position == "below":
        score += POSITION
    if refusal.label is not None and not _REFUSES.search(_plain(refusal.label)):
        score += WORDING
    return int(score)


def _area(control: Measured) -> int | None:
    if control.width_px is None or control.height_px is None:
        return None
    return control.width_px * control.height_px


def _ratio(refusal: Decimal | int | None, acceptance: Decimal | int | None) -> Decimal:
    """Refusal over acceptance, at most 1; 1 where either was not measured."""
    if refusal is None or not acceptance:
        return _ONE
    return min(_ONE, Decimal(refusal) / Decimal(acceptance))


def _plain(label: str) -> str:
    return label.replace("é", "e").replace("É", "E")
