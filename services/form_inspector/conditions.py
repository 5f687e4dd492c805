"""What the page says around the choice: withdrawal and its steps, whether the service hangs on it, advantages, minors, post.

Each answer is a value with the line that shows it, or None: not told on this page. RGPD 7(3) and 7(4); C. conso. L.121-11;
LIL 45; CNIL on post.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from services.form_inspector.boxes import Box
from services.form_inspector.choices import Choices
from services.form_inspector.statements import CONTRARY, WITHDRAWS
from services.form_inspector.texts import Line, matching, sentences
from services.form_inspector.words import speaks_of_calls
from shared.forms.wording import any_of, normal

T = TypeVar("T")

NUMBERS = {
    "un": 1,
    "une": 1,
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "cinq": 5,
    "six": 6,
    "sept": 7,
    "huit": 8,
    "neuf": 9,
    "dix": 10,
}
_COUNT = "|".join(NUMBERS)
_GESTURES = re.compile(
    rf"\b({_COUNT}|\d{{1,2}}) (?:seul\w* |simples? )?(?:clics?|gestes?|etapes?|portes?|demarches?|ecrans?)\b"
)
_BY_LETTER = any_of(
    r"(?:uniquement|exclusivement|seulement) par (?:courrier|lettre|voie postale|ecrit)", r"lettre recommandee\b"
)
_AGREEING = r"(?:accept|consent|coch)\w+"
_FREE = any_of(
    r"avec ou sans\b", r"que vous (?:\w+ )?accepti?ez ou (?:non|pas)\b", r"ne depend\w* (?:pas|en rien)\b",
    r"meme si vous (?:refusez|n'acceptez pas)", r"meme sans (?:accepter|votre accord)", r"sans (?:incidence|consequence|effet) sur\b",
    r"n'est pas (?:necessaire|obligatoire|requis\w*|une condition)\b", r"(?:n'empeche|ne prive|n'annule|n'interdit)\w* (?:pas|en rien)\b",
)  # fmt: skip
_TIED = any_of(
    rf"(?:devez|faut|doit|etes tenu\w*|obligatoirement|imperativement)\b.*\b{_AGREEING}",
    rf"est (?:necessaire|obligatoire|requis\w*)\b.*\b{_AGREEING}",
    r"sans (?:votre )?(?:accord|consentement|acceptation)\b.*\b(?:pas|impossible|aucun\w*)\b",
    r"(?:reserve|ouvert)\w* aux (?:personnes|participants|clients) (?:qui|ayant) accept\w*",
    r"(?:sous reserve|a condition) d'accept\w+", r"refus\w*\b.*\b(?:empeche|interdit|annule|prive)\w*",
)  # fmt: skip
_ONLY_TERMS = any_of(r"accept\w+ (?:\w+ ){0,2}(?:reglement|conditions|cg[uv]s?|mentions|politique)\b")
_OFFERS = any_of(r"offres?\b", r"partenaires?\b", r"messages?\b", r"prospection\b", r"publicit\w+", r"promotion\w*")
_GAIN = any_of(
    r"bons? (?:d'achat|de reduction|cadeau)", r"votre bon\b", r"cadeaux?\b", r"(?:remise|reduction|rabais)s?\b",
    r"\d+ ?(?:%|€|euros?|points?)", r"offert\w*\b", r"chances? (?:supplementaires?|de plus)", r"mois gratuits?\b",
    r"codes? promo", r"points? (?:bonus|de fidelite|supplementaires?)", r"gratuit\w* si\b",
)  # fmt: skip
_PRICE = any_of(
    r"si vous accept\w+", r"en (?:accept|coch)\w+", r"en echange\b", r"contre votre (?:accord|consentement)",
    r"accept\w+\b.*\b(?:et|pour) (?:recev|obten|gagn|benefici|profit)\w+",
)  # fmt: skip
"""Consent as the price of something."""
_LINKED = any_of(rf"pour (?:en )?(?:profiter|beneficier|recevoir)\b.*\b{_AGREEING}", r"case cochee\b")
"""Consent and something to gain in one sentence, which may be the price or may not."""
_MINORS = any_of(
    r"(?:collegien|lyceen|ecolier|adolescent)\w*", r"aux enfants\b",
    r"moins de (?:1[0-8]|quinze|seize|dix-huit) ans\b", r"de \d{1,2} a 1[0-7] ans\b", r"(?:\d|1[0-7])[ -]+1[0-7] ans\b",
    r"tes parents\b", r"parents? ou (?:representant|tuteur)", r"autorisation parentale\b",
)  # fmt: skip
_ADULTS = any_of(
    r"(?:reserve\w* aux|etre|personnes?) majeur\w*", r"interdit\w* aux (?:mineurs|moins de (?:18|dix-huit) ans)",
    r"(?:aux|les) mineurs? (?:sont exclus|ne peuvent)", r"moins de (?:18|dix-huit) ans (?:exclus|non admis|ne peuvent)",
    r"plus de (?:18|dix-huit) ans\b", r"18 ans (?:et plus|revolus|minimum)", r"vous gerez une entreprise\b",
    r"(?:reserve\w* aux|pour les) professionnels\b",
)  # fmt: skip
_PASSED_ON = r"(?:transmis|communique|cede|partage|loue|envoye)\w*"
_TRANSFER = any_of(
    rf"(?:adresse|coordonnees)\b.*\b{_PASSED_ON}\b.*\b(?:a|aux|avec|des)\b",
    r"(?:transmettre|communiquer|ceder|partager|louer) votre adresse\b"
)  # fmt: skip
_POSTAL = any_of(r"postal\w*", r"courriers?\b(?! electronique)")
_OPPOSE = any_of(r"oppos\w+\b.*\b(?:transmission|transfert|cession|communication|partage|courriers?|prospection)")


class Told(NamedTuple, Generic[T]):
    """A value with the lines that show it."""

    value: T
    lines: tuple[Line, ...] = ()


def _prose(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if not line.label and not line.title and line.legible]


def withdrawal(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines that tell of the right to withdraw or object, for more than calls alone."""
    told = matching(WITHDRAWS, _prose(lines), but=CONTRARY)
    return tuple(line for line in told if not (speaks_of_calls(line.heading) and not _counts_for_all(line)))


