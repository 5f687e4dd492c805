"""The console's words, French first. Each page module brings its own; fields' words come from `shared.kit.words`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from shared.errors import ConfigurationError
from shared.kit.words import CHANNELS, PURPOSES

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
Catalogue = Mapping[str, tuple[str, str]]
"""key → (French, English)."""
_NARROW = (*((f" {sign}", f"\u202f{sign}") for sign in ";:!?»"), ("« ", "«\u202f"))

COMMON: Catalogue = {
    "brand": ("Console Opposable", "Opposable console"),
    "skip": ("Aller au contenu", "Skip to content"),
    "menu": ("Pages", "Pages"),
    "language": ("English", "Français"),
    "signed_in": ("Compte", "Account"),
    "sign_out": ("Se déconnecter", "Sign out"),
    "find": ("Chercher (touche /)", "Search (press /)"),
    "error": ("Erreur", "Error"),
    "none": ("Rien à montrer.", "Nothing to show."),
    "reason": ("Motif (gardé au journal, sans nom ni contact)", "Reason (kept in the log; no name, no contact)"),
    "filter": ("Filtrer", "Filter"),
    "all": ("Tous", "All"),
    "older": ("Plus anciens", "Older"),
    "back": ("Retour", "Back"),
    "yes": ("oui", "yes"),
    "no": ("non", "no"),
    "paris": ("heures de Paris", "Paris time"),
    "role.viewer": ("lecture", "viewer"),
    "role.operator": ("exploitation", "operator"),
    "role.dpo": ("DPO", "DPO"),
    "forbidden.title": ("Accès refusé", "Not allowed"),
    "forbidden.text": (
        "Votre rôle ne donne pas accès à cette page ou à cette action. Demandez à qui gère les comptes.",
        "Your role does not give access to this page or action. Ask whoever manages accounts.",
    ),
    "stale.title": ("Formulaire refusé", "Form refused"),
    "stale.text": (
        "Ce formulaire ne vient pas de votre session. Rien n’a été fait. Ouvrez la page de nouveau et recommencez.",
        "This form does not come from your session. Nothing was done. Open the page again and start over.",
    ),
    "missing.title": ("Introuvable", "Not found"),
    "missing.text": ("Rien ne porte ce nom ici.", "Nothing has this name here."),
    "later.title": ("Momentanément indisponible", "Unavailable for now"),
    "later.text": (
        "Un service ou un moteur ne répond pas : rien n’a été fait ni montré. Réessayez dans un instant.",
        "A service or an engine does not answer: nothing was done or shown. Try again in a moment.",
    ),
    "broken.title": ("Erreur inattendue", "Unexpected error"),
    "broken.text": (
        "Cette page n’a pas pu être faite. L’erreur est au journal technique du service ; l’opération notée, s’il y en a une, le reste.",
        "This page could not be made. The error is in the service’s technical log; an operation that was noted stays noted.",
    ),
    "refused.title": ("Refusé", "Refused"),
}  # fmt: skip


class Words:
    """The words of one language."""

    def __init__(self, language: Language, catalogue: Catalogue) -> None:
        self.language = language
        self._place, self._catalogue = LANGUAGES.index(language), catalogue

    def __call__(self, key: str, **values: object) -> str:
        """The words of a key. Raises ConfigurationError for a key that no catalogue has: a test renders every page."""
        found = self._catalogue.get(key)
        if found is None:
            raise ConfigurationError(f"the console has no words for {key!r}")
        return self._spaced(found[self._place].format(**values) if values else found[self._place])

    def of(self, prefix: str, code: str) -> str:
        """The words of a code that others may have made up (`kind.`, `action.`): the code itself where there are none."""
        found = self._catalogue.get(f"{prefix}.{code}")
        return code if found is None else self._spaced(found[self._place])

    def _spaced(self, text: str) -> str:
        """French signs stay on the line of their word: narrow no-break spaces where the catalogue has plain ones."""
        if self.language == "fr":
            for plain, narrow in _NARROW:
                text = text.replace(plain, narrow)
        return text

    def channel(self, code: str) -> str:
        """A channel."""
        return CHANNELS.get(code, code) if self.language == "fr" else code.replace("_", " ")

    def purpose(self, code: str) -> str:
        """A purpose."""
        return PURPOSES.get(code, code) if self.language == "fr" else code.replace("_", " ")


def merged(*catalogues: Catalogue) -> Catalogue:
    """One catalogue. Raises ConfigurationError where two give one key different words."""
    found: dict[str, tuple[str, str]] = {}
    for catalogue in catalogues:
        for key, words in catalogue.items():
            if found.setdefault(key, words) != words:
                raise ConfigurationError(f"two pages of the console give {key!r} different words")
    return found
