"""How the label of a control speaks: does it refuse, does it accept, does it shame the person who refuses?

Pure functions over one label, in French (and the few English words French pages use). Used by the balance score
(`shared.registry.balance`) and by the inspection of a page, so that both read a label alike. Sources of the patterns:
TAGADAMEDIA SAN-2023-025, FORIOU SAN-2024-003 (refusal worded or drawn so that it is not seen), CNIL délib. 2020-092
(refuse as easily as accept), EDPB guidelines 03/2022 on deceptive patterns (emotional steering, hidden in plain sight).
"""

from __future__ import annotations

import re
import unicodedata

_QUOTES = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "\u00a0": " ", "\u202f": " ", "‑": "-", "–": "-", "—": "-"}
)
_INCLUSIVE = re.compile(r"(?<=\w)(?:\((?:e|es|s|ne|ve|trice)\)|·(?:e|es|ne|ve)?(?:·s)?)")
_SPACES = re.compile(r"\s+")


def any_of(*alternatives: str) -> re.Pattern[str]:
    """One pattern of several, each beginning at the edge of a word."""
    return re.compile(r"\b(?:" + "|".join(alternatives) + ")")


def normal(text: str) -> str:
    """Lower case, no accent, plain apostrophes and spaces, no inclusive ending: what every pattern is written for."""
    plain = unicodedata.normalize("NFD", text.translate(_QUOTES).replace("œ", "oe").replace("Œ", "oe").casefold())
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _SPACES.sub(" ", _INCLUSIVE.sub("", bare)).strip()


_SAYS_REFUSAL = any_of(
    r"(?:non|no|ne|sans|pas|quitter|s'opposer)\b",
    r"n'",
    r"(?:refus|aucun|rejet|declin|m'oppos)\w*",
)
_HARMLESS_WITHOUT = any_of(
    r"sans (?:engagement|frais|risque|obligation|limite|condition|delai|souci|contrepartie)",
    r"sans (?:plus )?attendre",
    r"sans (?:hesiter|inscription prealable|carte bancaire)",
)
"""What a service does without (`sans engagement`), which refuses nothing."""
_NOT_A_REFUSAL = any_of(
    r"ne (?:rien |plus )?(?:manqu|rat|loup)\w+(?: (?:pas|rien))?",
    r"ne (?:pas |plus |rien )(?:manquer|rater|louper|refuser|passer a cote)",
    r"sans (?:rien )?(?:manquer|rater|refuser)\b",
    r"ne (?:m'oppose|refuse) pas\b",
    r"pourquoi pas\b",
    r"non seulement\b",
)
_CHOOSES = r"(?:je prefere|j'aime mieux|je choisis de|j'accepte de|je vais)"
_THE = r"(?:m[aeo]\w*|l[ae]s?|une?|des|ces?|cette)"
_SHAMES = any_of(
    r"tant pis\b",
    r"dommage\b",
    rf"{_CHOOSES} (?:payer|perdre|rater|manquer|renoncer|rester|passer a cote)",
    rf"{_CHOOSES} ne pas (?:profiter|economiser|gagner)",
    r"payer plus cher\b",
    r"plein tarif\b",
    r"je renonce\b",
    r"renoncer (?:a|aux|au) ",
    r"je n'(?:aime|ai) pas (?:faire d'economies|les (?:bonnes affaires|cadeaux)|besoin d'economi)",
    r"je ne veux pas (?:gagner|economiser|de cadeau|faire d'economies|profiter)",
    rf"(?:perdre|rater|manquer|laisser passer|j'abandonne) (?:{_THE} |l')?(?:avantage|cadeau|offre|reduction|remise)",
    rf"(?:perdre|rater|manquer|laisser passer) (?:{_THE} |l')?(?:chance|bon\b|economie|occasion|opportunite)",
    r"je deteste\b",
    r"bonnes affaires ne m'interessent pas\b",
)
_ACCEPTS = any_of(
    r"(?:j'?accept|accept|autoris)\w*",
    r"(?:consens|consentir|consent|d'accord|oui|ok|okay|j'adhere|j'en profite|je profite|en profiter|profiter)\b",
    r"(?:j'ai compris|compris|agree)\b",
)
_EVASIVE = re.compile(
    r"\bplus tard\b|\bpas maintenant\b|\babandonner\b|\bsortir\b|^(?:ignorer|je passe|fermer|quitter|skip|close)\b|"
    r"^passer(?: cette)?(?: etape)?$|^(?:annuler|retour)$|^[x×✕✖✗]$"
)
_NECESSARY_ONLY = any_of(
    r"(?:uniquement|seulement|que|seuls?) (?:les |le )?(?:traceurs |cookies )?(?:strictement )?(?:necessaires?|essentiels?)",
    r"(?:necessaires|essentiels) (?:uniquement|seulement)",
    r"tout (?:desactiver|decocher|bloquer)\b",
)


def says_refusal(label: str) -> bool:
    """Whether a person who reads only this label knows that it refuses. `Plus tard`, `Continuer`: no. `Non merci`: yes."""
    bare = _HARMLESS_WITHOUT.sub(" ", _NOT_A_REFUSAL.sub(" ", normal(label)))
    return bool(_SAYS_REFUSAL.search(bare) or _NECESSARY_ONLY.search(bare))


def evades(label: str) -> bool:
    """Whether it leaves or puts off without saying that it refuses: `Plus tard`, `Ignorer`, `Quitter`, a cross."""
    return bool(_EVASIVE.search(normal(label)))


def shames(label: str) -> bool:
    """Whether it makes refusing look foolish or costly: `Non, je préfère payer plus cher`."""
    return bool(_SHAMES.search(normal(label)))


def says_acceptance(label: str) -> bool:
    """Whether it says yes, and not no: `J'accepte`, `Jouer et accepter`; not `Continuer sans accepter`."""
    return bool(_ACCEPTS.search(normal(label))) and not says_refusal(label)