def denied(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines that say that consent cannot be withdrawn."""
    return tuple(
        line for line in _prose(lines) if any(WITHDRAWS.search(s) and CONTRARY.search(s) for s in sentences(line.plain))
    )


def withdrawal_steps(told: Sequence[Line]) -> Told[int] | None:
    """Gestures to withdraw, where the page gives a number (the largest it gives)."""
    counted = [(_number(found), line) for line in told for found in _GESTURES.findall(line.plain)]
    if not counted:
        return None
    most = max(number for number, _ in counted)
    return Told(most, tuple(line for number, line in counted if number == most))


def by_letter_only(told: Sequence[Line]) -> bool:
    """Whether withdrawing asks for a letter, which no click matches."""
    return any(_BY_LETTER.search(line.plain) for line in told)


def service(lines: Sequence[Line], boxes: Sequence[Box], choices: Choices) -> Told[bool] | None:
    """Whether the service hangs on consent: told, or shown by a required box, or by a refusal that does the same thing."""
    prose = _prose(lines)
    tied = tuple(line for line in prose if any(_ties(sentence) for sentence in sentences(line.plain)))
    if tied:
        return Told(value=True, lines=tied)
    if any(box.asks and box.required and not box.objects and box.default != "none" for box in boxes):
        return Told(value=True)
    free = tuple(matching(_FREE, prose))
    if free:
        return Told(value=False, lines=free)
    accept, refuse = choices.acceptance, choices.refusal
    if accept and refuse and refuse.by == "control" and not choices.banner:
        same_act = normal(accept.label).split()[:1] == normal(refuse.label).split()[:1]
        if same_act and " sans " in normal(refuse.label):
            return Told(value=False)
    return None


def _ties(sentence: str) -> bool:
    """Having to accept the rules of a game is not having to accept offers."""
    only_terms = _ONLY_TERMS.search(sentence) and not _OFFERS.search(sentence)
    return bool(_TIED.search(sentence)) and not _FREE.search(sentence) and not only_terms


def incentive(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines that promise an advantage together with consent."""
    return tuple(
        line
        for line in lines
        if any(_GAIN.search(s) and (_PRICE.search(s) or _LINKED.search(s)) for s in sentences(line.plain))
    )


def plain_incentive(line: Line) -> bool:
    """Whether the advantage is plainly the price of the consent, not of taking part."""
    return any(_PRICE.search(sentence) and _GAIN.search(sentence) for sentence in sentences(line.plain))


def minors(lines: Sequence[Line]) -> Told[bool] | None:
    """Whether the page addresses minors, or says that it is for adults or companies; None where it says both or neither."""
    prose = [line for line in lines if not line.label]
    adults = tuple(line for line in prose if _ADULTS.search(line.plain))
    young = tuple(line for line in prose if _MINORS.search(line.plain) and line not in adults)
    if bool(adults) == bool(young):
        return None
    return Told(value=bool(young), lines=young or adults)


def post(lines: Sequence[Line], boxes: Sequence[Box]) -> dict[str, bool] | None:
    """`transfer_told` and `objection_offered` for the postal address; None where post is not spoken of."""
    prose = [line for line in _prose(lines) if "siren" not in line.plain]
    spoken = [(line, sentence) for line in prose for sentence in sentences(line.plain) if not CONTRARY.search(sentence)]
    told = any(_TRANSFER.search(sentence) and _POSTAL.search(sentence) for _, sentence in spoken)
    boxed = any(box.objects and "post" in (box.channels or ()) for box in boxes)
    written = any(_OPPOSE.search(sentence) and _POSTAL.search(line.plain) for line, sentence in spoken)
    return {"transfer_told": told, "objection_offered": boxed or written} if told or boxed else None


def _number(text: str) -> int:
    return NUMBERS.get(text) or int(text)


def _counts_for_all(line: Line) -> bool:
    """A line under a heading on calls counts for all channels when it names others."""
    return bool(_OFFERS.search(line.plain) or re.search(r"\btou\w+ (?:vos|les) consentements?\b", line.plain))
