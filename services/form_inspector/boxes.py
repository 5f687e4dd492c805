"""Reads what can be ticked: what each box asks for, how it stands when the page opens, whether it covers the terms too.

Sources: RGPD 4(11) and C-673/17 (a box ticked beforehand is no consent), 7(2) and EDPB 05/2020 (one box, one thing).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from services.form_inspector import companies
from services.form_inspector.facts import Block, Page, Rect, Screen, Seen, Tickable
from services.form_inspector.words import Covers, channels, covers
from shared.contracts.types import Channel, Purpose
from shared.forms.wording import normal

Default = Literal["off", "on", "none"]
_YES = re.compile(r"^(?:oui|j'accepte|d'accord|yes)\b")
_NO = re.compile(r"^(?:non|je refuse|je n'accepte pas|no)\b")
_BOXED_ID = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Box:
    """One question. None = cannot be told.

    `asks`: about prospecting or trackers, or about nothing that can be told (others are kept, but not registered).

    `objects`: ticking it refuses. `hidden`: no person can see it. `parties`: companies its label names.
    """

    id: str
    label: str
    channels: tuple[Channel, ...] | None
    purposes: tuple[Purpose, ...] | None
    default: Default | None
    with_terms: bool
    required: bool
    objects: bool
    asks: bool
    hidden: str | None
    guessed: bool
    parties: tuple[str, ...]
    rect: Rect | None
    path: tuple[str, ...]
    scope: int

    @property
    def bundled(self) -> bool:
        """Whether one tick answers for several things (RGPD 7(2))."""
        return self.with_terms or len(self.channels or ()) > 1 or len(self.purposes or ()) > 1


def read(page: Page) -> list[Box]:
    """The boxes of all screens, each as it was first seen; then those that never were."""
    found: dict[tuple[object, ...], Box] = {}
    trackers = about_trackers(page)
    for screen in page.screens:
        for key, box in _of_screen(screen, trackers):
            known = found.get(key)
            if known is None or (known.hidden and not box.hidden):
                found[key] = box
    used: dict[str, int] = {}
    return [_unique(box, used) for box in found.values()]


def about_trackers(page: Page) -> bool:
    """Whether any screen speaks of trackers or cookies."""
    texts = (
        text for screen in page.screens for text in (screen.seen.title, *(block.text for block in screen.seen.blocks))
    )
    return any("tracker" in channels(normal(text)) for text in texts)


def yes_and_no(seen: Seen) -> Iterator[tuple[Tickable, Tickable]]:
    """The two answers of each question about prospecting that is put as yes or no, where both can be seen."""
    for group in _groups(seen):
        yes, no = _answers(group)
        if yes and no and not yes.label_hidden and not no.label_hidden and _meaning(group, seen)[1]:
            yield yes, no


def _of_screen(screen: Screen, trackers: bool) -> Iterator[tuple[tuple[object, ...], Box]]:
    seen, nth = screen.seen, dict[tuple[object, ...], int]()
    for group in _groups(seen):
        first = group[0]
        base = (first.kind, first.name, first.id, first.group and first.group.partition("/")[2], first.value)
        nth[base] = nth.get(base, 0) + 1
        yield (*base, nth[base]), _box(group, screen, trackers)


def _groups(seen: Seen) -> list[list[Tickable]]:
    """Radio buttons of one question together, everything else alone."""
    groups: dict[object, list[Tickable]] = {}
    for box in seen.boxes:
        groups.setdefault(box.group or box.key, []).append(box)
    return list(groups.values())


def _box(group: list[Tickable], screen: Screen, trackers: bool) -> Box:
    first = group[0]
    meaning, asks = _meaning(group, screen.seen)
    if trackers and meaning.channels is None and meaning.purposes and "prospecting" not in meaning.purposes:
        meaning = meaning._replace(channels=("tracker",))
    label = _question(group, screen.seen)
    nameless = first.kind == "checkbox" and not label and first.hidden is None
    hidden = first.hidden if first.kind == "select" else first.label_hidden
    objects = first.kind == "checkbox" and meaning.objects
    default: Default | None = _default(group)
    if objects and default == "off" and meaning.channels != ("post",):
        default = None  # unticked, it takes consent for granted: its state says nothing of an act
    return Box(
        id=_slug(first.name or first.id) or _slug(label) or "box", label=label, channels=meaning.channels,
        purposes=meaning.purposes or None, default=default, with_terms=meaning.terms, required=any(b.required for b in group),
        objects=objects, asks=asks or nameless, hidden=None if nameless else hidden, guessed=first.guessed,
        parties=tuple(companies.names(label)), rect=first.label_rect or first.rect, path=screen.path, scope=first.scope.key,
    )  # fmt: skip


def _question(group: list[Tickable], seen: Seen) -> str:
    first = group[0]
    if first.kind == "radio":
        return " ".join(filter(None, [first.legend or _before(first, seen), " / ".join(box.label for box in group)]))
    return first.label or first.legend


def _meaning(group: list[Tickable], seen: Seen) -> tuple[Covers, bool]:
    """What a question covers, by its own words, then by its legend, then by the line before it and by the page."""
    first = group[0]
    if first.kind == "radio" and not all(_answers(group)):
        return covers(""), False
    if first.kind == "select" and not (_yes_option(first) and _no_option(first)):
        return covers(""), False
    own = covers(normal(_question(group, seen)))
    around = _before(first, seen)
    wider = covers(normal(f"{first.legend} {around}"))
    talks = bool(own.purposes) or own.objects or (own.agrees and bool(own.channels) and not own.service)
    if (
        not talks
        and not (own.channels and wider.purposes and (wider.agrees or first.kind != "checkbox"))
        and not own.transfers
    ):
        return own, False
    if own.service and not own.purposes:
        return own, False
    found = own
    if not found.purposes and (own.objects or own.transfers or own.channels):
        found = found._replace(purposes=wider.purposes[:1])
    if not found.channels and not own.objects and "prospecting" in found.purposes:
        legend = covers(normal(first.legend))
        found = found._replace(channels=legend.channels)
    return found, bool(found.channels or found.purposes)


def _before(first: Tickable, seen: Seen) -> str:
    """The paragraph just before the box."""
    earlier: list[Block] = [block for block in seen.blocks if block.order < first.order and not block.label]
    return earlier[-1].text if earlier else ""


def _default(group: list[Tickable]) -> Default:
    first = group[0]
    if first.kind == "checkbox":
        return "on" if first.checked else "off"
    if first.kind == "select":
        chosen = next((option for option in first.options if option.selected), None)
        text = normal(chosen.text) if chosen else ""
        return "on" if _YES.search(text) else "off" if _NO.search(text) else "none"
    yes, no = _answers(group)
    return "on" if yes and yes.checked else "off" if no and no.checked else "none"


def _answers(group: list[Tickable]) -> tuple[Tickable | None, Tickable | None]:
    yes = next((box for box in group if _YES.search(normal(box.label))), None)
    no = next((box for box in group if _NO.search(normal(box.label))), None)
    return yes, no


def _yes_option(box: Tickable) -> bool:
    return any(_YES.search(normal(option.text)) for option in box.options)


def _no_option(box: Tickable) -> bool:
    return any(_NO.search(normal(option.text)) for option in box.options)


def _slug(text: str) -> str:
    return _BOXED_ID.sub("-", normal(text)).strip("-._")[:48]


def _unique(box: Box, used: dict[str, int]) -> Box:
    used[box.id] = used.get(box.id, 0) + 1
    return box if used[box.id] == 1 else replace(box, id=f"{box.id}-{used[box.id]}")
