"""French names of the registry's words, for DPOs."""

from __future__ import annotations

from decimal import Decimal

CHANNEL_NAMES = {
    "email": "e-mail", "sms": "SMS", "automated_call": "appel automatisé", "call": "appel", "post": "courrier",
    "push": "notification", "social": "réseaux sociaux", "tracker": "traceurs",
}  # fmt: skip
PURPOSE_NAMES = {"prospecting": "prospection", "ad_tracking": "publicité ciblée", "open_tracking": "mesure d'ouverture"}
STATEMENT_NAMES = {
    "professional": "qui appelle (et tout tiers qui appelle pour lui) et pour quels biens ou services",
    "choice": "un oui ou un non pour cette personne et cet objet",
    "period": "la durée de l'accord",
    "withdrawal": "le droit de retirer l'accord aux appels et le moyen de le faire",
    "proof_access": "l'accès à la preuve",
}
UNSEEN = {
    "hidden": "masqué", "no_size": "sans taille", "clipped": "rogné", "transparent": "transparent", "off_page": "hors de la page",
    "covered": "recouvert", "same_colour": "de la couleur du fond", "gone": "absent", "illegible": "illisible", "no_label": "sans texte",
}  # fmt: skip
ITEM_NAMES = {
    "controller": "le responsable", "dpo": "le délégué à la protection des données", "purposes": "les finalités",
    "basis": "la base légale", "recipients": "les destinataires", "retention": "la durée de conservation",
    "rights": "les droits", "withdrawal": "le retrait", "complaint": "la réclamation auprès de la CNIL",
    "mandatory_fields": "les champs obligatoires",
}  # fmt: skip
PART_NAMES = ("taille", "contraste", "place", "mots")
"""The parts of the balance score, in its order."""


def gestures(number: int) -> str:
    """`1 geste`, `3 gestes`."""
    return f"{number} geste{'s' if number > 1 else ''}"


def french(value: Decimal) -> str:
    """With the comma that French numbers have."""
    return str(value).replace(".", ",")
