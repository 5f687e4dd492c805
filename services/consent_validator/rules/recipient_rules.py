"""Rules on who was named to the person, and under which contract (RGPD recital 42, 26, 28; CANAL+, HUBSIDE, COSMOSPACE)."""

from __future__ import annotations

from services.consent_validator.rules.evidence import Line
from services.consent_validator.rules.model import INVALID, NOT_NONE, REVIEW, Effect, Rule
from shared.registry.clauses import missing_clauses
from shared.registry.models import Party


def _list_missing(line: Line) -> Effect | None:
    return INVALID if line.case.list_reference is None else None


def _list_unknown(line: Line) -> Effect | None:
    return INVALID if line.case.list_reference is not None and line.case.list_ is None else None


def _list_categories(line: Line) -> Effect | None:
    published = line.case.list_
    return INVALID if published is not None and published.nature == "categories" else None


def _list_not_named(line: Line) -> Effect | None:
    """By legal person (SIREN or foreign registration): a brand, a group or the id alone names nobody."""
    published, recipient = line.case.list_, line.party
    if published is None or (line.recipient is None and published.nature == "categories"):
        return None  # LIST-UNKNOWN, LIST-CATEGORIES say it
    if recipient is not None:
        for entry in published.entries:
            same = entry.registration == recipient.registration
            if same and line.channel in entry.channels and line.purpose in entry.purposes:
                return None
    return INVALID


def _list_later(line: Line) -> Effect | None:
    case = line.case
    if case.list_ is not None and case.list_.published_at > case.collected:
        return INVALID
    displayed = case.displayed
    return INVALID if displayed is not None and displayed > case.collected else None


def _list_hash(line: Line) -> Effect | None:
    case = line.case
    if case.list_ is None or case.list_reference is None:
        return None
    same = case.list_reference["sha256"] == case.list_.sha256 and case.registry.list_body_intact(case.list_)
    return None if same else INVALID


def _list_signature(line: Line) -> Effect | None:
    published = line.case.list_
    if published is None:
        return None
    if published.signature is not None:
        return INVALID if line.case.registry.list_signature(published) == "wrong" else None
    for agreement in line.agreements:
        if agreement.list_signature_required:
            return INVALID
    return None


def _list_not_shown(line: Line) -> Effect | None:
    case = line.case
    if case.form is None or case.form.list_shown == "on_form":
        return None
    if case.form.list_shown == "absent":
        return INVALID
    return REVIEW if case.list_reference is not None and case.displayed is None else None


def _agreement_missing(line: Line) -> Effect | None:
    """Where nobody can be named, LIST-* says so; a basis without a list has this rule alone to stop it."""
    if line.recipient is None and line.basis != "none":
        return None
    return None if line.covering else INVALID


def _agreement_incomplete(line: Line) -> Effect | None:
    """Silent where an agreement in force declares no clauses: that is a warning of `registry check`."""
    balancing = line.basis == "legitimate_interest"
    for agreement in line.covering:
        if agreement.clauses is None or not missing_clauses(agreement, balancing=balancing):
            return None
    return REVIEW if line.covering else None


def _party_suspended(line: Line) -> Effect | None:
    return REVIEW if _suspended(line.case.party, line) or _suspended(line.party, line) else None


def _suspended(party: Party | None, line: Line) -> bool:
    if party is None or party.status != "suspended":
        return False
    return party.suspended_from is None or party.suspended_from <= line.case.at


