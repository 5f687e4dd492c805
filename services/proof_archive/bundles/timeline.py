"""The story of a record in French, derived from its entries alone, so that whoever verifies derives it again.

Times are those at which the platform archived each fact (the broker's clock); what a party declares is told as declared.
Words: a verdict says « contrôles satisfaits au vu des déclarations du collecteur », never that a consent is valid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

from services.proof_archive.bundles.entries import ReadEntry
from services.proof_archive.bundles.fact_types import AnyOf, Facts
from services.proof_archive.bundles.facts import Consent, Delivery, Registered, Report, Request, Stop
from services.proof_archive.bundles.verdict_facts import Verdict
from shared import canonical

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_STOPS = {
    "withdrawal": "Retrait du consentement",
    "objection": "Opposition",
    "stop_reply": "Réponse STOP",
    "call_refusal": "Refus d'appel",
}
ANSWERS = {"applied": "appliqué", "unknown_person": "personne inconnue", "refused": "refusé"}
RIGHTS = {
    "access": "accès",
    "erasure": "effacement",
    "rectification": "rectification",
    "portability": "portabilité",
    "restriction": "limitation",
    "dispute": "contestation du consentement",
}
_REGISTERED = {
    "list": "Liste de destinataires",
    "form": "Formulaire",
    "notice": "Mention d'information",
    "agreement": "Contrat",
    "party": "Organisme",
}


def timeline_of(entries: Sequence[ReadEntry]) -> bytes:
    """Bytes of `timeline.json`: `[{at, kind, party, text_fr}]`, oldest first."""
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.origin, entry.index))
    return canonical.dumps([event_of(entry) for entry in ordered])


def event_of(entry: ReadEntry) -> dict[str, Any]:
    """One line of the story."""
    party, text = _told(entry.facts)
    return {"at": entry.at, "kind": entry.kind, "party": party, "text_fr": text}


def date_fr(instant: str) -> str:
    """`2026-09-14T08:31:07.120Z` → `14 septembre 2026 à 08:31:07 (UTC)`."""
    day = int(instant[8:10])
    return f"{'1er' if day == 1 else day} {_MONTHS[int(instant[5:7]) - 1]} {instant[:4]} à {instant[11:19]} (UTC)"


@singledispatch
def _told(facts: Facts) -> tuple[str | None, str]:
    """The party concerned and the sentence."""
    if facts.kind.endswith("erased"):
        return None, "Données personnelles effacées ; les entrées du journal restent vérifiables."
    if facts.kind.endswith(".conflict"):
        return None, "Autre contenu présenté sous le même identifiant : refusé et archivé."
    return None, f"Événement « {facts.kind} » archivé."


@_told.register
def _(facts: Consent) -> tuple[str | None, str]:
    form = ""
    if facts.form is not None and facts.form.id is not None:
        form = f", formulaire « {facts.form.id} » version {facts.form.version}"
    return (
        facts.collector,
        f"{facts.collector} déclare avoir recueilli un choix le {date_fr(facts.collected_at)}{form}.",
    )


@_told.register
def _(facts: Verdict) -> tuple[str | None, str]:
    count = Counter(line.verdict for line in facts.lines)
    return None, (
        f"Contrôles selon les règles {facts.ruleset} : {count['valid']} ligne(s) aux contrôles satisfaits au vu des "
        f"déclarations du collecteur, {count['invalid']} aux contrôles non satisfaits, {count['review']} à examiner"
        + (f" ; {facts.hidden} autre(s) ligne(s), non dévoilée(s) dans ce dossier." if facts.hidden else ".")
    )


@_told.register
def _(facts: Stop) -> tuple[str | None, str]:
    what = _STOPS.get(facts.stop_kind, facts.stop_kind)
    return facts.source, (
        f"{what} reçu par {facts.source}, exprimé le {date_fr(facts.at)} ; destinataires : {_scope(facts.recipients)} ; "
        f"canaux : {_scope(facts.channels)} ; finalités : {_scope(facts.purposes)}."
    )


@_told.register
def _(facts: Request) -> tuple[str | None, str]:
    return facts.source, f"Demande reçue par {facts.source} : {RIGHTS.get(facts.right, facts.right)}."


@_told.register
def _(facts: Delivery) -> tuple[str | None, str]:
    return facts.party, _DELIVERIES[facts.kind](facts)


@_told.register
def _(facts: Report) -> tuple[str | None, str]:
    return facts.source, _REPORTS[facts.kind](facts)


@_told.register
def _(facts: Registered) -> tuple[str | None, str]:
    version = "" if facts.version is None else f", version {facts.version}"
    return facts.collector, f"{_REGISTERED.get(facts.kind, facts.kind)} « {facts.id} »{version} : archivé."


def _scope(scope: AnyOf) -> str:
    return "tous" if scope == "all" else ", ".join([scope] if isinstance(scope, str) else scope)


def _ordered(facts: Delivery) -> str:
    due = f" ; réponse attendue avant le {date_fr(facts.ack_due_at)}" if facts.ack_due_at else ""
    return f"{'Ordre de cesser adressé' if facts.stop else 'Demande adressée'} à {facts.party}{due}."


def _acknowledged(facts: Delivery) -> str:
    closed = " ; ordre clos" if facts.closed else " ; ordre toujours ouvert"
    return f"Réponse de {facts.party} : {ANSWERS.get(facts.status or '', facts.status or 'sans statut')}{closed}."


_DELIVERIES: dict[str, Callable[[Delivery], str]] = {
    "delivery.ordered": _ordered,
    "delivery.reminded": lambda facts: f"Rappel n° {facts.reminder} adressé à {facts.party}.",
    "delivery.acknowledged": _acknowledged,
    "delivery.escalated": lambda facts: f"Sans réponse suffisante de {facts.party} : un opérateur est saisi.",
}


def _answer(facts: Report) -> str:
    applied = f", appliqué le {date_fr(facts.applied_at)}" if facts.applied_at else ""
    status = ANSWERS.get(facts.status or "", facts.status or "sans statut")
    return f"{facts.source} répond à l'ordre : {status}{applied}."


def _dated(facts: Report) -> str:
    return f" le {date_fr(facts.at)}" if facts.at else ""


_REPORTS: dict[str, Callable[[Report], str]] = {
    "order.acknowledged": _answer,
    "notice.given": lambda facts: (
        f"{facts.source} déclare avoir donné l'information de l'article 14 du RGPD{_dated(facts)}."
    ),
    "data.transferred": lambda facts: (
        f"{facts.source} déclare avoir transmis les données à {facts.to or 'un tiers'}{_dated(facts)}."
    ),
    "contact.attempted": lambda facts: (
        f"{facts.source} déclare une prise de contact ({facts.channel or 'canal non dit'}){_dated(facts)}."
    ),
}
