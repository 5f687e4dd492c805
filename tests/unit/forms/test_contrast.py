"""WCAG contrast from layers: known pairs, alpha, groups with opacity, and what cannot be known."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.form_inspector.contrast import contrast, seen_colours
from services.form_inspector.facts import Layer, Paint

WHITE, BLACK = (255.0, 255.0, 255.0, 1.0), (0.0, 0.0, 0.0, 1.0)


def hexed(text: str, alpha: float = 1.0) -> tuple[float, float, float, float]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16), alpha


def layer(background=(0.0, 0.0, 0.0, 0.0), *, image=False, opacity=1.0, odd=False) -> Layer:
    return Layer(background=background, image=image, opacity=opacity, odd=odd)


def paint(color, *layers: Layer, canvas=WHITE, behind=False) -> Paint:
    return Paint(font_px=16, bold=False, color=color, layers=layers, canvas=canvas, behind=behind)


@pytest.mark.parametrize(
    ("text", "background", "ratio"),
    [
        ("#000000", "#ffffff", "21.0"),
        ("#ffffff", "#1f4e79", "8.7"),
        ("#767676", "#ffffff", "4.5"),
        ("#6f6f6f", "#ffffff", "5.0"),
        ("#cfcfcf", "#ffffff", "1.6"),
        ("#ff0000", "#00ff00", "2.9"),
        ("#123456", "#123456", "1.0"),
    ],
)
def test_known_pairs(text, background, ratio) -> None:
    assert contrast(paint(hexed(text), layer(hexed(background)))) == Decimal(ratio)


def test_no_background_up_to_the_root_is_the_canvas() -> None:
    assert contrast(paint(BLACK)) == Decimal("21.0")
    assert contrast(paint(WHITE, canvas=hexed("#121212"))) == Decimal("18.7")


def test_alpha_of_text_and_background_blend_with_what_is_behind() -> None:
    assert seen_colours(paint((0, 0, 0, 0.5), layer(WHITE))) == ("#808080", "#ffffff")
    assert seen_colours(paint(WHITE, layer((0, 0, 0, 0.5)), layer(WHITE))) == ("#ffffff", "#808080")


def test_an_ancestor_s_opacity_fades_text_and_background_together() -> None:
    # White at half alpha on black, the whole at 40 % on white: text 0.4·127.5 + 0.6·255, background 0.6·255.
    faded = paint((255, 255, 255, 0.5), layer(BLACK), layer(opacity=0.4))
    assert seen_colours(faded) == ("#cccccc", "#999999")
    assert contrast(faded) == Decimal("1.8")


def test_two_nested_groups() -> None:
    nested = paint(BLACK, layer(opacity=0.5), layer(WHITE, opacity=0.5), canvas=BLACK)
    assert seen_colours(nested) == ("#404040", "#808080")


def test_pictures_filters_and_foreign_elements_make_it_unknown() -> None:
    assert contrast(paint(BLACK, layer(WHITE, image=True))) is None
    assert contrast(paint(BLACK, layer(odd=True), layer(WHITE))) is None
    assert contrast(paint(BLACK, layer(WHITE), behind=True)) is None
    assert contrast(paint(BLACK, layer((255, 255, 255, 0.9)), layer(image=True))) is None


def test_a_picture_under_an_opaque_background_does_not_matter() -> None:
    assert contrast(paint(BLACK, layer(WHITE), layer(image=True))) == Decimal("21.0")


channel = st.integers(0, 255).map(float)
colour = st.tuples(channel, channel, channel, st.just(1.0))


@given(text=colour, background=colour)
def test_it_lies_between_one_and_twenty_one_and_is_the_same_both_ways(text, background) -> None:
    ratio = contrast(paint(text, layer(background)))
    assert ratio is not None
    assert Decimal(1) <= ratio <= Decimal(21)
    assert ratio == contrast(paint(background, layer(text)))
