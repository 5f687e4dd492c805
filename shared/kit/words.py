"""The field's words in French."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CHANNELS: Mapping[str, str] = {
    "email": "courrier électronique", "sms": "SMS", "automated_call": "appel automatisé", "call": "appel téléphonique",
    "post": "courrier postal", "push": "notification", "social": "réseau social", "tracker": "traceur",
}  # fmt: skip
PURPOSES: Mapping[str, str] = {
    "prospecting": "prospection commerciale", "ad_tracking": "publicité ciblée au moyen de traceurs",
    "open_tracking": "mesure de l’ouverture des messages",
}  # fmt: skip
DATA: Mapping[str, str] = {
    "email": "adresse électronique", "sms": "numéro de téléphone", "automated_call": "numéro de téléphone",
    "call": "numéro de téléphone", "post": "adresse postale", "push": "identifiant d’appareil", "social": "identifiant de compte",
    "tracker": "identifiant de navigateur",
}  # fmt: skip
QUALIFICATIONS: Mapping[str, str] = {
    "independent": "responsables de traitement distincts", "joint": "responsables conjoints (RGPD, art. 26)",
    "processor": "sous-traitance (RGPD, art. 28)",
}  # fmt: skip


def listed(words: Iterable[str]) -> str:
    """`a, b et c`, each once, in the order given."""
    once = list(dict.fromkeys(words))
    return once[0] if len(once) == 1 else f"{', '.join(once[:-1])} et {once[-1]}" if once else ""
