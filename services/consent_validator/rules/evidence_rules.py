"""Rules on the evidence itself: the decision, its date, the form version, the parties, the notice, its age (RGPD 7(1), 13)."""

from __future__ import annotations

from services.consent_validator.rules.evidence import Line
from services.consent_validator.rules.model import CLOCK_TOLERANCE, INVALID, REVIEW, Effect, Rule

NOTICE_ITEMS = frozenset({
    "controller", "dpo", "purposes", "basis", "recipients", "retention", "rights", "withdrawal", "complaint",
    "mandatory_fields",
})  # fmt: skip
"""What RGPD 13 asks a notice to hold."""


def _refused(line: Line) -> Effect | None:
    return INVALID if line.value == "refused" else None


def _time_future(line: Line) -> Effect | None:
    return INVALID if line.case.collected > line.case.received + CLOCK_TOLERANCE else None


def _form_unknown(line: Line) -> Effect | None:
    return INVALID if line.case.form is None else None


def _form_later(line: Line) -> Effect | None:
    form = line.case.form
    return INVALID if form is not None and form.published_at > line.case.collected else None


def _form_hash(line: Line) -> Effect | None:
    form = line.case.form
    return INVALID if form is not None and form.html_sha256 != line.case.facts["form"]["sha256"] else None


def _form_foreign(line: Line) -> Effect | None:
    case = line.case
    documents = (case.form, case.list_)
    return INVALID if any(d is not None and d.collector != case.collector for d in documents) else None


def _form_contradicted(line: Line) -> Effect | None:
    """Default state: `off` and `none` do not contradict each other. Boxes: only a consent needs one."""
    form, said = line.case.form, line.case.default_state
    if form is None:
        return None
    if said == "on":
        if all(box.default != "on" for box in form.boxes):
            return REVIEW
    elif said is not None:
        for box in line.boxes:
            if box.default == "on":
                return REVIEW
    if line.boxes or line.basis != "consent":
        return None
    return None if line.channel == "tracker" and form.tracker is not None else REVIEW


def _party_unknown(line: Line) -> Effect | None:
    unknown = line.case.party is None or (line.recipient is not None and line.party is None)
    return INVALID if unknown else None


def _party_role(line: Line) -> Effect | None:
    collector, recipient = line.case.party, line.party
    if collector is not None and "collector" not in collector.roles:
        return INVALID
    return INVALID if recipient is not None and "prospector" not in recipient.roles else None


def _notice_missing(line: Line) -> Effect | None:
    case = line.case
    if case.notice is not None:
        return None if NOTICE_ITEMS.issubset(case.notice.items) else INVALID
    # The event leaves it to a form that is itself unknown: FORM-UNKNOWN says it all.
    unresolved = case.form is None and case.facts["notice"] is not None and case.notice_key is None
    return None if unresolved else INVALID


def _notice_hash(line: Line) -> Effect | None:
    case = line.case
    said = case.facts["notice"]
    if case.notice is None or said is None or said["sha256"] is None:
        return None
    return INVALID if case.notice.sha256 != said["sha256"] else None


def _late(line: Line) -> Effect | None:
    case = line.case
    if not case.live:
        return None
    if case.received - case.collected > case.settings.late_after:
        return REVIEW
    notice = f"notice:{case.notice.id}:{case.notice.version}" if case.notice is not None else ""
    reference = case.registry.reference(notice)
    for archived in (case.page.archived, reference.archived_at if reference is not None else None):
        if archived is not None and case.collected < archived:
            return REVIEW
    return None


def _expired(line: Line) -> Effect | None:
    return INVALID if line.case.at >= line.valid_until else None


