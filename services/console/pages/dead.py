"""Dead letters: what could not be used, and why; opened, replayed or dropped, each with a reason. Clear personal data: operators only."""

from __future__ import annotations

from collections import Counter
from typing import get_args
from urllib.parse import quote, urlencode

from fastapi import Response

from services.console.roles import Ability
from services.console.routing import Page, Route
from services.console.visit import Visit, see
from services.console.words import Catalogue
from shared.errors import ConfigurationError, InputError, Problem
from shared.instants import from_millis
from shared.kafka.letters import Letter, Resolution

WORDS: Catalogue = {
    "page.dead": ("Lettres mortes", "Dead letters"),
    "dead.title": ("Lettres mortes", "Dead letters"),
    "dead.count": ("{count} attendent une décision", "{count} await a decision"),
    "dead.reading": ("Le sujet est encore en lecture : la liste n’est pas complète.", "The topic is still being read: the list is not complete."),
    "dead.letter": ("Lettre", "Letter"),
    "dead.at": ("Le", "At"),
    "dead.code": ("Motif", "Code"),
    "dead.topic": ("Venue de", "From"),
    "dead.attempts": ("Essais", "Attempts"),
    "dead.message": ("Explication", "Explanation"),
    "dead.kept": (
        "Gardées sept jours, octet par octet. Ouvrir une lettre montre des données personnelles en clair : c’est journalisé.",
        "Kept for seven days, byte for byte. Opening a letter shows clear personal data: it is logged.",
    ),
    "dead.open": ("Lettre {id}", "Letter {id}"),
    "dead.place": ("Position d’origine", "Original position"),
    "dead.key": ("Clé", "Key"),
    "dead.headers": ("En-têtes", "Headers"),
    "dead.value": ("Contenu ({size})", "Content ({size})"),
    "dead.cut": ("Les {size} premiers octets ; le reste par « opposable dead show ».", "The first {size} bytes; the rest with `opposable dead show`."),
    "dead.replay": ("Rejouer", "Replay"),
    "dead.drop": ("Abandonner", "Drop"),
    "dead.replay_text": (
        "Rejouer publie la lettre telle quelle, là d’où elle vient ; si elle échoue encore, elle revient sous un nouveau numéro.",
        "Replaying publishes the letter as it is, where it came from; what fails again comes back under a new number.",
    ),
    "dead.done": ("Cette lettre a été {how}.", "This letter was {how}."),
    "dead.command": (
        "La console ne rejoue que ce que les partenaires ont envoyé (in.*). Pour celle-ci : opposable dead replay {id}",
        "The console replays only what partners sent (in.*). For this one: opposable dead replay {id}",
    ),
    "how.replayed": ("rejouée", "replayed"),
    "how.dropped": ("abandonnée", "dropped"),
}  # fmt: skip
SHOWN, SHOWN_BYTES = 100, 16_384
OPENED = "letter.opened"


async def listed(visit: Visit) -> Response:
    """The letters that wait, the newest first."""
    letters = visit.console.letters
    waiting = letters.waiting()
    code, topic = visit.query("code"), visit.query("topic")
    chosen = [one for one in waiting if code in ("", one.code) and topic in ("", one.topic)]
    start = int(visit.query("from")) if visit.query("from").isdecimal() else 0
    more = start + SHOWN if start + SHOWN < len(chosen) else None
    return visit.page(
        "dead", shown=[(one, from_millis(one.timestamp)) for one in chosen[start : start + SHOWN]], count=len(waiting),
        codes=sorted(Counter(one.code for one in waiting).items()), topics=sorted(Counter(one.topic for one in waiting).items()),
        code=code, topic=topic, complete=letters.complete, more=more,
        older=urlencode({"code": code, "topic": topic, "from": str(more)}),
    )  # fmt: skip


async def opened(visit: Visit) -> Response:
    """One letter with all it holds."""
    name = visit.path("letter")
    letter = await visit.console.letters.open(name)
    await visit.note(OPENED, "letter", name)
    return _letter(visit, letter)


async def resolved(visit: Visit) -> Response:
    """Replay or drop: written down with the reason, then done."""
    name, how = visit.path("letter"), _how(visit.field("how"))
    letter = await visit.console.letters.open(name)
    try:
        reason = visit.reason()
    except InputError as error:
        return _letter(visit, letter, 422, error.problems[0].message)
    if letter.resolution is not None:
        return _letter(visit, letter, 409)
    await visit.note(f"letter.{how}", "letter", name, reason=reason)
    try:
        await visit.console.letters.resolve(letter, how, reason)
    except ConfigurationError as error:
        return _letter(visit, letter, 409, str(error))
    return see(f"/dead/{quote(name)}/done")


async def done(visit: Visit) -> Response:
    """What became of a letter, without opening it again."""
    name = visit.path("letter")
    how = visit.console.letters.resolution(name)
    if how is None:
        return visit.told("missing", 404)
    return visit.page("dead_done", name=name, how=how)


def _how(text: str) -> Resolution:
    for how in get_args(Resolution):
        if text == how:
            found: Resolution = how
            return found
    raise InputError([Problem("DEAD-HOW", "/how", "replayed or dropped")])


def _letter(visit: Visit, letter: Letter, status: int = 200, error: str = "") -> Response:
    value = letter.value
    return visit.page(
        "letter", status, letter=letter, at=from_millis(letter.timestamp), error=error,
        size=None if value is None else len(value), value=None if value is None else value[:SHOWN_BYTES],
        cut=SHOWN_BYTES if value is not None and len(value) > SHOWN_BYTES else None, ours=letter.topic.startswith("in."),
    )  # fmt: skip


PAGE = Page(
    "dead", "/dead", Ability.LETTERS,
    [
        Route("GET", "/dead", listed, Ability.LETTERS),
        Route("GET", "/dead/{letter:path}/done", done, Ability.LETTERS),
        Route("GET", "/dead/{letter:path}", opened, Ability.LETTERS),
        Route("POST", "/dead/{letter:path}", resolved, Ability.LETTERS),
    ],
    WORDS, rank=40,
)  # fmt: skip
