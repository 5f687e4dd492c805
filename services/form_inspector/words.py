"""French wording of consent forms: channels, purposes, terms, objection. Patterns over `wording.normal` text.

A box says for itself what it covers; where it names no channel, the caller may look at what stands around it. Words that
could mean several channels (`par tous moyens`, `voie électronique`) give none: that is asked, not guessed. Sources: CPCE
L.34-5 (a channel is named: "par ce moyen"), contracts.md (which channel messages, fax and robots count as).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from shared.contracts.types import CHANNELS, Channel, Purpose
from shared.forms.wording import any_of

_EMAIL = any_of(
    r"courriers? electroniques?", r"courriels?\b", r"e-?mails?\b", r"mails?\b", r"mailings?\b", r"newsletters?\b",
    r"lettres? d'informations?\b", r"infolettres?\b",
)  # fmt: skip
_ROBOT = any_of(
    r"(?:appels?|messages?)(?: telephoniques?| vocaux| vocal)? (?:automati\w+|pre-?enregistres?|enregistres?)",
    r"automates? d'appels?", r"robots? d'appels?", r"telecopies?\b", r"fax\b",
)  # fmt: skip
_SMS = any_of(
    r"sms\b", r"mms\b", r"textos?\b", r"messages? texte\b", r"whatsapp\b", r"messageries? instantanees?\b", r"rcs\b"
)
_SOCIAL = any_of(
    r"reseaux? socia\w+", r"facebook\b", r"instagram\b", r"linkedin\b", r"tiktok\b", r"messenger\b"
)  # fmt: skip
_CALL = any_of(
    r"telephon\w*", r"appels?\b", r"appele\w?\b", r"rappele\w?\b", r"m'appeler\b", r"vous appeler\b", r"de vive voix\b"
)
_DATA = any_of(
    r"(?:numero|ligne) de (?:telephone|mobile|portable)\b", r"adresses? (?:e-?mail|electronique|mail)\b(?! de)"
)
"""A number or address that is asked for is no channel that is agreed to."""
_CHANNELS: tuple[tuple[Channel | None, re.Pattern[str]], ...] = (
    (None, _DATA),
    ("email", _EMAIL),
    ("automated_call", _ROBOT),
    ("sms", _SMS),
    ("push", any_of(r"notifications?(?: push| mobiles?)?\b", r"push\b")),
    ("social", _SOCIAL),
    ("call", _CALL),
    ("post", any_of(r"courriers?\b", r"postal\w*", r"boites? aux lettres\b")),
    ("tracker", any_of(r"traceurs?\b", r"cookies?\b")),
)
"""In this order, each taking its words away: a `courrier électronique` is no letter, an `appel automatisé` no call."""
_ANY_CHANNEL = any_of(
    r"tou[st]\w* (?:les )?(?:moyens?|canaux|canal|voies?|supports?)\b", r"quel que soit le canal\b",
    r"(?:voies?|moyens?) electroniques?\b",
)  # fmt: skip

_AD = any_of(
    r"(?:publicites?|annonces?|offres?) (?:ciblee?s?|personnalisee?s?|comportementales?)", r"ciblage\b", r"profilage publicitaire\b"
)  # fmt: skip
_OPENING = any_of(
    r"mesures?(?: individuelles?)? (?:de l'|d'|des )ouvertures?", r"taux d'ouverture", r"pixels? (?:espions?|de suivi)",
    r"suivi des ouvertures",
)  # fmt: skip
_PROSPECT = any_of(
    r"offres?\b", r"promotion\w*", r"promos?\b", r"bons plans\b", r"publicit\w+", r"prospection\b", r"newsletters?\b",
    r"lettres? d'informations?\b", r"actualites\b", r"nouveautes\b", r"infolettres?\b", r"commercia\w+", r"sollicit\w+",
    r"demarch\w+", r"ventes privees\b", r"catalogues?\b", r"marketing\b", r"partenaires?\b", r"bons de reduction\b",
    r"avantages\b", r"invitations?\b", r"propositions?\b", r"selections?\b",
)  # fmt: skip
_ABOUT = any_of(r"au sujet d", r"a propos d", r"concernant\b", r"sur le theme\b", r"pour me (?:proposer|presenter)\b")
_SERVICE = any_of(
    r"(?:suivi|livraison|confirmation|etat|preparation) (?:de |d')?(?:ma|votre|la|mon|une)? ?"
    r"(?:commande|colis|livraison|dossier|reservation|demande)",
    r"rappels? de rendez-vous\b", r"ma facture\b", r"alertes? de securite\b", r"se souvenir de moi\b", r"rester connecte\b",
)  # fmt: skip
_TERMS = any_of(
    r"conditions (?:generales|d'utilisation|de vente|particulieres|du service)", r"cg[uv]s?\b", r"reglement\b",
    r"politique de (?:confidentialite|protection|cookies)", r"charte\b", r"mentions legales\b",
)  # fmt: skip
_OBJECTS = any_of(
    r"m'oppos\w+", r"je refuse\b", r"sans recevoir\b", r"(?:ne )?(?:pas|plus) (?:me|recevoir|etre)\b",
    r"je (?:ne )?(?:souhaite|veux|desire|voudrais|accepte) (?:pas|plus)\b",
    r"ne (?:souhait\w+|veux|desir\w+|accept\w+) (?:pas|plus)",
)  # fmt: skip
_AGREES = any_of(
    r"j'(?:accept|autoris)\w*", r"je (?:consens|souhaite|veux|desire|suis d'accord)\b", r"oui\b", r"recevoir\b",
    r"m'(?:abonne|inscri)\w*", r"inscrivez\b", r"d'accord pour\b", r"j'aimerais\b",
)  # fmt: skip
_TRANSFERS = any_of(r"transmi\w+", r"communiqu\w+", r"cession\b", r"cede\w*", r"partag\w+", r"louer\b", r"loue\w*")


class Covers(NamedTuple):
    """What a label asks for. `channels` is None where words stand for several or none can be told."""

    channels: tuple[Channel, ...] | None
    purposes: tuple[Purpose, ...]
    terms: bool
    objects: bool
    agrees: bool
    service: bool
    transfers: bool


def covers(text: str) -> Covers:
    """Reads a normalised label."""
    purposes: list[Purpose] = []
    rest = text
    if _AD.search(rest):
        purposes.append("ad_tracking")
        rest = _AD.sub(" ", rest)
    if _OPENING.search(rest):
        purposes.append("open_tracking")
        rest = _OPENING.sub(" ", rest)
    named = channels(text)
    if _PROSPECT.search(rest) or ("call" in named and _ABOUT.search(rest)):
        purposes.insert(0, "prospecting")
    return Covers(
        channels=None if _ANY_CHANNEL.search(text) or not named else named,
        purposes=tuple(purposes),
        terms=bool(_TERMS.search(text)),
        objects=bool(_OBJECTS.search(text)),
        agrees=bool(_AGREES.search(text)),
        service=bool(_SERVICE.search(text)),
        transfers=bool(_TRANSFERS.search(text)),
    )


def channels(text: str) -> tuple[Channel, ...]:
    """Channels named in a normalised text, in the registry's order."""
    found: set[Channel] = set()
    rest = text
    for channel, pattern in _CHANNELS:
        rest, count = pattern.subn(" ", rest)
        if count and channel is not None:
            found.add(channel)
    return tuple(channel for channel in CHANNELS if channel in found)


def speaks_of_calls(text: str) -> bool:
    """Whether a normalised text is about telephone calls."""
    return bool({"call", "automated_call"} & set(channels(text)))
