"""Contrast of a text against what lies behind it, as WCAG 2.2 defines it (1.4.3, relative luminance of sRGB).

Colours are blended up the tree: alpha of text and backgrounds, and opacity of every ancestor (each with less than 1 is a
group of its own, as browsers paint it). Where a picture, a gradient, a filter or another element lies behind the text,
the contrast cannot be computed from styles: it is None, never a guess.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from services.form_inspector.facts import Colour, Layer, Paint

_LINEAR_UP_TO = 0.04045
"""Channel value under which the sRGB curve is a straight line (IEC 61966-2-1, as in WCAG 2.2)."""
_OPAQUE = 0.999


def contrast(paint: Paint) -> Decimal | None:
    """Ratio from 1.0 to 21.0, to one decimal; None where it cannot be known."""
    if paint.behind:
        return None
    blended = _blend(paint)
    if blended is None:
        return None
    text, background = (_luminance(colour) for colour in blended)
    ratio = (max(text, background) + 0.05) / (min(text, background) + 0.05)
    return Decimal(str(ratio)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def seen_colours(paint: Paint) -> tuple[str, str] | None:
    """Text and background as they reach the eye, `#rrggbb`; None where that cannot be known."""
    blended = None if paint.behind else _blend(paint)
    if blended is None:
        return None
    text, background = ("#" + "".join(f"{round(part):02x}" for part in colour[:3]) for colour in blended)
    return text, background


def _blend(paint: Paint) -> tuple[Colour, Colour] | None:
    text, behind = paint.color, (0.0, 0.0, 0.0, 0.0)
    for layer in paint.layers:
        if layer.odd or (layer.image and not _covered(behind)):
            return None
        text, behind = _within(layer, text), _within(layer, behind)
    return _over(text, paint.canvas), _over(behind, paint.canvas)


def _within(layer: Layer, colour: Colour) -> Colour:
    red, green, blue, alpha = _over(colour, layer.background)
    return red, green, blue, alpha * layer.opacity


def _covered(colour: Colour) -> bool:
    return colour[3] >= _OPAQUE


def _over(top: Colour, bottom: Colour) -> Colour:
    """Porter and Duff's `over`, with straight (not premultiplied) alpha."""
    alpha = top[3] + bottom[3] * (1 - top[3])
    if alpha == 0:
        return 0.0, 0.0, 0.0, 0.0
    mixed = [(t * top[3] + b * bottom[3] * (1 - top[3])) / alpha for t, b in zip(top[:3], bottom[:3], strict=True)]
    return mixed[0], mixed[1], mixed[2], alpha


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= _LINEAR_UP_TO else float(((part + 0.055) / 1.055) ** 2.4)
