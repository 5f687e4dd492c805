"""The French words of an attestation. Closed tables: what a table does not know is shown as it stands."""

from __future__ import annotations

from collections.abc import Mapping

CHANNELS: Mapping[str, str] = {
    "email": "courriel",
    "sms": "SMS",
    "automated_call": "automate d’appel",
    "call": "appel",
    "post": "courrier postal",
    "push": "notification",
    "social": "réseau social",
    "tracker": "traceurs",
}
PURPOSES: Mapping[str, str] = {
    "prospecting": "prospection",
    "ad_tracking": "suivi publicitaire",
    "open_tracking": "suivi d’ouverture",
}
VALUES: Mapping[str, str] = {"granted": "accordé", "refused": "refusé", "not_objected": "pas d’opposition"}
BASES: Mapping[str, str] = {
    "consent": "consentement",
    "soft_opt_in": "produits analogues (CPCE, art. L. 34-5, al. 4)",
    "contract_in_course": "contrat en cours",
    "press_exemption": "exception presse",
    "legitimate_interest": "intérêt légitime",
    "none": "aucune",
}
ACTIONS: Mapping[str, str] = {
    "checkbox": "case cochée",
    "button": "bouton pressé",
    "signature": "signature",
    "oral_recorded": "accord oral enregistré",
    "double_opt_in": "double validation par message",
}
DEFAULTS: Mapping[str, str] = {
    "off": "non cochée à l’affichage",
    "on": "déjà cochée à l’affichage",
    "none": "sans objet",
}
CONFIRMED: Mapping[str, str] = {"double_opt_in": "double validation par message", "signature": "signature"}
MEDIA: Mapping[str, str] = {
    "web": "site web",
    "app": "application",
    "paper": "papier",
    "oral": "oral",
    "crm": "saisie par un conseiller",
}
SCOPES: Mapping[str, str] = {
    "collector": "le collecteur",
    "prospector": "un prospecteur nommé",
    "auditor": "un auditeur",
    "operator": "l’opérateur de la plateforme",
    "person": "la personne concernée",
}
STOPS: Mapping[str, str] = {
    "withdrawal": "retrait du consentement",
    "objection": "opposition",
    "stop_reply": "réponse STOP",
    "call_refusal": "refus d’être appelé",
}
VIAS: Mapping[str, str] = {
    "portal": "espace de la personne",
    "one_click": "lien de désinscription",
    "sms": "SMS",
    "oral": "oral",
    "letter": "lettre",
    "api": "transmission informatique",
}
STATES: Mapping[str, str] = {
    "valid": "contrôles satisfaits (a)",
    "invalid": "contrôles non satisfaits",
    "review": "à examiner par une personne",
    "stopped": "retiré depuis",
}
KINDS: Mapping[str, str] = {
    "consent.recorded": "Consentement déclaré par le collecteur",
    "consent.conflict": "Autre contenu présenté sous le même identifiant, refusé",
    "consent.assessed": "Contrôles et leur résultat",
    "stop.recorded": "Retrait ou opposition",
    "request.received": "Demande d’exercice d’un droit",
    "delivery.ordered": "Ordre adressé",
    "delivery.reminded": "Rappel adressé",
    "delivery.acknowledged": "Réponse reçue",
    "delivery.escalated": "Opérateur saisi faute de réponse",
    "review.decided": "Décision motivée sur une ligne à examiner",
    "order.acknowledged": "Réponse à un ordre, telle qu’envoyée",
    "notice.given": "Information de l’article 14 déclarée donnée",
    "data.transferred": "Transmission déclarée",
    "contact.attempted": "Prise de contact déclarée",
    "record.erased": "Effacement des données personnelles",
    "list": "Liste des destinataires",
    "form": "Formulaire",
    "notice": "Mention d’information",
    "agreement": "Contrat",
    "party": "Organisme",
}
FIELDS: Mapping[str, str] = {
    "subject_ref": "Référence chez le collecteur",
    "ip": "Adresse IP",
    "source_url": "Adresse de la page",
    "user_agent": "Navigateur",
    "session": "Session",
}


def word(table: Mapping[str, str], value: object) -> str:
    """The word for a value; the value itself where the table does not know it; a dash for nothing."""
    return "—" if value is None else table.get(str(value), str(value))
