"""The whole document of an attestation as data, ready to be laid out (`template.typ` decides how it looks). Pure.

Words: « contrôles satisfaits au vu des déclarations du collecteur » and no more. What is not proven is said each time.
"""

from __future__ import annotations

from typing import Any

from services.proof_archive.attestation import collected, judged, page_shown
from services.proof_archive.attestation.case import Case
from services.proof_archive.attestation.independence import Independence
from services.proof_archive.attestation.judged import Pair
from services.proof_archive.attestation.picture import Picture
from services.proof_archive.attestation.text import moment, printable

SATISFIED = "Contrôles satisfaits au vu des déclarations du collecteur"
LIMITS = (
    "Que le collecteur a dit vrai : la plateforme contrôle ce qu’il déclare et ce qu’il a fait archiver, elle n’était pas présente lors du recueil.",
    "Que la personne qui a agi est bien celle que désignent les coordonnées.",
    "Que rien d’autre n’existe sur ce consentement : l’inventaire du dossier engage la parole de la plateforme qui l’a signé, pas davantage.",
    "Ce qui s’est passé après les points de contrôle cités : un retrait postérieur n’y figure pas.",
)
"""What no attestation proves."""


def document_of(case: Case, picture: Picture | None = None, held: str | None = None) -> dict[str, Any]:
    """The document. `held`: why a screenshot that is held cannot be shown (a sentence)."""
    lines = judged.lines_of(case)
    status = _status(case, lines)
    content = {
        "title": "Attestation de preuve d’un consentement à la prospection commerciale",
        "record": case.request.record,
        "made": {"year": case.at.year, "month": case.at.month, "day": case.at.day},
        "deployment": case.request.deployment,
        "status": status,
        "independence": _independence(case.independence),
        "who": collected.who(case),
        "person": {"rows": collected.person(case), "note": _person_note(case)},
        "seen": page_shown.seen_page(case, picture, held),
        "act": collected.act(case),
        "list": collected.named(case),
        "lines": judged.lines_table(case, lines),
        "reasons": judged.reasons_table(lines),
        "verdict": judged.verdict_rows(case),
        "withdrawals": judged.withdrawals(case),
        "erasure": _erasure(case),
        "checkpoints": judged.checkpoints(case),
        "entries": judged.entries_table(case),
        "partial": case.party is not None,
        "limits": [{"text": text} for text in LIMITS],
    }
    safe: dict[str, Any] = printable(content)
    return {**safe, "code": judged.code_of(case)}


def _status(case: Case, lines: list[Pair]) -> dict[str, str]:
    """The one sentence that a reader looks for, and its tone: `ok`, `no`, `wait`, `gone`."""
    states = [state.state for state, _ in lines]
    if case.erasure is not None:
        return _said(
            "gone",
            "Incluses, données personnelles effacées",
            "Les entrées figurent toujours dans le journal et se vérifient ; elles ne permettent plus de retrouver les données "
            "de la personne.",
        )
    if case.verdict is None:
        return _said(
            "wait",
            "Consentement archivé, contrôles en attente",
            "La déclaration du collecteur est archivée ; aucun contrôle n’a encore été rendu au point de contrôle cité.",
        )
    if "stopped" in states:
        left = f" Restent, non touchées : {_lines(states.count('valid'))}." if "valid" in states else ""
        return _said(
            "gone",
            "Consentement retiré",
            f"Un retrait ou une opposition couvre {_lines(states.count('stopped'))} : la prospection permise jusque-là doit "
            f"avoir cessé.{left}",
        )
    return _satisfied(states) if "valid" in states else _not_satisfied(states, lines)


def _satisfied(states: list[str]) -> dict[str, str]:
    count = states.count("valid")
    if count == len(states):
        text = f"Sans exception parmi ce qui est attesté ici ({_lines(count)}), selon le jeu de règles cité."
        return _said("ok", SATISFIED, text)
    text = "Les autres lignes ne permettent pas de prospecter ; leurs motifs sont donnés plus loin."
    return _said("ok", f"{SATISFIED}, pour {_lines(count)} sur {len(states)}", text)


def _not_satisfied(states: list[str], lines: list[Pair]) -> dict[str, str]:
    if lines and all(raw.get("value") == "refused" for _, raw in lines):
        return _said(
            "no", "Refus de la personne", "La personne a refusé : ces données ne permettent aucune prospection."
        )
    if "review" in states:
        text = "Au moins un contrôle demande l’avis d’une personne ; aucune ligne n’est permise d’ici là."
        return _said("wait", "À examiner par une personne", text)
    text = "Aucune ligne ne satisfait aux contrôles ; les motifs et leurs sources sont donnés plus loin."
    return _said("no", "Contrôles non satisfaits", text)


def _lines(count: int) -> str:
    return f"{count} ligne{'s' if count > 1 else ''}"


def _said(tone: str, label: str, text: str) -> dict[str, str]:
    return {"tone": tone, "label": label, "text": text}


def _independence(independence: Independence) -> dict[str, Any]:
    stamped = _stamped(independence)
    if independence.witnessed:
        text = (
            f"Chaque point de contrôle cité porte les cosignatures que le fichier de confiance exige : {independence.seen_by} au "
            f"moins, sur {independence.known} témoins connus. {stamped}"
        )
        return {"ok": True, "label": "Preuve vue par des témoins", "text": text.strip()}
    if independence.stamped:
        return {"ok": True, "label": "Preuve horodatée par un tiers", "text": stamped}
    text = (
        "Aucun témoin extérieur n’a cosigné ces points de contrôle dans les conditions du fichier de confiance, et aucun tiers "
        f"n’en a horodaté toutes les entrées : la preuve repose sur la seule signature de la plateforme. {stamped}"
    )
    return {"ok": False, "label": "Preuve non indépendante", "text": text.strip()}


def _stamped(independence: Independence) -> str:
    """What the timestamps say of the consent; nothing where none is believed."""
    if independence.first_at is None:
        return ""
    by = ", ".join(independence.stamped_by)
    what = "Toutes les entrées citées sont horodatées" if independence.stamped else "Le consentement est horodaté"
    return f"{what} par {by} (RFC 3161) ; le consentement l’est depuis le {moment(independence.first_at)}."


def _person_note(case: Case) -> str:
    if case.erasure is not None:
        return "Données personnelles effacées : il ne reste au journal que des engagements qui ne permettent plus de les retrouver."
    if case.party is not None:
        return "Seules les coordonnées des canaux dont la ligne satisfait aux contrôles sont communiquées à un prospecteur."
    return "Valeurs reçues par la plateforme : chacune répond à l’engagement que le journal contient."


def _erasure(case: Case) -> str | None:
    erased = case.erasure
    return None if erased is None else f"Effacement archivé le {moment(erased.read.at)}."
