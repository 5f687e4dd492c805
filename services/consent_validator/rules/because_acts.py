"""The facts, in French, that made the rules on the act, the form and the channel fire. Pure."""

from __future__ import annotations

from datetime import date

from services.consent_validator.rules.because_words import form_of
from services.consent_validator.rules.channel_rules import PHONE_STATEMENTS, bans
from services.consent_validator.rules.evidence import Line
from shared.contracts.types import CONTACT_OF_CHANNEL


def preticked(line: Line) -> str:
    """The facts of preticked."""
    boxes = [box.id for box in line.boxes if box.default == "on"]
    return (
        f"la case {', '.join(boxes)} est inscrite cochée"
        if boxes
        else "l'événement dit que la case était cochée (default_state on)"
    )


def bundled(line: Line) -> str:
    """The facts of bundled."""
    found = [
        f"{box.id} ({', '.join(box.channels)} ; {', '.join(box.purposes)}{' ; conditions générales' if box.with_terms else ''})"
        for box in line.boxes if box.with_terms or len(box.channels) * len(box.purposes) > 1
    ]  # fmt: skip
    return f"une seule case sert à plusieurs choses : {', '.join(found)}"


def conditional(line: Line) -> str:
    """The facts of conditional."""
    form = line.case.form
    if form is not None and form.service_conditional:
        return f"{form_of(line)} subordonne le service au consentement"
    return f"{form_of(line)} promet un avantage à qui accepte d'être appelé"


def unbalanced(line: Line) -> str:
    """The facts of unbalanced."""
    form = line.case.form
    score = form.unbalance if form is not None else 0
    settings = line.case.settings
    return f"score de déséquilibre {score} sur 100 (à revoir dès {settings.unbalanced_review}, refusé dès {settings.unbalanced_invalid})"


def harder(line: Line) -> str:
    """The facts of harder."""
    form = line.case.form
    steps = form.steps if form is not None else None
    return "?" if steps is None else f"{steps.withdraw} étapes pour retirer, {steps.grant} pour consentir"


def capacity(line: Line) -> str:
    """The facts of capacity."""
    if line.case.facts["age_band"] == "under_15":
        return "moins de 15 ans, sans accord des titulaires de l'autorité parentale"
    return f"âge inconnu, et {form_of(line)} s'adresse à des mineurs"


def uncovered(line: Line) -> str:
    """The facts of uncovered."""
    types = ", ".join(line.case.facts["contact_types"]) or "aucune"
    return f"le canal {line.channel} demande {CONTACT_OF_CHANNEL[line.channel] or 'une coordonnée'}, reçu : {types}"


def statements(line: Line) -> str:
    """The facts of statements."""
    stated = line.case.form.phone_statements if line.case.form is not None else ()
    return f"non prouvées sur {form_of(line)} : {', '.join(sorted(PHONE_STATEMENTS.difference(stated)))}"


def period(line: Line) -> str:
    """The facts of period."""
    stated = line.decision["valid_until"]
    if stated is None:
        return "aucune date de fin n'est donnée"
    return f"fin le {stated}, soit {(date.fromisoformat(stated) - line.case.collected_day).days} jours après le {line.case.collected_day}"


def banned(line: Line) -> str:
    """The facts of banned."""
    latest = max(line.case.collected_day, line.case.used_day)
    found = [
        f"depuis le {ban.applies_from} ({ban.source})" for ban in bans(line.case.settings)
        if ban.sector == line.sector and line.channel in ban.channels and ban.applies_from <= latest
    ]  # fmt: skip
    return f"secteur {line.sector}, canal {line.channel} : interdit {', '.join(found)}"


def transfer(line: Line) -> str:
    """The facts of transfer."""
    relation = line.case.relationship
    return f"la relation est avec {relation['with'] if relation else '?'}, le destinataire est {line.recipient}"


def soft(line: Line) -> str:
    """The facts of soft."""
    relation = line.case.relationship or {}
    names = {"details_from_person": "coordonnées données par la personne", "analogous": "produits analogues",
             "opt_out_offered": "refus offert à la collecte"}  # fmt: skip
    lacking = [text for name, text in names.items() if relation.get(name) is not True]
    during = relation.get("collected_during")
    if during not in {"sale", "service"}:
        lacking.insert(0, f"vente ou service (collecte lors de : {during or 'inconnu'})")
    return f"manque : {', '.join(lacking)}"


def b2b(line: Line) -> str:
    """The facts of b2b."""
    related = line.decision["related_to_profession"]
    return (
        "le rapport avec la profession n'est pas dit"
        if related is None
        else "le message est dit sans rapport avec la profession"
    )


def parity(line: Line) -> str:
    """The facts of parity."""
    banner = line.case.form.tracker if line.case.form is not None else None
    return "?" if banner is None else f"{banner.steps_refuse} étapes pour refuser, {banner.steps_accept} pour accepter"
