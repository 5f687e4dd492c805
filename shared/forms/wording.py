"""How the label of a control speaks: does it refuse, does it accept, does it shame the person who refuses?

Pure functions over one label, in French (and the few English words French pages use). Used by the balance score
(`shared.registry.balance`) and by the inspection of a page, so that both read a label alike. Sources of the patterns:
TAGADAMEDIA SAN-2023-025, FORIOU SAN-2024-003 (refusal worded or drawn so that it is not seen), CNIL délib. 2020-092
(refuse as easily as accept), EDPB guidelines 03/2022 on deceptive patterns (emotional steering, hidden in plain sight).
"""

from __future__ import annotations

import re
import unicodedata

_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "\u00a0": " ", "\u202f": " ", "‑": "-", "–": "-", "—": "-"})
_INCLUSIVE = re.compile(r"(?<=\w)(?:\((?:e|es|s|ne|ve|trice)\)|·(?:e|es|ne|ve)?(?:·s)?)")
_SPACES = re.compile(r"\s+")

_SAYS_REFUSAL = re.compile(
    r"\b(?:non|no|ne|n'|refus\w*|sans|pas|aucun\w*|rejet\w*|declin\w*|quitter|m'oppose\w*|s'opposer)\b|\bn'"
)
_HARMLESS_WITHOUT = re.compile(
    r"\bsans (?:engagement|frais|attendre|plus attendre|risque|obligation|limite|condition|delai|souci|hesiter|contrepartie|"
    r"inscription prealable|carte bancaire)\w*"
)
_NOT_A_REFUSAL = re.compile(
    r"\bne (?:rien |plus )?(?:manqu|rat|loup|pass)\w+|\bne (?:pas |plus |rien )(?:manquer|rater|louper|refuser|passer a cote)|"
    r"\bpourquoi pas\b|\bsans (?:rien )?(?:manquer|rater|refuser)\b|\bne m'oppose pas\b|\bne refuse pas\b|\bnon seulement\b"
)
_SHAMES = re.compile(
    r"\btant pis\b|\bdommage\b|\b(?:je prefere|j'aime mieux|je choisis de|j'accepte de|je vais) (?:payer|perdre|rater|manquer|"
    r"renoncer|rester|passer a cote|ne pas (?:profiter|economiser))|\bpayer plus cher\b|\bplein tarif\b|\bje renonce\b|"
    r"\brenoncer (?:a|aux|au) |\bje (?:n'aime|n'ai) pas (?:faire d'economies|les (?:bonnes affaires|cadeaux)|besoin d'economi)|"
    r"\b(?:perdre|rater|manquer|laisser passer) (?:mes|mon|ma|ces|ce|cette|les|l'|la|le|une|un|des) ?(?:avantage|cadeau|offre|"
    r"reduction|remise|chance|bon|economie|occasion|opportunite)\w*|\bj'abandonne (?:mes|mon|ma)\b|\bje ne veux pas (?:gagner|"
    r"economiser|de cadeau|faire d'economies|profiter)|\bje deteste\b|\bles bonnes affaires ne m'interessent pas\b"
)
_ACCEPTS = re.compile(
    r"\b(?:j'?accept\w*|accept\w*|autoris\w*|consens|consentir|consent\b|d'accord|oui|ok|okay|j'adhere|j'en profite|"
    r"je profite|profiter|en profiter|j'ai compris|compris|agree|accept all)\b"
)
_EVASIVE = re.compile(
    r"\bplus tard\b|\bpas maintenant\b|^ignorer\b|^passer(?: cette)?(?: etape)?$|^je passe\b|^fermer\b|^annuler$|\babandonner\b|"
    r"^quitter\b|\bsortir\b|^[x×✕✖✗]$|^skip\b|^close$|^retour$"
)
_NECESSARY_ONLY = re.compile(
    r"\b(?:uniquement|seulement|que|seuls?) (?:les |le )?(?:traceurs |cookies )?(?:strictement )?(?:necessaires?|essentiels?)|"
    r"\b(?:necessaires|essentiels) (?:uniquement|seulement)|\btout (?:desactiver|decocher|bloquer)\b"
)


def normal(text: str) -> str:
    """Lower case, no accent, plain apostrophes and spaces, no inclusive ending: what every pattern is written for."""
    plain = unicodedata.normalize("NFD", text.translate(_QUOTES).replace("œ", "oe").replace("Œ", "oe").casefold())
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _SPACES.sub(" ", _INCLUSIVE.sub("", bare)).strip()


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
