"""What the page says of calls (C. conso. R.223-1, five statements) and of RGPD 13, by French wording.

A statement on calls must stand where calls are spoken of: a general sentence on withdrawal is not the one R.223-1 asks for.
A sentence that says the contrary (`vous ne pouvez pas retirer`) proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.form_inspector import companies
from services.form_inspector.boxes import Box
from services.form_inspector.texts import Line, matching, sentences
from services.form_inspector.words import speaks_of_calls
from shared.forms.wording import any_of, normal

STATEMENTS = ("professional", "choice", "period", "withdrawal", "proof_access")
CALLS = frozenset({"call", "automated_call"})

WITHDRAWS = any_of(
    r"retir\w+ (?:\w+ )?(?:votre|cet|ce|son|mon|un|le|a tout moment)\b", r"retrait\b",
    r"revenir sur (?:votre|vos|ce|ces|mon)\b", r"changer d'avis\b", r"vous (?:y )?oppos\w+", r"s'y opposer\b",
    r"(?:vous|se) (?:desinscri|desabonn)\w+", r"revoqu\w+", r"annuler votre (?:accord|consentement)",
)  # fmt: skip
CONTRARY = any_of(
    r"ne (?:pouv\w+|pour\w+|peu\w+|ser\w+|sont|est|donne\w*) (?:pas|plus|jamais)", r"n'(?:est|etes|avez|aurez|a) (?:pas|plus|aucun\w*)",
    r"aucun\w* (?:retrait|preuve|opposition|droit)", r"impossible\b", r"irrevocab\w+", r"(?:est|sera|sont) definiti\w+",
    r"sans possibilite\b", r"ne concerne pas\b",
)  # fmt: skip
"""What turns a statement into its contrary. `il n'est jamais reconduit` is not looked for where a period is stated."""
_THIRD = any_of(
    r"tiers\b", r"sous-traitan\w+", r"prestataires?\b", r"pour (?:leur|son|notre|votre) compte\b", r"centres? d'appels?\b",
    r"mandat\w+", r"au nom de\b",
)  # fmt: skip
_NATURE = any_of(
    r"pour quoi\b", r"au sujet d", r"a propos d", r"concernant\b", r"objet\b", r"produits?\b", r"services?\b",
    r"offres? (?:de|d'|portant)", r"assurances?\b", r"abonnements?\b", r"formations?\b", r"travaux\b", r"\w+ \([^)]{4,}\)",
)  # fmt: skip
_CHOICE = any_of(
    r"oui ou non\b", r"separement\b", r"independamment\b", r"une? (?:par|a) une?\b", r"choix (?:distinct|separe)",
    r"pour chaque (?:societe|professionnel|entreprise|partenaire)", r"accepter ou (?:de )?refuser\b",
)  # fmt: skip
_SPAN = r"(?:\d+|un|deux|trois|six|douze|treize) (?:ans?|mois|jours?|semaines?)\b"
_PERIOD = any_of(
    rf"(?:vaut|valables?|valides?|validite|duree|dure|expire\w*|donne\w* pour|consenti pour)\b.*\b{_SPAN}",
    r"jusqu'au\b", r"jusqu'a la date\b", r"reconduit tacitement\b", r"tacite reconduction\b",
)  # fmt: skip
_TOO_LONG = any_of(
    r"(?:deux|trois|quatre|cinq|dix|[2-9]|[1-9]\d) ans\b", r"(?:treize|quinze|dix-huit|vingt-quatre|trente-six) mois\b",
    r"(?:1[3-9]|[2-9]\d) mois\b", r"sans limite\b", r"illimite\w*",
)  # fmt: skip
_MEANS = any_of(
    r"https?://", r"www\.", r"liens?\b", r"oral\w*", r"de vive voix\b", r"pendant (?:un|l')appel", r"(?:un|deux) (?:clic|geste)s?\b",
    r"par (?:telephone|e-?mail|courrier|sms|courriel)", r"repond\w+", r"espace\b", r"sur (?:notre|le) site\b",
    r"0\d(?: ?\d\d){4}\b",
)  # fmt: skip
_GIVEN = r"(?:remis|acce|obten|demand|copie|gratuit|disposition|consult|fourni|transmis|envoye|telecharg|recevoir)\w*"
_PROOF = any_of(rf"preuves?\b.*\b{_GIVEN}", rf"{_GIVEN}\b.*\bpreuves?\b")

ITEMS: dict[str, re.Pattern[str]] = {
    "controller": any_of(r"responsables? (?:du|de) traitement\b", r"donnees (?:sont )?(?:traitees|collectees) par\b"),
    "dpo": any_of(r"delegue\w* a la protection\b", r"dpo\b"),
    "purposes": any_of(
        r"finalites?\b", r"(?:utilise|traite|collecte|recueilli)e?s (?:pour|afin)\b", r"(?:servent|serviront) a\b"
    ),
    "basis": any_of(
        r"bases? (?:legale|juridique)s?\b",
        r"article 6\b",
        r"interets? legitimes?\b",
        r"fonde\w* sur votre consentement\b",
    ),
    "recipients": any_of(r"destinataires?\b", r"(?:transmis|communique|cede)\w* (?:a|aux)\b"),
    "retention": any_of(r"durees? de conservation\b", r"conserve\w* (?:pendant|durant|jusqu|\d|au plus|trois|un|cinq)"),
    "rights": any_of(r"droits? d'acces\b", r"acces, (?:de )?rectification", r"rectification\b"),
    "withdrawal": WITHDRAWS,
    "complaint": any_of(r"cnil\b", r"reclamation\b", r"autorite de controle\b"),
    "mandatory_fields": any_of(
        r"(?:champs?|mentions?|informations?) (?:\w+ )?obligatoires?\b", r"asterisques?\b", r"sont facultati\w+"
    ),
}
"""RGPD 13 as the registry names its items, and the words that give each away."""


def items_of(texts: Sequence[str]) -> list[str]:
    """Items of RGPD 13 found in a notice's or page's texts, in the registry's order."""
    spoken = [sentence for text in texts for sentence in sentences(normal(text))]
    return [
        item for item, pattern in ITEMS.items() if any(pattern.search(s) and not CONTRARY.search(s) for s in spoken)
    ]