REFUSED = Rule(
    "REFUSED", INVALID, "RGPD 4(11)", "primary",
    "La personne a refusé", "The person refused",
    "Aucun remède : ne pas solliciter par ce canal.", "None: do not use this channel.",
    _refused, reads="place",
)  # fmt: skip
TIME_FUTURE = Rule(
    "TIME-FUTURE", INVALID, "RGPD 7(1)", "primary",
    "Preuve datée plus de 5 minutes après sa réception", "Evidence dated over 5 minutes after its receipt",
    "Mettre l'horloge du primo-collectant à l'heure.", "Set the collector's clock right.",
    _time_future, reads="event",
)  # fmt: skip
FORM_UNKNOWN = Rule(
    "FORM-UNKNOWN", INVALID, "RGPD 7(1); EDF SAN-2022-021", "primary",
    "Version de formulaire non inscrite au registre", "Form version not registered",
    "Inscrire la version réellement montrée, avant de collecter.", "Register the version really shown, before collecting.",
    _form_unknown, reads="place",
)  # fmt: skip
FORM_LATER = Rule(
    "FORM-LATER", INVALID, "RGPD 7(1); EDF SAN-2022-021", "primary",
    "Version de formulaire publiée après la collecte", "Form version published after collection",
    "Citer la version en ligne au moment du choix.", "Cite the version that was online at the time of the choice.",
    _form_later, reads="event",
)  # fmt: skip
FORM_HASH = Rule(
    "FORM-HASH", INVALID, "RGPD 7(1); EDF SAN-2022-021", "primary",
    "L'empreinte du formulaire n'est pas celle de la version inscrite", "The form's hash is not the registered one",
    "Inscrire la page réellement montrée comme nouvelle version.", "Register the page really shown as a new version.",
    _form_hash, reads="event",
)  # fmt: skip
FORM_FOREIGN = Rule(
    "FORM-FOREIGN", INVALID, "RGPD 7(1)", "primary",
    "Formulaire ou liste d'un autre primo-collectant", "Form or list of another collector",
    "Citer un formulaire et une liste du primo-collectant.", "Cite a form and a list of this collector.",
    _form_foreign, reads="place",
)  # fmt: skip
FORM_CONTRADICTED = Rule(
    "FORM-CONTRADICTED", REVIEW, "RGPD 7(1)", "primary",
    "L'événement contredit la version inscrite du formulaire", "The event contradicts the registered form version",
    "Corriger l'événement, ou inscrire la version réellement montrée.", "Correct the event, or register the version shown.",
    _form_contradicted, reads="place",
)  # fmt: skip
PARTY_UNKNOWN = Rule(
    "PARTY-UNKNOWN", INVALID, "RGPD 13(1)(e)", "primary",
    "Destinataire inconnu du registre", "Recipient not registered",
    "Inscrire l'entreprise (SIREN) avant la collecte.", "Register the company (SIREN) before collecting.",
    _party_unknown, reads="place",
)  # fmt: skip
PARTY_ROLE = Rule(
    "PARTY-ROLE", INVALID, "RGPD 13(1)(e)", "primary",
    "Partie sans le rôle qu'elle tient ici", "Party without the role it plays here",
    "Inscrire le rôle (collector, prospector) de la partie.", "Register the party's role (collector, prospector).",
    _party_role, reads="place",
)  # fmt: skip
NOTICE_MISSING = Rule(
    "NOTICE-MISSING", INVALID, "RGPD 13", "primary",
    "Pas de mention d'information, ou mention incomplète", "No information notice, or one that lacks an item",
    "Publier une mention qui porte tous les points de l'article 13.", "Publish a notice with every item of article 13.",
    _notice_missing, reads="event",
)  # fmt: skip
NOTICE_HASH = Rule(
    "NOTICE-HASH", INVALID, "RGPD 13", "primary",
    "L'empreinte de la mention n'est pas celle du texte inscrit", "The notice's hash is not the registered one",
    "Inscrire le texte réellement montré comme nouvelle version.", "Register the text really shown as a new version.",
    _notice_hash, reads="event",
)  # fmt: skip
EVIDENCE_LATE = Rule(
    "EVIDENCE-LATE", REVIEW, "RGPD 7(1)", "primary",
    "Preuve arrivée tard, ou antérieure à l'archivage de ce qu'elle cite",
    "Evidence that arrived late, or older than the archiving of what it cites",
    "Transmettre au fil de l'eau ; le stock ancien entre par un import explicite.",
    "Send as you collect; historic stock enters by an explicit import.",
    _late, reads="event",
)  # fmt: skip
EXPIRED = Rule(
    "EXPIRED", INVALID, "délib. CNIL 2021-131; RGPD 5(1)(e)", "reported",
    "Durée écoulée", "Period over",
    "Recueillir un nouveau choix.", "Ask for a new choice.",
    _expired,
)  # fmt: skip
