"""Finds how the page lets a person accept and refuse: which controls, where, after how many clicks (RGPD 4(11), LIL 82).

The fairest refusal counts: of several, the one that the balance score puts closest to its acceptance. A refusal that
only puts off or leaves (`Plus tard`) is one when nothing better is there; a cross or `Fermer` is a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from services.form_inspector.boxes import Box, about_trackers, yes_and_no
from services.form_inspector.controls import CLOSES, main_scope, nearby, refuses, sends, usable
from services.form_inspector.facts import Page, Screen
from services.form_inspector.measures import Measure, of_control, of_option
from shared.forms.wording import any_of, evades, normal, says_acceptance, says_refusal
from shared.registry.balance import unbalance

_TERMS = re.compile(r"\bconditions\b|\bpolitique\b|\breglement\b|\bconfidentialite\b|\bmentions\b")
_CLICKING = r"\ben (?:cliquant|appuyant|validant|continuant|confirmant|soumettant)\b"
_AGREEING = re.compile(r"\baccept\w*|\bconsent\w*|\bautoris\w*")
_SAVES = re.compile(r"\b(?:enregistr|valid|confirm|sauvegard)\w*\b.*\b(?:choix|preferences?|parametres|selection)\b")
_OPTIONAL = any_of(
    r"facultati\w+", r"optionnel\w*", r"non obligatoires?\b", r"avec ou sans\b", r"ne depend pas\b",
    r"que vous (?:\w+ )?accepti?ez ou non\b",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """`acceptance` is the one to compare the refusal with; `accept_depth` = clicks to the nearest one.

    `unclear`: why the refusal cannot be told (a code of `questions`), when `refusal` is None but may exist. `unseen`:
    label and reason of a refusal that is in the page but cannot be seen. `named`: a sentence makes a neutral button mean
    consent. `optional`: the page says that its boxes are optional. `banner`: it asks about trackers and nothing else.
    """

    acceptance: Measure | None
    accept_depth: int | None
    refusal: Measure | None
    unclear: str | None
    unseen: tuple[tuple[str, str], ...]
    named: str | None
    optional: bool
    banner: bool
    other_banner: bool


def choose(page: Page, boxes: Sequence[Box]) -> Choices:
    """The two choices of the page. `boxes`: what `boxes.read` found."""
    asked = [box for box in boxes if box.asks and not box.hidden]
    scope = main_scope(page.screens[0], boxes)
    texts = [normal(block.text) for screen in page.screens for block in screen.seen.blocks]
    named = _named(page, texts)
    pairs = [pair for screen in page.screens for pair in _pairs(screen, scope, named)]
    refusal, acceptance = min(pairs, key=_cost, default=(None, None))
    optional = any(_OPTIONAL.search(text) for text in texts)
    nearest = next(filter(None, (_acceptance(s, scope, named, None) for s in page.screens)), None)
    acceptance, unclear = acceptance or nearest, None
    if refusal is None:
        refusal, acceptance, unclear = _without_control(page, scope, asked, nearest, optional)
    return Choices(
        acceptance=acceptance,
        accept_depth=min((measure.depth for measure in (nearest, acceptance) if measure), default=None),
        refusal=refusal,
        unclear=unclear,
        unseen=_unseen(page, refusal),
        named=named,
        optional=optional,
        banner=_is_banner(page, [box for box in asked if not box.objects]),
        other_banner=_other_banner(page.screens[0], scope),
    )


def _named(page: Page, texts: Sequence[str]) -> str | None:
    """The label of a control that a sentence makes mean consent (`En cliquant sur « Je joue », vous acceptez`)."""
    labels = {normal(control.label) for screen in page.screens for control in screen.seen.controls if control.shown}
    for text in texts:
        clicking = re.search(_CLICKING, text)
        if clicking and _AGREEING.search(text):
            rest = text[clicking.end() : clicking.end() + 100]
            called = [
                label for label in labels if len(label) > 1 and re.search(rf"(?<!\w){re.escape(label)}(?!\w)", rest)
            ]
            if called:
                return max(called, key=len)
    return None


def _unseen(page: Page, refusal: Measure | None) -> tuple[tuple[str, str], ...]:
    """Refusals of the page that no screen shows, with why."""
    seen = {normal(control.label) for s in page.screens for control in s.seen.controls if usable(control)}
    seen |= {normal(refusal.label)} if refusal else set()
    found = {
        control.label: "same_colour" if control.hidden is None else control.hidden
        for screen in page.screens
        for control in screen.seen.controls
        if not usable(control) and refuses(control) and normal(control.label) not in seen
    }
    return tuple(found.items())


def _cost(pair: tuple[Measure, Measure | None]) -> tuple[int, int, int]:
    refusal, acceptance = pair
    weak = int(evades(refusal.label) and not says_refusal(refusal.label))
    return weak, refusal.depth, unbalance(refusal, acceptance) if acceptance else 100


def _pairs(screen: Screen, scope: int, named: str | None) -> Iterator[tuple[Measure, Measure | None]]:
    for control in nearby(screen, scope):
        if refuses(control) and (refusal := of_control(control, screen.depth, screen.path)):
            acceptance = _acceptance(screen, scope, named, refusal)
            yield (refusal.beside(acceptance) if acceptance else replace(refusal, position="below")), acceptance


def _acceptance(screen: Screen, scope: int, named: str | None, refusal: Measure | None) -> Measure | None:
    around = [control for control in nearby(screen, scope) if not refuses(control)]
    says = [c for c in around if says_acceptance(c.label) and not (c.tag == "a" and _TERMS.search(normal(c.label)))]
    called = [c for c in around if named and normal(c.label) == named]
    neutral = [c for c in around if sends(c) and (refusal is None or refusal.scope in {c.scope.key, -1})]
    buttons = [c for c in neutral if c.tag in {"button", "input"}]
    for found in (says, called, buttons, neutral):
        measures = [m for c in found if (m := of_control(c, screen.depth, screen.path))]
        if measures and refusal is not None:
            return min(measures, key=lambda m: (abs(m.rect.y - refusal.rect.y), -m.rect.area))
        if measures:
            return max(measures, key=lambda m: m.rect.area)
    return None


def _without_control(
    page: Page, scope: int, asked: Sequence[Box], acceptance: Measure | None, optional: bool
) -> tuple[Measure | None, Measure | None, str | None]:
    """No control refuses: yes/no answers, else sending with nothing ticked, else nothing; or it cannot be told."""
    for screen in page.screens:
        for yes, no in yes_and_no(screen.seen):
            accepts, refuses = (of_option(option, screen.depth, screen.path) for option in (yes, no))
            if accepts and refuses:
                return refuses.beside(accepts), accepts, None
    consents = [box for box in asked if not box.objects]
    free = bool(consents) and not any(box.required for box in consents)
    empty = free and all(box.default == "off" for box in consents)
    for screen in page.screens:
        for control in nearby(screen, scope):
            if (
                free
                and _SAVES.search(normal(control.label))
                and (saves := of_control(control, screen.depth, screen.path))
            ):
                near = _acceptance(screen, scope, None, saves)
                return replace(saves.beside(near) if near else saves, by="unticked"), near or acceptance, None
    if free and acceptance is not None and not says_acceptance(acceptance.label):
        if empty and optional:
            return replace(acceptance, by="unticked", position="beside"), acceptance, None
        return None, acceptance, "refusal_by_leaving_empty" if empty else "refusal_by_unticking"
    if any(box.objects and box.default is None for box in asked):
        return None, acceptance, "refusal_by_ticking"
    closers = [c for s in page.screens for c in nearby(s, scope) if CLOSES.search(normal(c.label)) or not c.label]
    return None, acceptance, "refusal_by_closing" if closers else None


def _is_banner(page: Page, asked: Sequence[Box]) -> bool:
    """Whether the page asks about trackers and nothing else."""
    if asked:
        return all(box.channels == ("tracker",) for box in asked)
    return about_trackers(page) and not any(
        field.type in {"email", "tel", "text"} for field in page.screens[0].seen.fields
    )


def _other_banner(screen: Screen, scope: int) -> bool:
    return any(c.scope.key not in {scope, -1} and says_acceptance(c.label) and c.shown for c in screen.seen.controls)
