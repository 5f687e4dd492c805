"""The French words of answers to persons: channels, purposes, bases, rights, moments. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from services.rights_handler.domain import Scope
from services.rights_handler.sending import words
from shared.instants import parse_instant

CHANNELS: Mapping[str, str] = {
    "email": "courriel", "sms": "SMS", "call": "appel", "automated_call": "appel automatisé", "post": "courrier",
    "push": "notification", "social": "réseau social", "tracker": "traceurs",
}  # fmt: skip
PURPOSES: Mapping[str, str] = {
    "prospecting": "prospection commerciale",
    "ad_tracking": "publicité ciblée",
    "open_tracking": "mesure d’ouverture des messages",
}
BASES: Mapping[str, str] = {
    "consent": "votre consentement",
    "soft_opt_in": "relation de client, offres analogues",
    "contract_in_course": "contrat en cours",
    "press_exemption": "presse",
    "legitimate_interest": "intérêt légitime",
    "none": "aucun",
}
VALUES: Mapping[str, str] = {
    "granted": "accepté", "refused": "refusé", "not_objected": "informé, non opposé",
}  # fmt: skip
VERDICTS: Mapping[str, str] = {
    "valid": "contrôles satisfaits", "invalid": "contrôles non satisfaits : usage refusé", "review": "à examiner : usage refusé",
}  # fmt: skip
CONTACTS: Mapping[str, str] = {
    "email": "adresse électronique", "phone": "téléphone", "post": "adresse postale", "browser": "navigateur (identifiant)",
    "handle": "compte",
}  # fmt: skip
RIGHTS: Mapping[str, str] = {
    "access": "accès", "erasure": "effacement", "rectification": "rectification", "portability": "portabilité",
    "restriction": "limitation", "dispute": "contestation du consentement",
}  # fmt: skip
STOPS: Mapping[str, str] = {
    "withdrawal": "retrait du consentement", "objection": "opposition", "stop_reply": "réponse STOP",
    "call_refusal": "refus d’appel",
}  # fmt: skip
ANSWERS: Mapping[str, str] = {
    "applied": "appliqué", "unknown_person": "personne inconnue", "refused": "refusé", "superseded": "devenu sans objet",
}  # fmt: skip
WHERE_TO_COMPLAIN = (
    "Vous pouvez déposer une plainte auprès de la CNIL (www.cnil.fr, 3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07) "
    "et saisir le tribunal judiciaire de votre domicile."
)
"""RGPD 12(4), 77 and 79; code de l'organisation judiciaire, art. L.211-3."""
_DAY_LENGTH = len("2027-09-13")


def moment(instant: str) -> str:
    """`samedi 19 septembre 2026 à 11 h 05 (heure de Paris)`, without seconds; a bare day stays one."""
    if len(instant) == _DAY_LENGTH:
        return words.day(date.fromisoformat(instant))
    return words.in_paris_text(parse_instant(instant).replace(second=0, microsecond=0))


def day(instant: str) -> str:
    """`samedi 19 septembre 2026`, in Paris."""
    return words.day(words.paris_day(parse_instant(instant)))


def scope(value: Scope, names: Mapping[str, str]) -> str:
    """A scope in words."""
    return "toutes et tous" if value == "all" else ", ".join(names.get(one, one) for one in sorted(value))