LIST_MISSING = Rule(
    "LIST-MISSING", INVALID, "RGPD cons. 42; CANAL+ SAN-2023-015; EDPB 05/2020 §65", "reported",
    "Transmission à un tiers sans liste de destinataires", "Third-party recipient without a recipient list",
    "Montrer la liste nominative avant le choix, et la citer.", "Show the named list before the choice, and cite it.",
    _list_missing, bases=NOT_NONE, third_party=True, reads="place",
)  # fmt: skip
LIST_UNKNOWN = Rule(
    "LIST-UNKNOWN", INVALID, "RGPD 7(1)", "primary",
    "Version de liste absente du registre", "List version not registered",
    "Inscrire la version avant de collecter.", "Register the version before collecting.",
    _list_unknown, bases=NOT_NONE, third_party=True, reads="place",
)  # fmt: skip
LIST_CATEGORIES = Rule(
    "LIST-CATEGORIES", INVALID, "RGPD cons. 42; CANAL+ SAN-2023-015", "reported",
    "Liste de catégories : personne n'y est nommé", "List of categories: it names nobody",
    "Nommer chaque société destinataire.", "Name each recipient company.",
    _list_categories, bases=NOT_NONE, third_party=True, reads="place",
)  # fmt: skip
LIST_NOT_NAMED = Rule(
    "LIST-NOT-NAMED", INVALID, "HUBSIDE.STORE SAN-2024-004; COSMOSPACE SAN-2024-014", "primary",
    "Société absente de la liste montrée, ou non nommée pour ce canal ou cet objet",
    "Company not on the list shown, or not named for this channel or purpose",
    "Nommer la personne morale (SIREN), le canal et la finalité, puis recueillir un nouveau consentement.",
    "Name the legal person (SIREN), channel and purpose, then ask again.",
    _list_not_named, bases=NOT_NONE, third_party=True, reads="place",
)  # fmt: skip
LIST_LATER = Rule(
    "LIST-LATER", INVALID, "RGPD cons. 42", "primary",
    "Liste publiée ou affichée après le choix", "List published or displayed after the choice",
    "Citer la version visible avant le choix.", "Cite the version that could be seen before the choice.",
    _list_later, bases=NOT_NONE, third_party=True, reads="event",
)  # fmt: skip
LIST_HASH = Rule(
    "LIST-HASH", INVALID, "RGPD 7(1)", "primary",
    "L'empreinte de la liste n'est pas celle de la version inscrite", "The list's hash is not the registered one",
    "Inscrire la liste réellement montrée comme nouvelle version.", "Register the list really shown as a new version.",
    _list_hash, bases=NOT_NONE, third_party=True, reads="event",
)  # fmt: skip
LIST_SIGNATURE = Rule(
    "LIST-SIGNATURE", INVALID, "RGPD 7(1)", "primary",
    "Signature de la liste fausse, ou absente alors que le contrat l'exige",
    "List signature wrong, or missing where the agreement requires it",
    "Publier une version signée par le primo-collectant.", "Publish a version signed by the collector.",
    _list_signature, bases=NOT_NONE, third_party=True, reads="place",
)  # fmt: skip
LIST_NOT_SHOWN = Rule(
    "LIST-NOT-SHOWN", INVALID, "CNIL; RGPD cons. 42", "primary",
    "Liste non montrée sur le formulaire, ou derrière un lien sans preuve d'affichage",
    "List not shown on the form, or behind a link without proof of display",
    "Montrer la liste sur le formulaire, ou dater son affichage.", "Show the list on the form, or date its display.",
    _list_not_shown, bases=NOT_NONE, third_party=True, reads="event",
)  # fmt: skip
AGREEMENT_MISSING = Rule(
    "AGREEMENT-MISSING", INVALID, "RGPD 26, 28", "primary",
    "Pas de contrat en vigueur avec ce destinataire pour ce canal et cette finalité",
    "No agreement in force with this recipient for this channel and purpose",
    "Signer et inscrire le contrat avant de collecter.", "Sign and register the agreement before collecting.",
    _agreement_missing, third_party=True, reads="place",
)  # fmt: skip
PARTY_SUSPENDED = Rule(
    "PARTY-SUSPENDED", REVIEW, "SOLOCAL SAN-2025-001", "primary",
    "Partie suspendue", "Party suspended",
    "Lever la suspension après contrôle des preuves.", "Lift the suspension once the proofs are checked.",
    _party_suspended,
)  # fmt: skip
AGREEMENT_INCOMPLETE = Rule(
    "AGREEMENT-INCOMPLETE", REVIEW, "RGPD 26, 28(3); CANAL+ SAN-2023-015", "primary",
    "Le contrat déclare ses clauses et il en manque", "The agreement declares its clauses and lacks some",
    "Compléter le contrat et inscrire sa nouvelle version.", "Complete the agreement and register its new version.",
    _agreement_incomplete, third_party=True, reads="place",
)  # fmt: skip
