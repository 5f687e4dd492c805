"""Opens what the page keeps behind a click (settings of a banner, folded sections, further screens), breadth first.

The shortest way to every screen is found because each is reached from a fresh load: the number of clicks is what a
person needs. A control opens something when the page says so (`<summary>`, `aria-expanded`) or its label does.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from services.form_inspector.facts import Control, Screen, Seen
from services.form_inspector.visit import Visit
from shared.forms.wording import evades, normal, says_acceptance, says_refusal

MOST_DEPTH, MOST_OPENED = 4, 14
"""Clicks from the first screen, and screens opened in all; beyond, the reading is called incomplete."""

_OPENS = re.compile(
    r"\bparametr\w*|\bpersonnalis\w*|\bgerer\b|\bconfigur\w*|\breglages?\b|\boptions?\b|\bpreferences?\b|\bchoisir\b|\bmes choix\b|"
    r"\bdetails?\b|\ben savoir (?:plus|\+)|\bplus d'info\w*|\bafficher\b|\bvoir (?:les|la|nos|tou\w+|plus)\b|\bsuivant\w*|\betape \d|"
    r"\bliste des?\b|\bmodifier\b|\bautres choix\b|\bmore options\b|\bmanage\b|\bsettings\b|\bpartenaires\b|\bfinalites\b"
)
_STAYS = re.compile(r"^(#.*|javascript:.*|)$")


class _Way(NamedTuple):
    label: str
    nth: int


async def explore(visit: Visit) -> tuple[list[Screen], dict[tuple[str, ...], bytes], bool]:
    """The screens (first: as the page opens), a picture of each by its path, and whether all were opened.

    The visit must be open; it is left on an unspecified screen.
    """
    first = Screen(path=(), seen=await visit.seen())
    screens = [first]
    pictures: dict[tuple[str, ...], bytes] = {(): await visit.screenshot()}
    waiting: list[tuple[Screen, tuple[_Way, ...], list[_Way]]] = [(first, (), _ways(first.seen, None))]
    opened, complete = 0, True
    while waiting:
        screen, path, ways = waiting.pop(0)
        for way in ways:
            if opened >= MOST_OPENED or screen.depth >= MOST_DEPTH:
                complete = False
                break
            opened += 1
            seen = await _replay(visit, (*path, way))
            if seen is None or _print(seen) in {_print(known.seen) for known in screens}:
                continue
            found = Screen(path=(*screen.path, way.label), seen=seen)
            screens.append(found)
            pictures[found.path] = await visit.screenshot()
            waiting.append((found, (*path, way), _ways(seen, screen.seen)))
    return screens, pictures, complete


def opens(control: Control) -> bool:
    """Whether clicking it seems to show more of the page, and nothing else."""
    label = normal(control.label)
    if not control.shown or says_refusal(label) or says_acceptance(label) or evades(label):
        return False
    if control.opens:
        return True
    if control.tag == "a" and not _STAYS.match(control.href):
        return False
    return control.tag != "summary" and bool(_OPENS.search(label))


def _ways(seen: Seen, before: Seen | None) -> list[_Way]:
    """Openers of a screen that were not on the screen it came from."""
    known = {control.key for control in before.controls if control.shown} if before else set()
    same: dict[str, int] = {}
    ways = []
    for control in seen.controls:
        if not control.shown:
            continue
        nth = same.get(control.label, 0)
        same[control.label] = nth + 1
        if opens(control) and control.key not in known:
            ways.append(_Way(control.label, nth))
    return ways


async def _replay(visit: Visit, path: tuple[_Way, ...]) -> Seen | None:
    await visit.open()
    for way in path:
        shown = [control for control in (await visit.seen()).controls if control.shown and control.label == way.label]
        if len(shown) <= way.nth or not await visit.click(shown[way.nth].key):
            return None
    return await visit.seen()


def _print(seen: Seen) -> tuple[object, ...]:
    """What tells one screen from another: what can be read, clicked and ticked."""
    return (
        tuple(block.text for block in seen.blocks),
        tuple(control.label for control in seen.controls if control.shown),
        tuple((box.name, box.label) for box in seen.boxes if box.label_hidden is None),
    )