def asks_for_calls(boxes: Sequence[Box], lines: Sequence[Line]) -> bool:
    """Whether consent to calls is asked: by a box, or by the button that means consent."""
    if any(box.asks and not box.objects and CALLS & set(box.channels or ()) for box in boxes):
        return True
    clicking = re.compile(r"\ben (?:cliquant|validant|continuant|soumettant)\b.*\baccept\w*")
    return any(clicking.search(line.plain) and speaks_of_calls(line.plain) for line in lines)


def of_calls(boxes: Sequence[Box], lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The statements found, each with the lines that prove it, in the registry's order."""
    spoken = [
        line for line in lines if not line.label and not line.title and line.legible and not companies.sirens(line.text)
    ]
    context = [line for line in spoken if speaks_of_calls(line.heading) or speaks_of_calls(line.plain)]
    labels = [box for box in boxes if CALLS & set(box.channels or ())]
    found: dict[str, list[Line]] = {}
    called = [line for line in context if companies.names(line.text)]
    named = bool(called) or any(box.parties for box in labels)
    nature = any(_NATURE.search(line.plain) for line in called) or any(
        _NATURE.search(normal(box.label)) for box in labels
    )
    others = [line for line in context if any(_THIRD.search(sentence) for sentence in sentences(line.plain))]
    if named and nature and others:
        found["professional"] = list(dict.fromkeys([*called, *others]))
    found["choice"] = list(matching(_CHOICE, context, but=CONTRARY))
    found["period"] = list(matching(_PERIOD, context))
    found["withdrawal"] = [line for line in matching(WITHDRAWS, context, but=CONTRARY) if _MEANS.search(line.plain)]
    found["proof_access"] = list(matching(_PROOF, context, but=CONTRARY))
    return {name: found[name] for name in STATEMENTS if found.get(name)}


def too_long(lines: Sequence[Line]) -> bool:
    """Whether the period stated for calls is over a year (R.223-2)."""
    return any(
        _TOO_LONG.search(sentence) for line in lines for sentence in sentences(line.plain) if _PERIOD.search(sentence)
    )
