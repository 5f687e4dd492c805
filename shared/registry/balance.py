"""How much less visible than acceptance a refusal is: one number, 0 (as visible) to 100 (hidden, or not there at all).

Four parts, each measured on the page and kept in the registry: area (up to 35 points: how much smaller the refusal, by
the worse of its area and its type size), contrast (35), position (20: not beside the acceptance) and wording (10: the
label does not say that it refuses, or shames the person who does). What was not measured counts nothing. Calibrated on
three versions of a game form: another colour gives 0, about half the size and contrast 31, tiny and pale under a large
button 81. The rules (FORM-UNBALANCED), the registry check and the inspection of pages all call this one function.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol

from shared.forms.wording import says_refusal, shames

SIZE, CONTRAST, POSITION, WORDING = Decimal(35), Decimal(35), Decimal(20), Decimal(10)
"""Weights in points; together 100."""
REVIEW_FROM, INVALID_FROM = 25, 60
"""Scores from which the rules, as set by default, ask for a person and refuse."""

_ONE, _NONE = Decimal(1), Decimal(0)


class Measured(Protocol):
    """A control as measured on the page; None = not measured."""

    @property
    def present(self) -> bool: ...  # noqa: D102
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


class Parts(NamedTuple):
    """Points of each part, from 0 to its weight."""

    size: Decimal
    contrast: Decimal
    position: Decimal
    wording: Decimal

    @property
    def score(self) -> int:
        """The sum, rounded down."""
        return int(sum(self, _NONE))


def parts(refusal: Measured, acceptance: Measured) -> Parts:
    """The score, part by part. Shapes: both controls as registered. A refusal that is not there has every point."""
    if not refusal.present:
        return Parts(SIZE, CONTRAST, POSITION, WORDING)
    size = min(_ratio(_area(refusal), _area(acceptance)), _ratio(refusal.font_px, acceptance.font_px))
    unclear = refusal.label is not None and (not says_refusal(refusal.label) or shames(refusal.label))
    return Parts(
        SIZE * (_ONE - size),
        CONTRAST * (_ONE - _ratio(refusal.contrast, acceptance.contrast)),
        POSITION if refusal.position == "below" else _NONE,
        WORDING if unclear else _NONE,
    )


def unbalance(refusal: Measured, acceptance: Measured) -> int:
    """The score, rounded down."""
    return parts(refusal, acceptance).score


def _area(control: Measured) -> int | None:
    if control.width_px is None or control.height_px is None:
        return None
    return control.width_px * control.height_px


def _ratio(refusal: Decimal | int | None, acceptance: Decimal | int | None) -> Decimal:
    """Refusal over acceptance, at most 1; 1 where either was not measured."""
    if refusal is None or not acceptance:
        return _ONE
    return min(_ONE, Decimal(refusal) / Decimal(acceptance))
