"""What was computed from styles is what the picture shows; the annotated picture frames it."""

from __future__ import annotations

import pytest

from services.form_inspector.fiche import COLOURS
from services.form_inspector.inspection import Inspection, picture
from services.form_inspector.marks import marks
from services.form_inspector.measures import Measure
from tests.integration.forms.conftest import Driver
from tests.integration.forms.pixels import colours, contrast


def painted(driver: Driver, inspection: Inspection, measure: Measure) -> float:
    rect = measure.rect
    inside = (round(rect.x) + 2, round(rect.y) + 2, round(rect.width) - 4, round(rect.height) - 4)
    return contrast(driver.run(colours(driver.browser, inspection.read.pictures[measure.path], inside)))


SMALL_PX = 10


@pytest.mark.parametrize(
    "name", ["jeu-tilleuls-v6", "jeu-tilleuls-v12", "opacite", "sombre", "composants", "rapetisse", "lien-bouton"]
)
def test_contrast_is_what_the_pixels_show(name: str, inspections, driver) -> None:
    """The pixels know nothing of styles. Thin letters are smoothed: a little less than the full colour may be reached.

    How much less depends on the fonts of the machine; letters of 8 px have no pixel that is wholly inside a stroke.
    """
    inspection = inspections[name]
    choices = inspection.evidence.choices
    for measure in (choices.acceptance, choices.refusal):
        assert measure is not None
        assert measure.contrast is not None
        seen = painted(driver, inspection, measure)
        reached = 0.85 if measure.font_px is None or measure.font_px >= SMALL_PX else 0.65
        assert reached * float(measure.contrast) - 0.1 <= seen <= float(measure.contrast) + 0.1, (measure.label, seen)


@pytest.mark.parametrize("name", ["jeu-tilleuls-v7", "bandeau-v2", "composants"])
def test_the_annotated_picture_frames_what_was_found(name: str, inspections, driver) -> None:
    drawn = driver.run(picture(driver.browser, inspections[name]))
    there = driver.run(colours(driver.browser, drawn))
    for mark in marks(inspections[name].evidence):
        wanted = COLOURS[mark.kind]
        assert tuple(int(wanted[i : i + 2], 16) for i in (1, 3, 5)) in there, mark


def test_marks_name_what_they_frame(inspections) -> None:
    found = marks(inspections["jeu-tilleuls-v7"].evidence)
    titles = [mark.title for mark in found]
    assert titles[0] == "Acceptation « Je joue et je profite des offres »"
    assert titles[1] == "Refus « continuer sans accepter »"
    assert (
        found[1].detail
        == "110 × 12 px, lettres de 9 px, contraste 1,6 (#cfcfcf sur #ffffff), plus bas que l'acceptation"
    )
    assert titles.count("Destinataires") == 1
    assert any(title.startswith("Appels : la durée") for title in titles)
    assert "COCHÉE D'AVANCE" in marks(inspections["jeu-tilleuls-v2"].evidence)[2].detail
