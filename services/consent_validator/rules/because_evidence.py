"""The facts, in French, that made the rules on evidence, recipients and contracts fire. Pure."""

from __future__ import annotations

from services.consent_validator.rules.basis import row_of
from services.consent_validator.rules.because_words import collected_on, form_of, list_of, recipient_of, use_of
from services.consent_validator.rules.days import paris_day
from services.consent_validator.rules.evidence import Line
from services.consent_validator.rules.evidence_rules import NOTICE_ITEMS
from shared.instants import format_instant
from shared.registry.clauses import missing_clauses
from shared.registry.models import Party


def published(line: Line) -> str:
    """The facts of published."""
    form = line.case.form
    at = format_instant(form.published_at) if form is not None else "?"
    return f"{form_of(line)} a été publié le {at}, {collected_on(line)}"


def foreign(line: Line) -> str:
    """The facts of foreign."""
    owners = sorted({d.collector for d in (line.case.form, line.case.list_) if d is not None} - {line.case.collector})
    return f"le document cité appartient à {', '.join(owners)}, l'événement vient de {line.case.collector}"


def contradicted(line: Line) -> str:
    """The facts of contradicted."""
    said, boxes = line.case.default_state, ", ".join(f"{box.id} : {box.default}" for box in line.boxes) or "aucune case"
    return f"l'événement dit « {said} », {form_of(line)} inscrit pour {use_of(line)} : {boxes}"


def unknown(line: Line) -> str:
    """The facts of unknown."""
    missing = line.case.collector if line.case.party is None else line.recipient
    return f"« {missing} » n'est pas au registre"


def role(line: Line) -> str:
    """The facts of role."""
    collector = line.case.party
    if collector is not None and "collector" not in collector.roles:
        return f"{collector.legal_name} collecte avec les seuls rôles {', '.join(collector.roles)}"
    roles = ", ".join(line.party.roles) if line.party is not None else ""
    return f"{recipient_of(line)} reçoit avec les seuls rôles {roles}"


def notice(line: Line) -> str:
    """The facts of notice."""
    notice = line.case.notice
    if notice is not None:
        return f"la mention {notice.id} {notice.version} ne dit rien de : {', '.join(sorted(NOTICE_ITEMS.difference(notice.items)))}"
    key = line.case.notice_key
    return (
        "l'événement dit qu'aucune mention n'a été donnée"
        if key is None
        else f"la mention {key[0]} {key[1]} n'est pas au registre"
    )


def not_named(line: Line) -> str:
    """The facts of not named."""
    published = line.case.list_
    if published is None or line.party is None:
        return f"{list_of(line)} ne nomme personne pour {use_of(line)}"
    entry = next((e for e in published.entries if e.registration == line.party.registration), None)
    if entry is None:
        return f"{recipient_of(line)} n'est pas l'une des {len(published.entries)} sociétés de {list_of(line)}"
    named = ", ".join(entry.channels)
    return f"{list_of(line)} nomme {recipient_of(line)} pour {named} ({', '.join(entry.purposes)}), pas pour {use_of(line)}"


def list_later(line: Line) -> str:
    """The facts of list later."""
    published, shown = line.case.list_, line.case.displayed
    if published is not None and published.published_at > line.case.collected:
        return f"{list_of(line)} a été publiée le {format_instant(published.published_at)}, {collected_on(line)}"
    at = format_instant(shown) if shown is not None else "?"
    return f"{list_of(line)} a été affichée le {at}, {collected_on(line)}"


def signature(line: Line) -> str:
    """The facts of signature."""
    published = line.case.list_
    if published is not None and published.signature is not None:
        return f"la signature de {list_of(line)} n'est celle d'aucune clé inscrite de {line.case.collector}"
    agreements = ", ".join(f"{a.id} v{a.version}" for a in line.agreements if a.list_signature_required)
    return f"{list_of(line)} n'est pas signée, le contrat {agreements} l'exige"


def not_shown(line: Line) -> str:
    """The facts of not shown."""
    form = line.case.form
    how = {"absent": "ne montre pas la liste", "link": "renvoie à la liste par un lien, sans date d'affichage"}
    return f"{form_of(line)} {how.get(form.list_shown if form is not None else '', 'ne montre pas la liste')}"


def no_agreement(line: Line) -> str:
    """The facts of no agreement."""
    day = line.case.collected_day
    if not line.agreements:
        return f"aucun contrat entre {line.case.collector} et {line.recipient} n'est en vigueur le {day}"
    found = ", ".join(f"{a.id} v{a.version} ({', '.join(a.channels)})" for a in line.agreements)
    return f"le contrat {found} ne couvre pas {use_of(line)} le {day}"


def incomplete(line: Line) -> str:
    """The facts of incomplete."""
    balancing = line.basis == "legitimate_interest"
    lacking = {c for a in line.covering for c in missing_clauses(a, balancing=balancing)}
    return f"au contrat entre {line.case.collector} et {line.recipient} manque : {', '.join(sorted(lacking))}"


def suspended(line: Line) -> str:
    """The facts of suspended."""

    def since(party: Party) -> str:
        return "" if party.suspended_from is None else f" depuis le {format_instant(party.suspended_from)}"

    found = [p for p in (line.case.party, line.party) if p is not None and p.status == "suspended"]
    return "est suspendu : " + ", ".join(dict.fromkeys(f"{p.legal_name}{since(p)}" for p in found))


def late(line: Line) -> str:
    """The facts of late."""
    case = line.case
    if case.received - case.collected > case.settings.late_after:
        return f"{collected_on(line)}, reçu le {format_instant(case.received)}"
    at = case.page.archived
    return (
        f"{collected_on(line)}, un document cité n'a été archivé que le {format_instant(at) if at is not None else '?'}"
    )


def expired(line: Line) -> str:
    """The facts of expired."""
    row = row_of(line)
    ended = f"la ligne ne vaut plus depuis le {format_instant(line.valid_until)}, évaluée le {paris_day(line.case.at)}"
    return ended if row is None or row.until is None else f"{ended} (ancien régime jusqu'au {row.until})"
