"""The page's texts as sentences to search, each with where it stands; a text too small or too pale to read is told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.form_inspector.contrast import contrast
from services.form_inspector.facts import Block, Page, Rect
from shared.forms.wording import normal

SMALLEST_PX, PALEST = 8, 2
"""Letters smaller or paler than this are printed, not told (WCAG asks for 4.5; this is far below)."""

LONGEST = 1000
"""Signs of a sentence looked at together: keeps the search of a hostile page's texts short."""


@dataclass(frozen=True, slots=True)
class Line:
    """One block of text. `text` is as written, `plain` normalised, `heading` normalised; `depth` = clicks to see it."""

    text: str
    plain: str
    heading: str
    depth: int
    path: tuple[str, ...]
    order: int
    list: int
    row: int
    label: bool
    title: bool
    legible: bool
    rect: Rect | None
    addresses: tuple[tuple[str, str], ...]


def lines(page: Page) -> list[Line]:
    """Every text of every screen, each at the fewest clicks that show it."""
    found: dict[tuple[str, str], Line] = {}
    for screen in page.screens:
        for block in screen.seen.blocks:
            found.setdefault((block.text, block.heading), _line(block, screen.path))
    return list(found.values())


def matching(pattern: re.Pattern[str], among: list[Line], *, but: re.Pattern[str] | None = None) -> Iterator[Line]:
    """Lines where a sentence matches and does not say the contrary (`but`)."""
    for line in among:
        for sentence in sentences(line.plain):
            if pattern.search(sentence) and not (but and but.search(sentence)):
                yield line
                break


def sentences(plain: str) -> list[str]:
    """Sentences of a normalised text, in pieces of 1 000 signs at most. A full stop inside an address does not end one."""
    whole = (part for part in re.split(r"(?<=[.!?;])\s+", plain) if part)
    return [part[at : at + LONGEST] for part in whole for at in range(0, len(part), LONGEST)]


def _line(block: Block, path: tuple[str, ...]) -> Line:
    ratio = contrast(block.paint)
    return Line(
        text=block.text, plain=normal(block.text), heading=normal(block.heading), depth=len(path), path=path,
        order=block.order, list=block.list, row=block.row, label=block.label, title=block.title,
        legible=block.paint.font_px >= SMALLEST_PX and (ratio is None or ratio >= PALEST), rect=block.rect,
        addresses=tuple((link.text, link.address) for link in block.links),
    )  # fmt: skip
