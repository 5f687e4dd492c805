"""The one table of problem codes that an input can be answered with (receipts, HTTP answers, `opposable assess`).

Codes are stable. The sentence sent with a problem may be more precise than the one here; neither ever repeats a value.
"""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, tuple[str, str]] = {
    "EMPTY": ("The record has no value.", "L'enregistrement n'a pas de contenu."),
    "JSON": ("The data is not JSON.", "Les données ne sont pas du JSON."),
    "HEADER-NULL": ("A header has no value.", "Un en-tête n'a pas de valeur."),
    "HEADER-ENCODING": ("A header is not UTF-8 text.", "Un en-tête n'est pas du texte UTF-8."),
    "HEADER-TWICE": ("A CloudEvents header stands twice.", "Un en-tête CloudEvents figure deux fois."),
    "ENVELOPE-MISSING": ("A CloudEvents attribute is missing.", "Un attribut CloudEvents manque."),
    "ENVELOPE-VERSION": ("Not CloudEvents 1.0.", "Pas du CloudEvents 1.0."),
    "ENVELOPE-ID": ("The event id has a form that is not allowed.", "L'identifiant de l'événement est mal formé."),
    "ENVELOPE-TIME": (
        "The event's time is no RFC 3339 instant.",
        "L'heure de l'événement n'est pas au format RFC 3339.",
    ),
    "ENVELOPE-DATA": ("The event has no readable data.", "L'événement n'a pas de données lisibles."),
    "IDENTITY": (
        "The event's source is not the party that this channel belongs to.",
        "La source de l'événement n'est pas la partie à qui ce canal appartient.",
    ),
    "IDENTITY-UNREGISTERED": (
        "The source is no registered party.",
        "La source n'est pas une partie inscrite au registre.",
    ),
    "TYPE-UNKNOWN": ("The event's type is unknown.", "Le type de l'événement est inconnu."),
    "FIELD-MISSING": ("A required field is missing.", "Un champ obligatoire manque."),
    "FIELD-UNKNOWN": ("The contract does not know a field.", "Un champ est inconnu du contrat."),
    "FIELD-TYPE": ("A field has the wrong type.", "Un champ n'a pas le bon type."),
    "FIELD-FORMAT": ("A field has a form that is not allowed.", "Un champ est mal formé."),
    "VALUE-UNKNOWN": ("A word is not one of those allowed.", "Un mot n'est pas dans le vocabulaire prévu."),
    "ZONE-UNKNOWN": ("The time zone is no IANA zone.", "Le fuseau horaire n'est pas un fuseau IANA."),
    "CONTACT-EMAIL": ("An e-mail address cannot exist.", "Une adresse e-mail ne peut pas exister."),
    "CONTACT-PHONE": (
        "A telephone number cannot exist in the country given.",
        "Un numéro de téléphone ne peut pas exister dans le pays indiqué.",
    ),
    "CONTACT-EMPTY": ("A contact is empty.", "Un contact est vide."),
    "PHONE-UNASSIGNED": (
        "Warning: the number's range is not assigned, as far as known.",
        "Avertissement : la tranche du numéro n'est pas attribuée, à notre connaissance.",
    ),
    "TOO-MANY-LINES": (
        "The consent gives more lines (recipients × decisions) than one event may.",
        "Le consentement donne plus de lignes (destinataires × décisions) qu'un événement ne peut en porter.",
    ),
    "STOP-NOBODY": (
        "The stop names nobody: no contact, no subject_ref, no record.",
        "L'opposition ne désigne personne : ni contact, ni subject_ref, ni dossier.",
    ),
    "ACK-SIGNATURE": (
        "The signature of the acknowledgement does not hold: it is not counted.",
        "La signature de l'acquittement ne tient pas : il n'est pas compté.",
    ),
    "REQUEST-NOBODY": (
        "The request or report names nobody: no contact, no subject_ref, no record.",
        "La demande ne désigne personne : ni contact, ni subject_ref, ni dossier.",
    ),
    "REGISTRY-YAML": ("A registry file cannot be read.", "Un fichier du registre est illisible."),
    "REGISTRY-KIND": ("A registry document has no known kind.", "Un document du registre n'a pas de genre connu."),
    "REGISTRY-JSON": ("A registry document is outside the JSON profile.", "Un document sort du profil JSON."),
    "REGISTRY-EMPTY": ("No registry file is there.", "Aucun fichier de registre n'est là."),
}
